//! What a run of the verifier, of the prover or of the expirer leaves in the audit at its end.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use super::reason::{CopyDeferred, CopyKept, CopyProved, CopyRefused, Reason};
use crate::ids::Region;

/// How often a run gave each reason, whether a record of it was printed or was within the last day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told(BTreeMap<Reason, u64>);

impl Told {
    /// Counts what a run says of `copies` copies.
    pub fn add(&mut self, reason: impl Into<Reason>, copies: u64) {
        *self.0.entry(reason.into()).or_default() += copies;
    }

    /// How many copies were counted under one reason.
    #[must_use]
    pub fn count(&self, reason: impl Into<Reason>) -> u64 {
        self.0.get(&reason.into()).copied().unwrap_or_default()
    }

    pub(crate) fn sum(&self, wanted: impl Fn(Reason) -> bool) -> u64 {
        self.0.iter().filter(|(reason, _)| wanted(**reason)).map(|(_, count)| count).sum()
    }

    pub(crate) fn by<K: Ord>(&self, key: impl Fn(Reason) -> Option<K>) -> BTreeMap<K, u64> {
        self.0.iter().filter_map(|(reason, count)| Some((key(*reason)?, *count))).collect()
    }
}

/// What a run read, and what it took.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ran {
    /// Copies that were read.
    pub copies: u64,
    /// The Regions whose copies could not be read, or not all of them.
    pub unread: BTreeSet<Region>,
    /// Keys that are gone or about to be deleted, and under which copies wait for a verdict or a lock.
    pub doomed_keys: BTreeSet<String>,
    /// Keys that copies which were read are under, and that are not alive.
    pub endangered_keys: BTreeSet<String>,
    /// Volumes that dropped out of their accounts' backups; nothing where that cannot be told.
    pub dropped_volumes: Option<u64>,
    /// Copies whose proof is over: it stands in their tags.
    pub settled: u64,
    /// Copies whose proof goes on in the next run.
    pub under_way: u64,
    /// Blocks of copies that were read.
    pub blocks: u64,
    /// How long the run took, in milliseconds.
    pub duration_ms: u64,
    /// Calls made to EC2, retries not counted.
    pub calls: u64,
}

impl Ran {
    /// Notes how many copies were read in a Region; none where it could not be read.
    pub fn saw(&mut self, region: &Region, copies: Option<usize>) {
        match copies {
            Some(copies) => self.copies += u64::try_from(copies).unwrap_or(u64::MAX),
            None => _ = self.unread.insert(region.clone()),
        }
    }

    pub(crate) fn unread(&self) -> Vec<String> {
        self.unread.iter().map(ToString::to_string).collect()
    }
}

/// What a run of verify-copies did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verification {
    /// Copies read because they had no verdict of their own or waited for a lock.
    pub copies: u64,
    /// Copies found to be what was asked for.
    pub verified: u64,
    /// Copies found not to be what was asked for.
    pub rejected: u64,
    /// Copies that EC2 gave up on.
    pub failed: u64,
    /// Copies that have been pending for more than a day.
    pub stalled: u64,
    /// Copies locked, or found locked already.
    pub locked: u64,
    /// Copies whose source's volume is known from now on.
    pub named: u64,
    /// Copies that stay unlocked although they wait for a lock.
    pub locks_failed: u64,
    /// What is left to the next run, by reason; of a Region that could not be read one.
    pub deferred: BTreeMap<CopyDeferred, u64>,
    /// The Regions whose copies could not be read, or not all of them.
    pub unread_regions: Vec<String>,
    /// Keys that are gone or about to be deleted, and under which copies wait for a verdict or a lock in vain.
    pub doomed_keys: BTreeSet<String>,
    /// How long the run took, in milliseconds.
    pub duration_ms: u64,
    /// Calls made to EC2, retries not counted.
    pub calls: u64,
}

/// What a run of prove-copies did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Proofs {
    /// Copies found of which nothing was proven, and of which a policy wants it.
    pub copies: u64,
    /// Copies whose proof ended, by what it proved.
    pub proved: BTreeMap<CopyProved, u64>,
    /// Copies found to have other bytes than their sources.
    pub rejected: u64,
    /// Copies of which blocks could not be read.
    pub unread: u64,
    /// Copies whose proof goes on in the next run.
    pub under_way: u64,
    /// Copies that are still to be proven, those before included.
    pub waiting: u64,
    /// What is left to the next run, by reason; of a Region that could not be read one.
    pub deferred: BTreeMap<CopyDeferred, u64>,
    /// The Regions whose copies could not be read.
    pub unread_regions: Vec<String>,
    /// Blocks of copies that were read.
    pub blocks: u64,
    /// How long the run took, in milliseconds.
    pub duration_ms: u64,
    /// Calls made to EC2, retries not counted.
    pub calls: u64,
}

/// What a run of delete-expired-copies did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Expiry {
    /// Copies read.
    pub copies: u64,
    /// Copies that EC2 deleted.
    pub deleted: u64,
    /// Copies that were gone already when they were to be deleted.
    pub gone: u64,
    /// Copies that stay although their time is over, by reason; of a Region that could not be read one.
    pub kept: BTreeMap<CopyKept, u64>,
    /// Copies that would have been deleted, had the guard not refused the whole run, by its reason.
    pub refused: BTreeMap<CopyRefused, u64>,
    /// The Regions whose copies could not be read.
    pub unread_regions: Vec<String>,
    /// Keys that copies are under and that are gone, about to be deleted, disabled, or not described.
    pub endangered_keys: BTreeSet<String>,
    /// Volumes that dropped out of their accounts' backups; absent where a Region could not be read, which may hold newer copies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dropped_volumes: Option<u64>,
    /// How long the run took, in milliseconds.
    pub duration_ms: u64,
    /// Calls made to EC2, retries not counted.
    pub calls: u64,
}

/// A volume that dropped out of its account's backups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Volume {
    /// The source account.
    pub account: String,
    /// The volume.
    pub volume: String,
    /// When the source of its newest good copy was started.
    pub newest: Timestamp,
    /// How long ago that was, in seconds.
    pub seconds_since_newest: i64,
    /// The interval in which its copies came, in seconds.
    pub usual_seconds: i64,
}

impl Verification {
    /// Whether every copy that waited was looked at, and there was time for all that was decided.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.unread_regions.is_empty() && !self.deferred.contains_key(&CopyDeferred::OutOfTime)
    }
}

impl Proofs {
    /// Whether every Region was read, and of the copies whose turn came one at least. That some have no turn is no fault: a run
    /// reads for as long as it may.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let is_in_vain = self.unread > 0 && self.waiting == self.copies && self.under_way == 0;
        self.unread_regions.is_empty() && !is_in_vain
    }
}

impl Expiry {
    /// Whether every copy was looked at, and no deletion was left for lack of time or answers.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let left = [CopyKept::OutOfTime, CopyKept::RegionClosed];
        self.unread_regions.is_empty() && !left.iter().any(|reason| self.kept.contains_key(reason))
    }

    /// Copies whose turn comes in a later run.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        let later = [CopyKept::OutOfTime, CopyKept::RegionClosed, CopyKept::RunLimit];
        later.iter().filter_map(|reason| self.kept.get(reason)).sum()
    }
}
