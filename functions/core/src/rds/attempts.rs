//! Which copy of its identity is asked for next.

use std::collections::{BTreeMap, BTreeSet};

use super::name::CopyName;
use crate::facts::Copies;
use crate::ids::{Region, SnapshotId};
use crate::ledger::{Identity, Obligation};

/// So much of what the ledger counts as failed, or a tag says, is believed: whoever edits it to the largest number must not leave the
/// copies that fail then without a next name. At five copies a day nothing true comes near it.
const MOST_COUNTED: u32 = 100_000;

/// Of each identity the highest attempt that came to nothing, as far as RDS shows it or the ledger counts it.
#[derive(Debug, Default)]
pub struct Attempts {
    highest: BTreeMap<Identity, u32>,
    /// The names that such copies have.
    dead: BTreeSet<SnapshotId>,
}

/// So many names are looked at behind the highest attempt.
pub(super) const NAMES: u32 = 100;

impl Attempts {
    /// Notes those of a Region's copies that failed, were rejected or are under a lost key. `attempt_of` tells which attempt each copy
    /// is; one whose tag does not say it is none.
    pub fn note(&mut self, region: &Region, copies: &Copies, attempt_of: &BTreeMap<SnapshotId, u32>) {
        for copy in copies.copies.iter().filter(|copy| !copy.is_live()) {
            let policy = copy.origin.policy.clone();
            let identity = Identity { policy, source: copy.source.clone(), region: region.clone() };
            self.dead.insert(copy.id.clone());
            let highest = self.highest.entry(identity).or_default();
            *highest = (*highest).max(attempt_of.get(&copy.id).copied().unwrap_or_default().min(MOST_COUNTED));
        }
    }

    /// Notes one that came to nothing by its name alone: whoever edits its tags cannot take its name from it.
    pub fn note_dead(&mut self, name: &CopyName) {
        self.dead.insert(name.id());
    }

    /// Notes what an intent counts as failed: when its bad copies are deleted and the one behind them is not shown yet, nothing else
    /// tells which name that one has.
    pub fn note_intent(&mut self, intent: &Obligation) {
        let highest = self.highest.entry(intent.identity.clone()).or_default();
        *highest = (*highest).max(intent.failed.min(MOST_COUNTED));
    }

    /// The one behind all that came to nothing. By the highest and not by their number, because the earlier ones may have been deleted:
    /// a name that a bad copy has would find that one. `name` is what an attempt's copy is called: one whose tags were edited still has
    /// its name. One that RDS does not show holds its name all the same, and is found by it.
    #[must_use]
    pub fn next(&self, identity: &Identity, name: impl Fn(u32) -> CopyName) -> u32 {
        let first = self.highest.get(identity).copied().unwrap_or_default().saturating_add(1);
        let mut each = first..=first.saturating_add(NAMES);
        each.find(|attempt| !self.dead.contains(&name(*attempt).id())).unwrap_or(first)
    }
}
