//! All decisions about what was read.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;

use super::lineages::{CopiedLineage, kept};
use super::{CopyRequest, Decision, Facts, Outcome, Subject, Tally, Verdict};
use crate::ids::SnapshotId;
use crate::ledger::{Identity, Obligation};

/// The decisions, and the counts of all others.
#[derive(Debug, Default)]
pub struct Plan<'f> {
    /// In no order: the line has its own.
    pub decisions: Vec<Decision<'f>>,
    /// What is counted without a decision. Each of the decisions is added with what became of it.
    pub tally: Tally,
    /// What a sweep owes only if nothing else of its lineage is kept: the newest of each lineage among the sources that are older
    /// than their retention, have no live copy and are not exhausted. Not counted yet: [`settle`](Self::settle) or
    /// [`set_aside`](Self::set_aside) does.
    pub candidates: BTreeMap<CopiedLineage, Decision<'f>>,
}

impl<'f> Plan<'f> {
    /// Decides on the candidates, where all that there is was read.
    pub fn settle(&mut self, facts: &Facts) {
        if self.candidates.is_empty() {
            return;
        }
        let kept = self.kept(facts).filter(|of| self.candidates.contains_key(of));
        let kept: HashSet<CopiedLineage> = kept.collect();
        for (lineage, decision) in std::mem::take(&mut self.candidates) {
            if kept.contains(&lineage) {
                self.tally.over_retention += 1;
            } else {
                self.decisions.push(decision);
            }
        }
    }

    /// The lineages of which something is kept, or is about to be, as far as this was read: also what is wanted now, unless it
    /// was in vain so far. One may come several times.
    pub fn kept(&self, facts: &Facts) -> impl Iterator<Item = CopiedLineage> {
        let wanted = self.decisions.iter().filter_map(|decision| match &decision.verdict {
            Verdict::Copy(request) => Some(request),
            _ => None,
        });
        let is_in_vain =
            |request: &&CopyRequest<'f>| facts.obligations.get(&request.identity()).is_some_and(Obligation::is_in_vain);
        let wanted = wanted.filter(move |request| request.policy_keeps() && !is_in_vain(request));
        kept(facts).chain(wanted.map(CopyRequest::lineage))
    }

    /// Takes the candidates out, counted as older than their retention, where only a part was read.
    pub fn set_aside(&mut self) -> BTreeMap<CopiedLineage, Decision<'f>> {
        self.tally.over_retention += u64::try_from(self.candidates.len()).unwrap_or(u64::MAX);
        std::mem::take(&mut self.candidates)
    }

    /// The identities without a live copy that were decided on: those of which it matters what the ledger holds.
    pub fn open(&self) -> impl Iterator<Item = Identity> {
        let is_open = |decision: &&Decision<'f>| !matches!(decision.verdict, Verdict::Skip(_));
        self.decisions.iter().chain(self.candidates.values()).filter(is_open).filter_map(Decision::identity)
    }

    /// Takes in a decision about a source that is older than its retention.
    pub(super) fn propose(&mut self, request: &CopyRequest<'f>, decision: Decision<'f>) {
        if !request.policy_keeps() {
            self.tally.over_retention += 1;
            return;
        }
        let is_newer = |one: &Decision<'f>, other: &Decision<'f>| started(one) > started(other);
        self.tally.over_retention += u64::from(newest(&mut self.candidates, request.lineage(), decision, is_newer));
    }

    /// The counts while nothing is carried out yet: what is to be copied counts as nothing.
    #[must_use]
    pub fn counted(&self) -> Tally {
        let mut tally = self.tally.clone();
        self.decisions.iter().for_each(|decision| tally.add(decision, &Outcome::Stands));
        tally
    }
}

/// Keeps the newest candidate of a lineage; tells whether one was left for that.
pub fn newest<T>(
    candidates: &mut BTreeMap<CopiedLineage, T>,
    lineage: CopiedLineage,
    candidate: T,
    is_newer: impl Fn(&T, &T) -> bool,
) -> bool {
    match candidates.entry(lineage) {
        Entry::Vacant(first) => {
            first.insert(candidate);
            false
        }
        Entry::Occupied(mut other) => {
            if is_newer(&candidate, other.get()) {
                other.insert(candidate);
            }
            true
        }
    }
}

/// By what the newest is known.
fn started<'f>(decision: &Decision<'f>) -> Option<(Timestamp, &'f SnapshotId)> {
    match decision.subject {
        Subject::Seen(source) => Some((source.start_time, &source.id)),
        Subject::Named(_) | Subject::All => None,
    }
}
