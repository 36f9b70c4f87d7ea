//! An event whose snapshot EC2 does not show yet.

use jiff::{SignedDuration, Timestamp};

use crate::ids::SnapshotId;

/// How long it is looked for at each tick.
const CLOSELY: SignedDuration = SignedDuration::from_hours(1);
/// Then only so often.
const SELDOM: SignedDuration = SignedDuration::from_mins(15);
/// After that long it is told that the snapshot is not visible, and forgotten.
const FORGOTTEN: SignedDuration = SignedDuration::from_hours(24);

/// One hint: an item of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// The snapshot that the event names.
    pub source: SnapshotId,
    /// The event's ID.
    pub event: String,
    /// The event's time.
    pub wanted: Timestamp,
    /// When the event came.
    pub since: Timestamp,
    /// When it was last looked for.
    pub looked: Timestamp,
    /// Grows by one with each write.
    pub revision: u64,
}

/// What is to be done about a hint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follow {
    /// Nothing now.
    Wait,
    /// To look for the snapshot.
    Look,
    /// To tell that it never became visible, and to forget it.
    Forget,
}

impl Hint {
    /// What is to be done at `now`. Times in the future count as now.
    #[must_use]
    pub fn follow(&self, now: Timestamp) -> Follow {
        let age = now.duration_since(self.since.min(now));
        let looked = now.duration_since(self.looked.min(now));
        match () {
            () if age >= FORGOTTEN => Follow::Forget,
            () if age < CLOSELY || looked >= SELDOM || self.looked > now => Follow::Look,
            () => Follow::Wait,
        }
    }

    /// It was looked for in vain.
    #[must_use]
    pub fn looked(&self, now: Timestamp) -> Self {
        Self { since: self.since.min(now), looked: now, revision: self.revision.saturating_add(1), ..self.clone() }
    }
}
