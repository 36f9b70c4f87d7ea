//! What a sweep counted.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::takes::takes;
use super::{Decision, Deferral, Facts, Outcome, Refusal, Stands, Subject, Verdict};
use crate::audit::{CopyDeferred, CopyRefused};
use crate::facts::{Copy, Endangered, KeyFact, SourceSnapshot};
use crate::homes::is_named;
use crate::ids::{AccountId, KeyArn, Region};
use crate::policy::{Policy, PolicyState};
use crate::standing::Standing;

/// Counts over everything that was looked at. One *identity* is (policy, source snapshot, target Region).
///
/// It stands in the ledger while a round goes on. What an earlier version of it lacks counts as nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tally {
    /// Snapshots looked at.
    pub shared: u64,
    /// Snapshots ignored because they were started before `SNAPFERRY_SWEEP_SINCE`.
    pub before_since: u64,
    /// Snapshots that at least one policy wants.
    pub matching: u64,
    /// Identities without a live copy that a sweep leaves, because their source is older than their retention.
    pub over_retention: u64,
    /// Copies started now.
    pub started: u64,
    /// Deferred identities by reason.
    pub deferred: BTreeMap<CopyDeferred, u64>,
    /// Refused identities and copies with malformed tags by reason, told now or earlier.
    pub refused: BTreeMap<CopyRefused, u64>,
    /// Copies that EC2 refused to start.
    pub failed: u64,
    /// Since when the oldest identity without any live copy is so.
    pub oldest_missing: Option<Timestamp>,
    /// How each target Region stands.
    pub regions: BTreeMap<Region, RegionCounts>,
    /// When the newest snapshot that a policy wants was started, for each owner that an enabled policy names, of what it shares
    /// still; see [`last_heard`](Self::last_heard).
    pub owners: BTreeMap<AccountId, Option<Timestamp>>,
    /// When the newest good copy was started, for owners of which nothing shared was seen where the copy was.
    pub copied: BTreeMap<AccountId, Timestamp>,
    /// The owners of which a walk could not read all that they share.
    pub unread: BTreeSet<AccountId>,
    /// The configured keys that cannot encrypt a copy, and why.
    pub unusable_keys: BTreeMap<KeyArn, CopyRefused>,
    /// The keys of each Region that are not alive and that copies are under, with the reason. Each counts once in `refused`.
    pub endangered_keys: BTreeMap<Region, BTreeMap<Box<str>, CopyRefused>>,
}

/// How the identities of a Region, or of all, stand after this run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RegionCounts {
    /// With a completed, verified copy (and locked, where a lock is asked for).
    pub protected: u64,
    /// With a copy under way or not verified yet, those just started included.
    pub in_flight: u64,
    /// Without any live copy.
    pub missing: u64,
    /// Of which nothing is known, because the Region's copies, or what the owner shares, could not be read.
    pub unknown: u64,
    /// Since when the worst of those not proven protected is so: since it is wanted. Where the ledger does not say, what has its
    /// first copy under way counts from that copy's start, all else from the start of its source.
    pub unprotected_since: Option<Timestamp>,
}

impl RegionCounts {
    /// Identities that are not proven protected.
    #[must_use]
    pub fn unprotected(&self) -> u64 {
        self.in_flight.saturating_add(self.missing).saturating_add(self.unknown)
    }

    fn add(&mut self, other: Self) {
        more(&mut self.protected, other.protected);
        more(&mut self.in_flight, other.in_flight);
        more(&mut self.missing, other.missing);
        more(&mut self.unknown, other.unknown);
        other.unprotected_since.into_iter().for_each(|since| self.since(since));
    }

    fn since(&mut self, since: Timestamp) {
        self.unprotected_since = earlier(self.unprotected_since, since);
    }
}

/// What stood in the ledger may be any number.
fn more(count: &mut u64, by: u64) {
    *count = count.saturating_add(by);
}

fn add_each<K: Ord>(counts: &mut BTreeMap<K, u64>, others: BTreeMap<K, u64>) {
    for (key, count) in others {
        more(counts.entry(key).or_default(), count);
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
            policy.state == PolicyState::Enabled && policy.owners.contains(&snapshot.owner) && takes(policy, snapshot)
        };
        if newest.is_none_or(|newest| newest < snapshot.start_time) && policies.iter().any(wants) {
            *newest = Some(snapshot.start_time);
        }
    }

    /// Notes the copies of owners that share nothing any more: the newest was shared when it was copied.
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
        let silent = self.owners.iter().filter(|(_, newest)| newest.is_none());
        self.copied = silent.filter_map(|(owner, _)| Some((owner.clone(), *copied.get(owner)?))).collect();
    }

    /// When each owner that an enabled policy names was last heard of: what it shares still counts before what was copied.
    #[must_use]
    pub fn last_heard(&self) -> BTreeMap<&AccountId, Option<Timestamp>> {
        let last = |owner: &AccountId| self.copied.get(owner).copied();
        self.owners.iter().map(|(owner, newest)| (owner, newest.or_else(|| last(owner)))).collect()
    }

    /// Counts one decision and what became of it.
    pub fn add(&mut self, decision: &Decision<'_>, outcome: &Outcome) {
        let deferral = match (&decision.verdict, outcome) {
            (_, Outcome::Deferred(deferral)) | (Verdict::Defer(deferral), _) => Some(deferral),
            _ => None,
        };
        match (&decision.verdict, outcome) {
            (_, Outcome::Started { .. }) => more(&mut self.started, 1),
            (_, Outcome::Failed { .. }) => more(&mut self.failed, 1),
            (Verdict::Refuse(Refusal::KeyOfCopies(key)), _) => self.endangered(decision.region, key),
            (Verdict::Refuse(refusal), _) => self.refuse(refusal.reason()),
            _ => {}
        }
        // Of a Region that a sweep could not read, each identity was counted where it stood.
        let counted = decision.subject == Subject::All && decision.region.is_some();
        if let Some(deferral) = deferral
            && !counted
        {
            self.deferred(deferral.reason());
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
            (None, Verdict::Defer(Deferral::RegionUnread(_) | Deferral::RegionNotEnabled(_)), _) => {
                self.unknown(region, source.start_time)
            }
            (None, ..) => {}
        }
    }

    /// Counts what became of an identity that a sweep found in line, and counted as such: it is no longer that.
    pub fn served(&mut self, region: &Region, outcome: &Outcome) {
        if let Some(waiting) = self.deferred.get_mut(&CopyDeferred::InLine) {
            *waiting = waiting.saturating_sub(1);
        }
        match outcome {
            Outcome::Started { .. } => {
                more(&mut self.started, 1);
                let counts = self.region(region);
                let counted = if counts.missing > 0 { &mut counts.missing } else { &mut counts.unknown };
                *counted = counted.saturating_sub(1);
                more(&mut counts.in_flight, 1);
            }
            Outcome::Failed { .. } => more(&mut self.failed, 1),
            Outcome::Deferred(deferral) => self.deferred(deferral.reason()),
            Outcome::Stands => {}
        }
        self.deferred.retain(|_, count| *count > 0);
    }

    /// So many that were counted as in line wait for this reason.
    pub fn waits(&mut self, reason: CopyDeferred, count: u64) {
        if let Some(waiting) = self.deferred.get_mut(&CopyDeferred::InLine) {
            *waiting = waiting.saturating_sub(count);
        }
        more(self.deferred.entry(reason).or_default(), count);
        self.deferred.retain(|_, count| *count > 0);
    }

    /// How all target Regions stand together.
    #[must_use]
    pub fn total(&self) -> RegionCounts {
        let mut total = RegionCounts::default();
        self.regions.values().for_each(|region| total.add(*region));
        total
    }

    /// Adds what another part of the same round counted.
    pub fn add_all(&mut self, other: Self) {
        more(&mut self.shared, other.shared);
        more(&mut self.before_since, other.before_since);
        more(&mut self.matching, other.matching);
        more(&mut self.over_retention, other.over_retention);
        more(&mut self.started, other.started);
        more(&mut self.failed, other.failed);
        add_each(&mut self.deferred, other.deferred);
        add_each(&mut self.refused, other.refused);
        if let Some(oldest) = other.oldest_missing {
            self.oldest_missing = earlier(self.oldest_missing, oldest);
        }
        for (region, counts) in other.regions {
            self.region(&region).add(counts);
        }
        for (owner, newest) in other.owners {
            let known = self.owners.entry(owner).or_default();
            *known = newest.max(*known);
        }
        for (owner, newest) in other.copied {
            let known = self.copied.entry(owner).or_insert(newest);
            *known = newest.max(*known);
        }
        self.unread.extend(other.unread);
        self.unusable_keys.extend(other.unusable_keys);
        for (region, keys) in other.endangered_keys {
            for (key, reason) in keys {
                if self.endangered_keys.entry(region.clone()).or_default().insert(key, reason).is_some() {
                    // Another part counted it already.
                    self.refused.entry(reason).and_modify(|count| *count = count.saturating_sub(1));
                }
            }
        }
    }

    fn refuse(&mut self, reason: CopyRefused) {
        more(self.refused.entry(reason).or_default(), 1);
    }

    fn endangered(&mut self, region: Option<&Region>, key: &Endangered<'_>) {
        let reason = Refusal::KeyOfCopies(*key).reason();
        let Some(region) = region else { return self.refuse(reason) };
        if self.endangered_keys.entry(region.clone()).or_default().insert(key.key.into(), reason).is_none() {
            self.refuse(reason);
        }
    }

    pub(super) fn count(&mut self, region: &Region, Stands { standing, since }: Stands) {
        if matches!(standing, Standing::Failed | Standing::Missing) {
            self.oldest_missing = earlier(self.oldest_missing, since);
        }
        let counts = self.region(region);
        match standing {
            Standing::Protected => return more(&mut counts.protected, 1),
            Standing::InFlight => more(&mut counts.in_flight, 1),
            Standing::Failed | Standing::Missing => more(&mut counts.missing, 1),
        }
        counts.since(since);
    }

    /// Counts an identity of which nothing is known: what is not proven protected is not.
    pub(super) fn unknown(&mut self, region: &Region, since: Timestamp) {
        let counts = self.region(region);
        more(&mut counts.unknown, 1);
        counts.since(since);
    }

    /// Counts one that waits for this reason.
    pub(super) fn deferred(&mut self, reason: CopyDeferred) {
        more(self.deferred.entry(reason).or_default(), 1);
    }

    fn region(&mut self, region: &Region) -> &mut RegionCounts {
        // A Region's code is kept inline: this allocates nothing.
        self.regions.entry(region.clone()).or_default()
    }
}
