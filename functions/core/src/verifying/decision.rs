//! What a copy turned out to be, and what follows for its tags and its lock.

use jiff::Timestamp;

use super::causes::Cause;
use super::checks::{Difference, Warning};
use super::locks::Locking;
use crate::facts::{CallError, DescribedCopy, KeyFact};
use crate::ids::{Region, SnapshotId};
use crate::tags::Status;

/// One decision with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision<'f> {
    /// The Region.
    pub region: &'f Region,
    /// The copy, or all of the Region.
    pub copy: Option<&'f DescribedCopy>,
    /// What is to be done.
    pub verdict: Verdict<'f>,
    /// Since when the copy is wanted, where the ledger says so.
    pub wanted: Option<Timestamp>,
}

/// What a copy turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict<'f> {
    /// It is what the policy asked for, and is locked if the rule says so.
    Verify {
        /// What deserves a look.
        warnings: Vec<Warning<'f>>,
        /// Its lock.
        lock: Locking,
    },
    /// It is completed, but not what was asked for: all differences, the gravest first.
    Reject {
        /// In what it differs; at least one.
        differences: Vec<Difference>,
        /// What deserves a look.
        warnings: Vec<Warning<'f>>,
    },
    /// EC2 or RDS gave up on it.
    Fail(Cause),
    /// It has been pending for more than a day.
    Stall,
    /// It was verified earlier and waits for its lock.
    Lock(Locking),
    /// It may be what was asked for, but its key is gone or about to be deleted: it gets neither a verdict nor a lock.
    KeyDoomed(&'f KeyFact),
    /// It may be what was asked for, but the ledger names another copy of its identity: only that one gets a verdict.
    AnotherNamed(&'f SnapshotId),
    /// The Region's copies could not be read.
    Unread(&'f CallError),
}

impl Decision<'_> {
    /// The status that the copy gets. None for a copy whose policy tag cannot be read: what is not certainly
    /// Snapferry's own is not written to.
    #[must_use]
    pub fn settlement(&self) -> Option<Status> {
        self.copy.and_then(|copy| copy.tags.policy.as_ref())?;
        match self.verdict {
            Verdict::Verify { .. } => Some(Status::Verified),
            Verdict::Reject { .. } => Some(Status::Rejected),
            Verdict::Fail(_) => Some(Status::Failed),
            Verdict::Stall
            | Verdict::Lock(_)
            | Verdict::KeyDoomed(_)
            | Verdict::AnotherNamed(_)
            | Verdict::Unread(_) => None,
        }
    }

    /// The lock that the copy gets, once it is verified.
    #[must_use]
    pub fn lock(&self) -> Locking {
        match self.verdict {
            Verdict::Verify { lock, .. } | Verdict::Lock(lock) => lock,
            _ => Locking::None,
        }
    }
}
