//! Points that were likely taken together: CreateSnapshots takes an instance's volumes at one moment, and leaves nothing on the
//! snapshots that says so.

use jiff::{SignedDuration, Timestamp};

use super::point::Point;
use crate::ids::{AccountId, Region};

/// How far the starts of one set are apart at most.
pub const TOGETHER: SignedDuration = SignedDuration::from_secs(5);

/// Points of one account in one Region whose sources were started within [`TOGETHER`]. Inferred: nothing says that they belong
/// together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set<'f> {
    /// The source account.
    pub account: &'f AccountId,
    /// Where the points are.
    pub region: &'f Region,
    /// When the first of them was started.
    pub started: Timestamp,
    /// How many volumes it has: two or more.
    pub volumes: usize,
}

/// Finds the sets, and notes in each point which is its.
pub(super) fn find<'f>(points: &mut [Point<'f>]) -> Vec<Set<'f>> {
    let mut order: Vec<&mut Point<'f>> = points.iter_mut().collect();
    order.sort_by_key(|point| (point.account, point.region, point.started));
    let mut sets: Vec<Set<'f>> = Vec::new();
    let mut rest = order.as_mut_slice();
    while let Some(first) = rest.first() {
        let (account, region, started) = (first.account, first.region, first.started);
        let is_with = |point: &&mut Point<'f>| {
            (point.account, point.region) == (account, region) && point.started.duration_since(started) <= TOGETHER
        };
        let volumes = rest.partition_point(is_with).max(1);
        let (together, others) = rest.split_at_mut(volumes);
        if volumes > 1 {
            together.iter_mut().for_each(|point| point.set = Some(sets.len()));
            sets.push(Set { account, region, started, volumes });
        }
        rest = others;
    }
    sets
}
