//! Why a snapshot was copied or not, and what an operator does about it.

use std::fmt;

use jiff::Timestamp;

use super::Obstacle;
use crate::audit::{CopyRefused, CopySkipped};
use crate::event::of_other_region;
use crate::facts::{CallError, Copy, Endangered, KeyLife, KeyProblem, TamperedCopy};
use crate::ids::{KeyArn, Region, SnapshotId};

/// Failed attempts within 24 hours after which an identity is left alone until the first of them is a day old.
pub const MAX_ATTEMPTS: usize = 5;

/// Nothing to do, and nothing wrong with that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Skip<'f> {
    /// The snapshot's owner is not in the policy's SnapshotOwner.
    OwnerNotListed,
    /// The description does not match the policy's DescriptionRegex.
    DescriptionMismatch,
    /// A database's snapshot that the policy's SourceTypes or DatabaseFilter leave out, or whose engine nobody has tried to copy.
    LeftOut,
    /// There is a live copy.
    AlreadyCopied(&'f SnapshotId),
    /// There are several live copies of one identity: it cannot come from Snapferry's own single writer.
    Duplicate(Vec<&'f Copy>),
    /// Its copy was verified a moment ago, and EC2 does not show it now.
    JustProtected {
        /// When it was verified.
        at: Timestamp,
        /// The copy, where the ledger names it.
        copy: Option<&'f SnapshotId>,
    },
    /// The event is of another Region than the stack's home.
    OtherRegion {
        /// The Region that the event names.
        of: &'f Region,
        /// The stack's home.
        home: &'f Region,
    },
    /// EC2 does not show the snapshot to this account.
    NotVisible,
    /// The snapshot is not completed (yet).
    NotCompleted,
    /// This account owns the snapshot.
    OwnSnapshot,
    /// The policy's State is DISABLED.
    PolicyDisabled,
}

/// Snapferry will not copy, and somebody has to do something about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal<'f> {
    /// The configured key cannot encrypt a copy.
    Key(&'f KeyArn, &'f KeyProblem),
    /// The snapshot cannot be copied there as the policy wants it.
    Source(&'f SnapshotId, Obstacle),
    /// Too many copies of this identity failed within a day.
    AttemptsExhausted {
        /// How many.
        failed: usize,
        /// The copy that failed last.
        last: &'f SnapshotId,
        /// When the next attempt is allowed.
        next: Timestamp,
    },
    /// A copy's tags were edited or removed.
    MalformedTags(&'f TamperedCopy),
    /// Copies are under a key that is doomed or in doubt.
    KeyOfCopies(Endangered<'f>),
}

impl Skip<'_> {
    /// The audit record's reason.
    #[must_use]
    pub fn reason(&self) -> CopySkipped {
        match self {
            Self::OwnerNotListed => CopySkipped::OwnerNotListed,
            Self::DescriptionMismatch | Self::LeftOut => CopySkipped::DescriptionMismatch,
            Self::AlreadyCopied(_) | Self::JustProtected { .. } => CopySkipped::AlreadyCopied,
            Self::OtherRegion { .. } => CopySkipped::OtherRegion,
            Self::Duplicate(_) => CopySkipped::Duplicate,
            Self::NotVisible => CopySkipped::NotVisible,
            Self::NotCompleted => CopySkipped::NotCompleted,
            Self::OwnSnapshot => CopySkipped::OwnSnapshot,
            Self::PolicyDisabled => CopySkipped::PolicyDisabled,
        }
    }
}

impl fmt::Display for Skip<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OwnerNotListed => f.write_str("The snapshot's owner is not listed in the policy's SnapshotOwner."),
            Self::DescriptionMismatch => {
                f.write_str("The whole description does not match the policy's DescriptionRegex.")
            }
            Self::LeftOut => {
                f.write_str("The policy's SourceTypes or DatabaseFilter leave it out, or its engine is Neptune's or DocumentDB's.")
            }
            Self::AlreadyCopied(copy) => write!(f, "{copy} is a live copy of it."),
            Self::Duplicate(copies) => {
                let ids: Vec<&str> = copies.iter().map(|copy| copy.id.as_str()).collect();
                write!(
                    f,
                    "{} live copies of one snapshot: {}. Something other than this stack made copies with its tags, or the \
                     deletion of a key was cancelled after its copies had been made again; find out what, and delete the \
                     surplus by hand. Snapferry deletes none of them before they expire.",
                    ids.len(),
                    ids.join(", ")
                )
            }
            Self::JustProtected { at, .. } => {
                write!(f, "Its copy was verified at {at}. EC2 does not show it at this moment, so nothing is asked for.")
            }
            Self::OtherRegion { of, home } => f.write_str(&of_other_region(of, home)),
            Self::NotVisible => f.write_str(
                "EC2 does not show the snapshot to this account: not shared yet, or no longer. The next sweep copies it \
                 if it appears.",
            ),
            Self::NotCompleted => f.write_str("The snapshot is not completed. It is copied once it is."),
            Self::OwnSnapshot => f.write_str("This account owns the snapshot itself."),
            Self::PolicyDisabled => f.write_str("The policy's State is DISABLED: it copies nothing."),
        }
    }
}

impl KeyProblem {
    /// The audit record's reason.
    #[must_use]
    pub fn reason(&self) -> CopyRefused {
        match self {
            Self::Disabled => CopyRefused::KeyDisabled,
            Self::PendingDeletion => CopyRefused::KeyPendingDeletion,
            Self::NotReady(_) => CopyRefused::KeyNotReady,
            Self::NotFound(_) => CopyRefused::KeyNotFound,
            Self::AccessDenied(_) => CopyRefused::KeyAccessDenied,
            Self::AwsManaged => CopyRefused::KeyAwsManaged,
            Self::NotSymmetric(_) => CopyRefused::KeyNotSymmetric,
            Self::OtherKey(_) => CopyRefused::KeyNotTheConfiguredOne,
        }
    }
}

impl Refusal<'_> {
    /// The audit record's reason.
    #[must_use]
    pub fn reason(&self) -> CopyRefused {
        match self {
            Self::Key(_, problem) => problem.reason(),
            Self::Source(_, obstacle) => obstacle.reason(),
            Self::AttemptsExhausted { .. } => CopyRefused::AttemptsExhausted,
            Self::MalformedTags(_) => CopyRefused::MalformedTags,
            Self::KeyOfCopies(endangered) => match endangered.fact.life() {
                KeyLife::Doomed => CopyRefused::CopiesKeyDoomed,
                KeyLife::InDoubt | KeyLife::Alive => CopyRefused::CopiesKeyInDoubt,
            },
        }
    }

    /// The service's own error, where there was one.
    #[must_use]
    pub fn error(&self) -> Option<&CallError> {
        match self {
            Self::Key(_, problem) => problem.error(),
            Self::KeyOfCopies(endangered) => endangered.fact.error(),
            Self::Source(..) | Self::AttemptsExhausted { .. } | Self::MalformedTags(_) => None,
        }
    }
}

impl fmt::Display for Refusal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key, problem) => f.write_str(&problem.message(key)),
            Self::Source(_, obstacle) => f.write_str(obstacle.problem()),
            Self::KeyOfCopies(endangered) => write!(f, "{endangered}"),
            Self::AttemptsExhausted { failed, last, next } => write!(
                f,
                "{failed} copies failed within 24 hours, {last} last. Correct what its copy.failed or copy.rejected record \
                 names. The next attempt is made after {next}."
            ),
            Self::MalformedTags(copy) => {
                write!(f, "Somebody changed Snapferry's tags on {}:", copy.id)?;
                for problem in &copy.problems {
                    write!(f, " {problem};")?;
                }
                f.write_str(" it may not count as a copy, and it will never be expired. ")?;
                f.write_str(copy.remedy())
            }
        }
    }
}
