//! One point, and a volume without any.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::facts::{Detail, Facts, Vault};
use super::passed::Passed;
use super::wanted::Wanted;
use crate::facts::Copy;
use crate::ids::{AccountId, Region, VolumeId};

/// A copy from which a volume can be restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point<'f> {
    /// The source account.
    pub account: &'f AccountId,
    /// The volume whose content it is.
    pub volume: &'f VolumeId,
    /// Where it is kept.
    pub region: &'f Region,
    /// The copy.
    pub copy: &'f Copy,
    /// Its size, and what was proven of it.
    pub detail: Detail,
    /// When its source was started: the volume's content is that of this moment.
    pub started: Timestamp,
    /// How many older good points the volume has in the Region.
    pub older: usize,
    /// Its place in [`Recovery::sets`](super::Recovery::sets).
    pub set: Option<usize>,
}

/// A volume without a point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unrecoverable<'f> {
    /// The source account, where a copy names it.
    pub account: Option<&'f AccountId>,
    /// The volume.
    pub volume: &'f VolumeId,
    /// Its copies in all Regions that were looked at, by why they are no points; none when there is no copy at all.
    pub passed: BTreeMap<Passed, usize>,
}

impl<'f> Point<'f> {
    /// Whose content it is.
    #[must_use]
    pub fn lineage(&self) -> (&'f AccountId, &'f VolumeId) {
        (self.account, self.volume)
    }

    /// What makes it the better one of two: it is newer; of the same source, proven further, or the newer copy.
    pub(super) fn rank(&self) -> impl Ord + use<'f> {
        let is_proven = self.detail.proof.as_ref().is_some_and(|proof| proof.is_of_content());
        (self.started, is_proven, self.copy.start_time, self.copy.id.as_str())
    }
}

/// The point that a copy is, or why it is none.
pub(super) fn judge<'f>(
    wanted: &Wanted,
    facts: &'f Facts,
    region: &'f Region,
    vault: &'f Vault,
    copy: &'f Copy,
) -> Result<Point<'f>, Passed> {
    if copy.origin.owner.as_ref().is_some_and(|owner| *owner != facts.account) {
        return Err(Passed::ForeignOwner);
    }
    if !wanted.policies.contains(&copy.origin.policy) {
        return Err(Passed::PolicyNotNamed);
    }
    if vault.is_in_doubt(&copy.id) {
        return Err(Passed::NotDescribed);
    }
    if let Some(passed) = Passed::of(copy) {
        return Err(passed);
    }
    // A copy whose tags are whole has both.
    let account = copy.origin.account.as_ref().ok_or(Passed::MalformedTags)?;
    let started = copy.source_start_time.get().ok_or(Passed::MalformedTags)?;
    let volume = copy.lineage.as_ref().filter(|volume| !volume.is_filler()).ok_or(Passed::VolumeUnknown)?;
    if wanted.before.is_some_and(|before| started >= before) {
        return Err(Passed::TooNew);
    }
    let detail = vault.detail(&copy.id);
    Ok(Point { account, volume, region, copy, detail, started, older: 0, set: None })
}
