//! What no copy is wanted of: sources that are older than their retention, but for the newest of a lineage of which nothing is kept.
//! The rules are the sweep's own; see [`Plan`](crate::copying::Plan).

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;

use super::row::Row;
use crate::copying::{CopiedLineage, CopyRequest, Verdict, judge, newest};
use crate::facts::{Copy, KeyFact, SourceSnapshot};
use crate::ids::{KeyArn, Region};
use crate::ledger::{Entry, Extract};
use crate::policy::{Policy, Target};

/// Nothing is asked of keys here: one that cannot encrypt changes nothing about what is wanted.
static NO_KEYS: BTreeMap<KeyArn, KeyFact> = BTreeMap::new();

/// What may be left.
pub(super) struct Left<'f> {
    now: Timestamp,
    home: &'f Region,
    ledger: Option<&'f Extract>,
    /// The lineages of which something is kept, or is about to be.
    kept: HashSet<CopiedLineage>,
    candidates: BTreeMap<CopiedLineage, Row<'f>>,
    count: usize,
}

impl<'f> Left<'f> {
    /// `live` are the lineages of which there is a live copy.
    pub(super) fn new(
        now: Timestamp,
        home: &'f Region,
        ledger: Option<&'f Extract>,
        live: impl Iterator<Item = CopiedLineage>,
    ) -> Self {
        let owed = ledger.into_iter().flat_map(Extract::owed);
        let owed = owed.filter(|(_, _, owed)| !owed.is_missed() && !owed.is_in_vain());
        let owed = owed.map(|(policy, region, owed)| CopiedLineage {
            policy: policy.clone(),
            region: region.clone(),
            account: owed.account.clone(),
            lineage: owed.lineage.clone(),
        });
        Self { now, home, ledger, kept: live.chain(owed).collect(), candidates: BTreeMap::new(), count: 0 }
    }

    /// Gives the row back, unless it may be left.
    pub(super) fn wanted(
        &mut self,
        policy: &'f Policy,
        target: &'f Target,
        source: &'f SourceSnapshot,
        copies: &[&'f Copy],
        row: Row<'f>,
    ) -> Option<Row<'f>> {
        if !row.standing.is_finding() {
            return Some(row);
        }
        let (name, filter) = (&policy.name, &policy.description);
        let request = CopyRequest { policy: name, filter, source, home: self.home, target };
        let (verdict, _) = judge(request, copies.iter().copied(), None, &NO_KEYS, self.now);
        let entry = self.ledger.and_then(|ledger| ledger.of(name, &target.region, source.id.as_str()));
        let is_owed = matches!(entry, Some(Entry::Owed(owed)) if !owed.is_missed());
        if is_owed || !verdict.is_of_no_copy() || !request.is_over_retention(self.now) {
            if request.policy_keeps() && !is_owed && !matches!(verdict, Verdict::Refuse(_)) {
                self.kept.insert(request.lineage());
            }
            return Some(row);
        }
        let is_newer = |one: &Row<'f>, other: &Row<'f>| started(one) > started(other);
        let is_left = !request.policy_keeps() || newest(&mut self.candidates, request.lineage(), row, is_newer);
        self.count += usize::from(is_left);
        None
    }

    /// Adds the rows of those that are wanted all the same, and tells how many are not.
    pub(super) fn settle(self, rows: &mut Vec<Row<'f>>) -> usize {
        let Self { kept, candidates, mut count, .. } = self;
        for (lineage, row) in candidates {
            if kept.contains(&lineage) {
                count += 1;
            } else {
                rows.push(row);
            }
        }
        count
    }
}

fn started<'f>(row: &Row<'f>) -> Option<(Timestamp, &'f str)> {
    row.source.map(|source| (source.start_time, source.id.as_str()))
}
