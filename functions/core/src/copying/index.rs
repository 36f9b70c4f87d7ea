//! A Region's copies, found by their source.

use foldhash::HashMap;
use foldhash::fast::RandomState;

use crate::facts::{ExistingCopy, RegionCopies};
use crate::ids::PolicyName;

/// A Region's copies by source snapshot. A chain of numbers instead of a list for each source: in a sweep over a hundred
/// thousand copies the lists alone took longer than all the decisions.
pub(super) struct RegionIndex<'f> {
    pub(super) facts: &'f RegionCopies,
    /// The last copy of each source in `facts.copies`.
    last: HashMap<&'f str, usize>,
    /// For each copy the one before it of the same source.
    before: Vec<Option<usize>>,
}

impl<'f> RegionIndex<'f> {
    pub(super) fn new(facts: &'f RegionCopies) -> Self {
        let mut last = HashMap::with_capacity_and_hasher(facts.copies.len(), RandomState::default());
        let before = facts.copies.iter().enumerate().map(|(at, copy)| last.insert(copy.source.as_str(), at)).collect();
        Self { facts, last, before }
    }

    /// The copies of one identity, the last one first.
    pub(super) fn of(&self, policy: &'f PolicyName, source: &str) -> impl Iterator<Item = &'f ExistingCopy> {
        let chain = std::iter::successors(self.last.get(source).copied(), |at| self.before.get(*at).copied().flatten());
        chain.filter_map(|at| self.facts.copies.get(at)).filter(move |copy| copy.policy == *policy)
    }
}
