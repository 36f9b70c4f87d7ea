//! What goes and what stays.

use jiff::Timestamp;

use super::guard::Alarm;
use super::reasons::{Cause, Keep};
use crate::facts::Copy;
use crate::ids::{Region, SnapshotId};

/// A copy that is to be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deletion<'f> {
    /// Its Region.
    pub region: &'f Region,
    /// The copy.
    pub copy: &'f Copy,
    /// Why.
    pub cause: Cause,
    /// Since when it may go.
    pub due: Timestamp,
    /// A copy that stays and makes this one dispensable; none where the policy or the cause asks for none.
    pub survivor: Option<&'f Copy>,
    /// Whether its lock should still hold, going by its tags and today's rule. EC2 is asked all the same, but last.
    pub likely_locked: bool,
}

/// A copy, or all of a Region, that stays although its time is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept<'f> {
    /// The Region.
    pub region: &'f Region,
    /// Why.
    pub keep: Keep<'f>,
}

/// What is to be done.
#[derive(Debug, Default)]
pub struct Plan<'f> {
    /// What may go: what has been due for longest first, what is likely locked last. [`Attempts`](super::Attempts) says how
    /// much of it is tried in a run.
    pub deletions: Vec<Deletion<'f>>,
    /// What stays although its time is over.
    pub kept: Vec<Kept<'f>>,
    /// How many more stay, because nobody named the lineage of their sources: see [`lineage_unknown`](super::lineage_unknown).
    pub lineage_unknown: usize,
    /// How many more stay, because their keys are lost or in doubt and too few newer copies can be restored: see
    /// [`key_in_doubt`](super::key_in_doubt).
    pub key_in_doubt: usize,
    /// Why nothing goes at all: `deletions` is empty then.
    pub alarm: Option<Alarm>,
}

impl<'f> Deletion<'f> {
    pub(super) fn order(&self) -> (bool, Timestamp, &'f Region, &'f SnapshotId) {
        (self.likely_locked, self.due, self.region, &self.copy.id)
    }
}
