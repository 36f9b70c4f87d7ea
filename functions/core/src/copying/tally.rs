//! What a sweep counted.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{CopyRequest, Decision, Deferral, Facts, Outcome, Subject, Verdict};
use crate::facts::{KeyFact, SourceSnapshot};
use crate::ids::{AccountId, KeyArn, PolicyName, Region, SnapshotId};
use crate::policy::{Policy, PolicyState};

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
    pub deferred: BTreeMap<&'static str, u64>,
    /// Refused identities and copies with malformed tags by reason, told now or earlier.
    pub refused: BTreeMap<&'static str, u64>,
    /// Copies that EC2 refused to start.
    pub failed: u64,
    /// When the oldest source without any live copy was started.
    pub oldest_missing: Option<Timestamp>,
    /// How each target Region stands.
    pub regions: BTreeMap<Region, Standing>,
    /// When the newest snapshot that a policy wants was started, for each owner that an enabled policy names.
    pub owners: BTreeMap<AccountId, Option<Timestamp>>,
    /// The configured keys that cannot encrypt a copy, and why.
    pub unusable_keys: BTreeMap<KeyArn, &'static str>,
    /// Identities without a live copy of which an earlier one failed or was rejected.
    tried: BTreeSet<(PolicyName, SnapshotId, Region)>,
}

/// How the identities of a Region, or of all, stand after this run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
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

impl Standing {
    /// Identities that are not proven protected.
    #[must_use]
    pub fn unprotected(&self) -> u64 {
        self.in_flight + self.missing + self.unknown
    }

    fn since(&mut self, since: Timestamp) {
        self.unprotected_since = earlier(self.unprotected_since, since);
    }
}

fn identity(request: &CopyRequest<'_>) -> (PolicyName, SnapshotId, Region) {
    (request.policy.clone(), request.source.id.clone(), request.target.region.clone())
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
            regions: facts.regions.keys().map(|region| (region.clone(), Standing::default())).collect(),
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
    pub(super) fn remember(&mut self, facts: &Facts) {
        if self.owners.values().all(Option::is_some) {
            return;
        }
        let mut copied: BTreeMap<&AccountId, Timestamp> = BTreeMap::new();
        for copy in facts.regions.values().flatten().flat_map(|found| &found.copies).filter(|copy| copy.is_live()) {
            if let Some((account, _)) = &copy.origin {
                let newest = copied.entry(account).or_insert(copy.start_time);
                *newest = (*newest).max(copy.start_time);
            }
        }
        for (owner, newest) in self.owners.iter_mut().filter(|(_, newest)| newest.is_none()) {
            *newest = copied.get(owner).copied();
        }
    }

    /// Counts what became of one decision.
    pub fn add(&mut self, decision: &Decision<'_>, outcome: &Outcome) {
        let deferral = match (&decision.verdict, outcome) {
            (_, Outcome::Started { at, .. }) => {
                self.started += 1;
                if let (Verdict::Copy(request), Some(region)) = (&decision.verdict, decision.region) {
                    let is_first = !self.tried.contains(&identity(request));
                    self.in_flight(region, if is_first { *at } else { request.source.start_time });
                }
                return;
            }
            (_, Outcome::Deferred(deferral)) | (Verdict::Defer(deferral), _) => Some(deferral),
            (_, Outcome::Failed { .. }) => {
                self.failed += 1;
                None
            }
            (Verdict::Refuse(_), _) => None,
            (Verdict::Skip(_) | Verdict::Copy(_), Outcome::Stands) => return,
        };
        // Of a Region that a sweep could not read, each identity was counted where it stood.
        let counted = decision.subject == Subject::All && decision.region.is_some();
        if let Some(deferral) = deferral
            && !counted
        {
            *self.deferred.entry(deferral.reason()).or_default() += 1;
        }
        match (decision.subject, decision.region, deferral) {
            (Subject::Seen(source), Some(region), Some(Deferral::RegionUnread(_))) => {
                self.unknown(region, source.start_time);
            }
            (Subject::Seen(source), Some(region), _) => self.missing(region, source.start_time),
            _ => {}
        }
    }

    /// How all target Regions stand together.
    #[must_use]
    pub fn total(&self) -> Standing {
        self.regions.values().fold(Standing::default(), |total, region| Standing {
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

    /// Counts an identity with a good copy.
    pub(super) fn protected(&mut self, region: &Region) {
        self.standing(region).protected += 1;
    }

    /// Counts an identity whose copy is no proven good one yet, and since when that is so.
    pub(super) fn in_flight(&mut self, region: &Region, since: Timestamp) {
        let standing = self.standing(region);
        standing.in_flight += 1;
        standing.since(since);
    }

    /// Counts an identity without a live copy.
    pub(super) fn missing(&mut self, region: &Region, source_start_time: Timestamp) {
        self.oldest_missing = earlier(self.oldest_missing, source_start_time);
        let standing = self.standing(region);
        standing.missing += 1;
        standing.since(source_start_time);
    }

    /// Counts an identity of which nothing is known: what is not proven protected is not.
    pub(super) fn unknown(&mut self, region: &Region, source_start_time: Timestamp) {
        let standing = self.standing(region);
        standing.unknown += 1;
        standing.since(source_start_time);
    }

    /// Notes that an earlier copy of what is to be copied failed or was rejected.
    pub(super) fn tried_before(&mut self, request: &CopyRequest<'_>) {
        self.tried.insert(identity(request));
    }

    /// Counts a refusal.
    pub(super) fn refused(&mut self, reason: &'static str, count: usize) {
        if count > 0 {
            *self.refused.entry(reason).or_default() += u64::try_from(count).unwrap_or(u64::MAX);
        }
    }

    fn standing(&mut self, region: &Region) -> &mut Standing {
        // A Region's code is kept inline: this allocates nothing.
        self.regions.entry(region.clone()).or_default()
    }
}
