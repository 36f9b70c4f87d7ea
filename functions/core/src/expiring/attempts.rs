//! Whose turn it is: which deletions a run tries, and when it has tried enough. No role may write down what EC2 refused,
//! so each run finds that out anew, and must not spend itself on it.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;

use super::{Deletion, Outcome, Rest};
use crate::ids::Region;

/// So many attempts of a run may delete nothing: EC2 refuses what is locked, in use or forbidden, hour after hour.
pub const FRUITLESS: usize = 200;

/// The deletions of one run, tried in the plan's order. After half of [`FRUITLESS`] the others go on from a place that moves
/// with the hour and the day, so that however many are refused, each has its turn within days, and those that EC2 takes are deleted.
#[derive(Debug)]
pub struct Attempts<'p, 'f> {
    waiting: VecDeque<&'p Deletion<'f>>,
    deletions: usize,
    fruitless: usize,
    /// The hour since 1970, which says where the second half goes on, and whether it did.
    hour: usize,
    has_moved: bool,
    /// The Regions that are left alone for the rest of the run, and how many were passed over in each.
    closed: BTreeMap<&'f Region, usize>,
}

impl<'p, 'f> Attempts<'p, 'f> {
    /// A run that deletes `max_deletes` copies at most.
    #[must_use]
    pub fn new(deletions: &'p [Deletion<'f>], max_deletes: usize, now: Timestamp) -> Self {
        Self {
            waiting: deletions.iter().collect(),
            deletions: max_deletes,
            fruitless: FRUITLESS,
            hour: usize::try_from(now.as_second() / 3600).unwrap_or_default(),
            has_moved: false,
            closed: BTreeMap::new(),
        }
    }

    /// Those to be tried now, at the same time; none when the run has deleted or tried as many as it may, or nothing is left.
    pub fn next(&mut self, at_once: usize) -> Vec<&'p Deletion<'f>> {
        if !self.has_moved && self.fruitless <= FRUITLESS / 2 {
            self.move_on();
        }
        let in_vain = if self.has_moved { self.fruitless } else { self.fruitless.saturating_sub(FRUITLESS / 2) };
        let mut batch = Vec::new();
        while batch.len() < at_once.min(self.deletions).min(in_vain) {
            let Some(deletion) = self.waiting.pop_front() else { break };
            match self.closed.get_mut(deletion.region) {
                Some(passed) => *passed += 1,
                None => batch.push(deletion),
            }
        }
        batch
    }

    /// Takes down what became of one. What may have been deleted counts as deleted.
    pub fn done(&mut self, deletion: &Deletion<'f>, outcome: &Outcome) {
        let left = if outcome.is_harmless() { &mut self.fruitless } else { &mut self.deletions };
        *left = left.saturating_sub(1);
        if outcome.closes_region() {
            self.closed.entry(deletion.region).or_default();
        }
    }

    /// How many were not even tried, and why: those of closed Regions with their Region, all others for `stopped`.
    #[must_use]
    pub fn rest(self, stopped: Rest) -> Vec<(Rest, Option<&'f Region>, usize)> {
        let closed = self.closed.into_iter().map(|(region, passed)| (Rest::RegionClosed, Some(region), passed));
        closed.chain([(stopped, None, self.waiting.len())]).filter(|(_, _, count)| *count > 0).collect()
    }

    /// Moves the front of those that are likely locked, and of those that are not, to the window whose turn it is. A window
    /// is as many as a run may still try in vain. The hours of a day spread over all windows, and each day begins one further
    /// on, so that a run in each hour has had them all as soon as can be, and so has one a day.
    fn move_on(&mut self) {
        self.has_moved = true;
        let waiting = self.waiting.make_contiguous();
        let (free, locked) = waiting.split_at_mut(waiting.partition_point(|deletion| !deletion.likely_locked));
        for part in [free, locked] {
            let windows = part.len().div_ceil(FRUITLESS / 2);
            let (day, hour) = (self.hour / 24, self.hour % 24);
            if let Some(window) = (day + hour * windows.div_ceil(24)).checked_rem(windows) {
                part.rotate_left(window * (FRUITLESS / 2));
            }
        }
    }
}
