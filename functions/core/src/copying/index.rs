//! A Region's copies, found by their source.

use std::hash::BuildHasher as _;

use foldhash::HashMap;
use foldhash::fast::RandomState;

use crate::facts::{Copies, Copy};
use crate::ids::PolicyName;

/// The end of a chain: there are never that many copies.
const END: usize = usize::MAX;

/// A Region's copies by source snapshot.
///
/// In a sweep over a hundred thousand copies most of the time goes by waiting for memory, so the table holds hashes instead
/// of IDs, which would be another place to wait for, and chains of numbers instead of a list for each source. Sources
/// with the same hash share a chain; each copy in it is compared with what is asked for.
pub(super) struct RegionIndex<'f> {
    pub(super) facts: &'f Copies,
    hasher: RandomState,
    /// The last copy of each source in `facts.copies`, by the source's hash.
    last: HashMap<u64, usize>,
    /// For each copy the one before it with the same hash.
    before: Vec<usize>,
}

impl<'f> RegionIndex<'f> {
    pub(super) fn new(facts: &'f Copies) -> Self {
        let hasher = RandomState::default();
        let mut last = HashMap::with_capacity_and_hasher(facts.copies.len(), RandomState::default());
        let hashes = facts.copies.iter().map(|copy| hasher.hash_one(copy.source.as_str()));
        let before = hashes.enumerate().map(|(at, hash)| last.insert(hash, at).unwrap_or(END)).collect();
        Self { facts, hasher, last, before }
    }

    /// The copies of one identity, the last one first.
    pub(super) fn of(&self, policy: &'f PolicyName, source: &'f str) -> impl Iterator<Item = &'f Copy> {
        let last = self.last.get(&self.hasher.hash_one(source)).copied();
        let chain = std::iter::successors(last, |at| self.before.get(*at).copied().filter(|before| *before != END));
        let is_asked_for = move |copy: &&Copy| copy.source.as_str() == source && copy.origin.policy == *policy;
        chain.filter_map(|at| self.facts.copies.get(at)).filter(is_asked_for)
    }
}
