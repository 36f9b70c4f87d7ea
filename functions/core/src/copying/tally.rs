//! What a sweep counted.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Decision, Deferral, Facts, Outcome, Stands, Subject, Verdict};
use crate::audit::{CopyDeferred, CopyRefused};
use crate::facts::{Copy, KeyFact, SourceSnapshot};
use crate::homes::is_named;
use crate::ids::{AccountId, KeyArn, Region};
use crate::policy::{Policy, PolicyState};
use crate::standing::Standing;

/// Counts over everything that was looked at. One *identity* is (policy, source snapshot, target Region).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Snapshots looked at.
    pub shared: u64,
    /// Snapshots ignored because they were started before `SNAPFERRY_SWEEP_SINCE`.
    pub before_since: u64,
    /// Snapshots that at least one policy wants.
    pub matching: u64,
    /// Copies started now.
    pub started: u64,
    /// Deferred identities by reason.
    pub deferred: BTreeMap<CopyDeferred, u64>,
    /// Refused identities and copies with malformed tags by reason, told now or earlier.
    pub refused: BTreeMap<CopyRefused, u64>,
    /// Copies that EC2 refused to start.
    pub failed: u64,
    /// When the oldest source without any live copy was started.
    pub oldest_missing: Option<Timestamp>,
    /// How each target Region stands.
    pub regions: BTreeMap<Region, RegionCounts>,
    /// When the newest snapshot that a policy wants was started, for each owner that an enabled policy names.
    pub owners: BTreeMap<AccountId, Option<Timestamp>>,
    /// The configured keys that cannot encrypt a copy, and why.
    pub unusable_keys: BTreeMap<KeyArn, CopyRefused>,
}

/// How the identities of a Region, or of all, stand after this run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RegionCounts {
    /// With a completed, verified copy (and locked, where a lock is asked for).
    pub protected: u64,
    /// With a copy under way or not verified yet, those just started included.
    pub in_flight: u64,
    /// Without any live copy.
    pub missing: u64,
    /// Of which nothing is known, because the Region's copies could not be read.
    pub unknown: u64,
    /// Since when the worst of those not proven protected is so. Nothing says when a snapshot was shared; what has its
    /// first copy under way counts from that copy's start, all else from the start of its source.
    pub unprotected_since: Option<Timestamp>,
}

impl RegionCounts {
    /// Identities that are not proven protected.
    #[must_use]
    pub fn unprotected(&self) -> u64 {
        self.in_flight + self.missing + self.unknown
    }

    fn since(&mut self, since: Timestamp) {
        self.unprotected_since = earlier(self.unprotected_since, since);
    }
}

fn earlier(known: Option<Timestamp>, other: Timestamp) -> Option<Timestamp> {
    Some(known.map_or(other, |known| known.min(other)))
}

impl Tally {
    /// What is to be counted, and what is known without looking at snapshots.
    pub(super) fn begin(policies: &[Policy], facts: &Facts) -> Self {
        let enabled = policies.iter().filter(|policy| policy.state == PolicyState::Enabled);
        let others = |owner: &&AccountId| facts.account.as_ref() != Some(*owner);
        let unusable_keys = facts.keys.iter().filter_map(|(key, fact)| match fact {
            KeyFact::Unusable(problem) => Some((key.clone(), problem.reason())),
            KeyFact::Usable | KeyFact::Unread(_) => None,
        });
        Self {
            regions: facts.regions.keys().map(|region| (region.clone(), RegionCounts::default())).collect(),
            owners: enabled
                .flat_map(|policy| &policy.owners)
                .filter(others)
                .map(|owner| (owner.clone(), None))
                .collect(),
            unusable_keys: unusable_keys.collect(),
            ..Self::default()
        }
    }

    /// Notes that an owner shares this snapshot, if a policy wants it.
    pub(super) fn heard(&mut self, policies: &[Policy], snapshot: &SourceSnapshot) {
        let Some(newest) = self.owners.get_mut(&snapshot.owner) else { return };
        let wants = |policy: &Policy| {
            policy.state == PolicyState::Enabled
                && policy.owners.contains(&snapshot.owner)
                && policy.description.matches(&snapshot.description)
        };
        if newest.is_none_or(|newest| newest < snapshot.start_time) && policies.iter().any(wants) {
            *newest = Some(snapshot.start_time);
        }
    }

    /// Falls back on the copies of owners that share nothing any more: the newest was shared when it was copied.
    pub(super) fn remember(&mut self, policies: &[Policy], facts: &Facts) {
        if self.owners.values().all(Option::is_some) {
            return;
        }
        let mut copied: BTreeMap<&AccountId, Timestamp> = BTreeMap::new();
        let is_ours =
            |copy: &&Copy| !copy.has_failed() && is_named(policies, &facts.retired_policies, &copy.origin.policy);
        for copy in facts.regions.values().flatten().flat_map(|found| &found.copies).filter(is_ours) {
            if let (Some(account), Some(_)) = (&copy.origin.account, &copy.lineage) {
                let newest = copied.entry(account).or_insert(copy.start_time);
                *newest = (*newest).max(copy.start_time);
            }
        }
        for (owner, newest) in self.owners.iter_mut().filter(|(_, newest)| newest.is_none()) {
            *newest = copied.get(owner).copied();
        }
    }

    /// Counts one decision and what became of it.
    pub fn add(&mut self, decision: &Decision<'_>, outcome: &Outcome) {
        let deferral = match (&decision.verdict, outcome) {
            (_, Outcome::Deferred(deferral)) | (Verdict::Defer(deferral), _) => Some(deferral),
            _ => None,
        };
        match (&decision.verdict, outcome) {
            (_, Outcome::Started { .. }) => self.started += 1,
            (_, Outcome::Failed { .. }) => self.failed += 1,
            (Verdict::Refuse(refusal), _) => *self.refused.entry(refusal.reason()).or_default() += 1,
            _ => {}
        }
        // Of a Region that a sweep could not read, each identity was counted where it stood.
        let counted = decision.subject == Subject::All && decision.region.is_some();
        if let Some(deferral) = deferral
            && !counted
        {
            *self.deferred.entry(deferral.reason()).or_default() += 1;
        }
        let (Subject::Seen(source), Some(region)) = (decision.subject, decision.region) else { return };
        match (decision.stands, &decision.verdict, outcome) {
            (Some(before), _, Outcome::Started { at, .. }) => {
                let since = if before.standing == Standing::Missing { *at } else { before.since };
                self.count(region, Stands { standing: Standing::InFlight, since });
            }
            // What would be copied, as a plan has it.
            (_, Verdict::Copy(_), Outcome::Stands) => {}
            (Some(stands), ..) => self.count(region, stands),
            (None, Verdict::Defer(Deferral::RegionUnread(_)), _) => self.unknown(region, source.start_time),
            (None, ..) => {}
        }
    }

    /// How all target Regions stand together.
    #[must_use]
    pub fn total(&self) -> RegionCounts {
        self.regions.values().fold(RegionCounts::default(), |total, region| RegionCounts {
            protected: total.protected + region.protected,
            in_flight: total.in_flight + region.in_flight,
            missing: total.missing + region.missing,
            unknown: total.unknown + region.unknown,
            unprotected_since: match region.unprotected_since {
                Some(since) => earlier(total.unprotected_since, since),
                None => total.unprotected_since,
            },
        })
    }

    fn count(&mut self, region: &Region, Stands { standing, since }: Stands) {
        if matches!(standing, Standing::Failed | Standing::Missing) {
            self.oldest_missing = earlier(self.oldest_missing, since);
        }
        let counts = self.region(region);
        match standing {
            Standing::Protected => return counts.protected += 1,
            Standing::InFlight => counts.in_flight += 1,
            Standing::Failed | Standing::Missing => counts.missing += 1,
        }
        counts.since(since);
    }

    /// Counts an identity of which nothing is known: what is not proven protected is not.
    fn unknown(&mut self, region: &Region, source_start_time: Timestamp) {
        let counts = self.region(region);
        counts.unknown += 1;
        counts.since(source_start_time);
    }

    fn region(&mut self, region: &Region) -> &mut RegionCounts {
        // A Region's code is kept inline: this allocates nothing.
        self.regions.entry(region.clone()).or_default()
    }
}
