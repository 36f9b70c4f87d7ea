//! Which copies get the lineage that nobody named when they were made: those whose policy has had a group `(?<volume>…)` since.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::facts::Facts;
use crate::audit::{Copy, CopyDeferred, CopyNamed, Record, Source};
use crate::description;
use crate::facts::{CallError, DescribedCopy, Lineage};
use crate::homes::is_anothers;
use crate::ids::Region;
use crate::policy::Policy;

/// A copy and the lineage that its description names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Naming<'f> {
    /// The Region.
    pub region: &'f Region,
    /// The copy.
    pub copy: &'f DescribedCopy,
    /// What its tag `snapferry:source-volume` becomes.
    pub lineage: Lineage,
}

impl Naming<'_> {
    /// For what is said once a day and not at every run: a text that names the fact.
    #[must_use]
    pub fn notice(&self, written: &Result<(), CallError>) -> Option<String> {
        let error = written.as_ref().err().filter(|error| error.request_id.is_some())?;
        Some(format!("volume-not-written {} {} {}", error.code, self.region, self.copy.id))
    }
}

/// The lineage of each copy that has none yet and whose own description names one. Once named, it is never named again.
#[must_use]
pub fn namings<'f>(policies: &[Policy], facts: &'f Facts) -> Vec<Naming<'f>> {
    let read = facts.regions.iter().filter_map(|(region, copies)| Some((region, copies.as_ref().ok()?)));
    let copies = read.flat_map(|(region, copies)| copies.iter().map(move |copy| (region, copy)));
    let naming = |(region, copy)| Some(Naming { region, copy, lineage: lineage_of(policies, &facts.homes, copy)? });
    copies.filter_map(naming).collect()
}

/// What a copy without a lineage is of, by today's DescriptionRegex of its policy. Nothing for a copy of another home, of a
/// policy that the document does not have, or with a tag that cannot be read.
#[must_use]
pub fn lineage_of(policies: &[Policy], homes: &BTreeSet<Region>, copy: &DescribedCopy) -> Option<Lineage> {
    let tags = &copy.tags;
    let is_known = !tags.source_volume.as_ref().is_some_and(Lineage::is_filler);
    if is_known || !tags.problems.is_empty() || is_anothers(homes, tags.source_region.as_ref()) {
        return None;
    }
    let policy = policies.iter().find(|policy| Some(&policy.name) == tags.policy.as_ref())?;
    policy.description.volume(description::of_source(&copy.description, tags)?)
}

/// The audit record of a naming and what became of it.
#[must_use]
pub fn named(naming: &Naming<'_>, written: &Result<(), CallError>, now: Timestamp) -> Record {
    let Naming { region, copy, lineage } = naming;
    let mut record = match written {
        Ok(()) => Record::new(CopyNamed::FromDescription, now).message(format!(
            "Nobody knew the volume of its source; the policy's DescriptionRegex captures {lineage} from its description."
        )),
        Err(error) => Record::new(CopyDeferred::VolumeNotWritten, now)
            .message(format!(
                "The policy's DescriptionRegex captures the volume {lineage} from the copy's description, but its tag \
                 snapferry:source-volume could not be set to it. The next run tries again."
            ))
            .error(Some(error)),
    };
    record.policy = copy.tags.policy.as_ref().map(ToString::to_string);
    record.source = Source::of_tags(&copy.tags);
    if let (Some(source), Ok(())) = (&mut record.source, written) {
        source.volume = Some(lineage.to_string());
    }
    record.copy = Some(Copy::of_tags(&copy.id, region, &copy.tags));
    record
}
