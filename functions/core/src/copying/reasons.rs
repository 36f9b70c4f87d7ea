//! Why a snapshot was copied or not, and what an operator does about it.

use std::fmt;

use jiff::Timestamp;

use crate::audit::{CopyDeferred, CopyRefused, CopySkipped};
use crate::facts::{CallError, Copy, Endangered, KeyLife, KeyProblem, TamperedCopy};
use crate::ids::{KeyArn, SnapshotId};

/// Failed attempts within 24 hours after which an identity is left alone until the first of them is a day old.
pub const MAX_ATTEMPTS: usize = 5;

/// Nothing to do, and nothing wrong with that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Skip<'f> {
    /// The snapshot's owner is not in the policy's SnapshotOwner.
    OwnerNotListed,
    /// The description does not match the policy's DescriptionRegex.
    DescriptionMismatch,
    /// There is a live copy.
    AlreadyCopied(&'f SnapshotId),
    /// There are several live copies of one identity: it cannot come from Snapferry's own single writer.
    Duplicate(Vec<&'f Copy>),
    /// EC2 does not show the snapshot to this account.
    NotVisible,
    /// The snapshot is not completed (yet).
    NotCompleted,
    /// This account owns the snapshot.
    OwnSnapshot,
    /// The policy's State is DISABLED.
    PolicyDisabled,
}

/// Not now, but the next sweep looks again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deferral {
    /// The shared snapshots could not be read in the home Region.
    SourcesUnread(CallError),
    /// The copies in the target Region could not be read, so a copy could be a duplicate.
    RegionUnread(CallError),
    /// KMS did not answer for the configured key.
    KeyUnread(CallError),
    /// The target Region takes no more copies at the moment (EC2's limit of copies in flight).
    RegionFull(CallError),
    /// The target Region went on throttling after several attempts.
    Throttled(CallError),
    /// The target Region gave no answer, or an answer that does not say whether the copy was started.
    AnswerLost(CallError),
    /// The answer to the same request was lost a moment ago, and EC2 may not show its copy yet.
    AnswerJustLost(Timestamp),
    /// An earlier call closed the Region for the rest of this invocation.
    RegionClosed(CopyDeferred),
    /// Too little of the invocation's time remains to start a copy.
    OutOfTime,
}

/// Snapferry will not copy, and somebody has to do something about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal<'f> {
    /// The configured key cannot encrypt a copy.
    Key(&'f KeyArn, &'f KeyProblem),
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
            Self::DescriptionMismatch => CopySkipped::DescriptionMismatch,
            Self::AlreadyCopied(_) => CopySkipped::AlreadyCopied,
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
            Self::NotVisible => f.write_str(
                "EC2 does not show the snapshot to this account: not shared yet, or no longer. The next sweep copies it \
                 if it appears.",
            ),
            Self::NotCompleted => f.write_str("The snapshot is not completed. The sweep copies it once it is."),
            Self::OwnSnapshot => f.write_str("This account owns the snapshot itself."),
            Self::PolicyDisabled => f.write_str("The policy's State is DISABLED: it copies nothing."),
        }
    }
}

impl Deferral {
    /// The audit record's reason.
    #[must_use]
    pub fn reason(&self) -> CopyDeferred {
        match self {
            Self::SourcesUnread(_) => CopyDeferred::SourcesUnread,
            Self::RegionUnread(_) => CopyDeferred::RegionUnread,
            Self::KeyUnread(_) => CopyDeferred::KeyUnread,
            Self::RegionFull(_) => CopyDeferred::RegionFull,
            Self::Throttled(_) => CopyDeferred::Throttled,
            Self::AnswerLost(_) | Self::AnswerJustLost(_) => CopyDeferred::AnswerLost,
            Self::RegionClosed(reason) => *reason,
            Self::OutOfTime => CopyDeferred::OutOfTime,
        }
    }

    /// The service's own error, where there was one.
    #[must_use]
    pub fn error(&self) -> Option<&CallError> {
        match self {
            Self::SourcesUnread(error)
            | Self::RegionUnread(error)
            | Self::KeyUnread(error)
            | Self::RegionFull(error)
            | Self::Throttled(error)
            | Self::AnswerLost(error) => Some(error),
            Self::AnswerJustLost(_) | Self::RegionClosed(_) | Self::OutOfTime => None,
        }
    }
}

impl fmt::Display for Deferral {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SourcesUnread(_) => "The shared snapshots could not be read in the home Region.",
            Self::RegionUnread(_) => {
                "The existing copies could not be read in the target Region, so a copy could be a duplicate."
            }
            Self::KeyUnread(_) => "KMS did not say whether the configured key is usable.",
            Self::RegionFull(_) => "The target Region takes no more copies at the moment.",
            Self::Throttled(_) => "The target Region kept throttling CopySnapshot.",
            Self::AnswerLost(_) => "EC2's answer was lost; the copy may exist, so the request is not repeated now.",
            Self::AnswerJustLost(_) => {
                "The answer to the same request was lost a moment ago, and EC2 may not show its copy yet."
            }
            Self::RegionClosed(_) => "An earlier call of this invocation found the target Region closed.",
            Self::OutOfTime => "Too little of the invocation's time remained to start a copy.",
        })?;
        f.write_str(" The next sweep looks again.")
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
            Self::AttemptsExhausted { .. } | Self::MalformedTags(_) => None,
        }
    }
}

impl fmt::Display for Refusal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key, problem) => f.write_str(&problem.message(key)),
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
