//! An event whose snapshot EC2 does not show yet.

use jiff::{SignedDuration, Timestamp};

use crate::ids::SnapshotId;

/// How long it is looked for at each tick.
const CLOSELY: SignedDuration = SignedDuration::from_hours(1);
/// Then only so often.
const SELDOM: SignedDuration = SignedDuration::from_mins(15);
/// After that long a look that does not show the snapshot is the last one.
const OVER: SignedDuration = SignedDuration::from_hours(24);
/// After that long it is forgotten without a look: more hints came than could be looked for, or the home Region answered none.
const FORGOTTEN: SignedDuration = SignedDuration::from_hours(48);

/// One hint: an item of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// The snapshot that the event names.
    pub source: SnapshotId,
    /// The event's ID.
    pub event: String,
    /// The event's time.
    pub wanted: Timestamp,
    /// When the event came, or since when a snapshot is followed on that EC2 still showed as not completed after a day.
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
    /// To tell that it never became visible, and to forget it. Where that cannot be written it is tried again as seldom as a look.
    Forget,
}

impl Hint {
    /// What is to be done at `now`. Times in the future count as now.
    #[must_use]
    pub fn follow(&self, now: Timestamp) -> Follow {
        let age = self.age(now);
        let looked = now.duration_since(self.looked.min(now));
        let is_due = age < CLOSELY || looked >= SELDOM || self.looked > now;
        match is_due {
            false => Follow::Wait,
            true if age >= FORGOTTEN => Follow::Forget,
            true => Follow::Look,
        }
    }

    /// Whether a look at `now` that does not show the snapshot is the last one.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.age(now) >= OVER
    }

    fn age(&self, now: Timestamp) -> SignedDuration {
        now.duration_since(self.since.min(now))
    }

    /// EC2 shows the snapshot still, as not completed: it is looked for for another day.
    #[must_use]
    pub fn followed_on(&self, now: Timestamp) -> Self {
        Self { since: now, ..self.looked(now) }
    }

    /// It was looked for in vain.
    #[must_use]
    pub fn looked(&self, now: Timestamp) -> Self {
        Self { since: self.since.min(now), looked: now, revision: self.revision.saturating_add(1), ..self.clone() }
    }
}
