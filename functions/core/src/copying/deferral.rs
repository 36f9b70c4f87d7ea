//! Why a copy is not asked for now, and when it is looked at again.

use std::fmt;

use jiff::Timestamp;

use crate::audit::{CopyDeferred, Reason};
use crate::ebs::reads::after_unread;
use crate::ebs::regions::is_region_not_enabled;
use crate::facts::CallError;

/// Not now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deferral {
    /// The shared snapshots could not be read in the home Region.
    SourcesUnread(CallError),
    /// The copies in the target Region could not be read, so a copy could be a duplicate.
    RegionUnread(CallError),
    /// They could not be read because the Region is not enabled in this account, or does not exist.
    RegionNotEnabled(CallError),
    /// The ledger did not answer, and no copy is asked for without it.
    LedgerUnread(CallError),
    /// EC2 does not show the snapshot that an event names.
    NotVisibleYet,
    /// It waits for its turn, or for its pause to end.
    InLine,
    /// KMS did not answer for the configured key.
    KeyUnread(CallError),
    /// The target Region takes no more copies at the moment (EC2's limit of copies in flight).
    RegionFull(CallError),
    /// This account's quota of snapshots in the target Region is used up.
    QuotaExceeded(CallError),
    /// The throughput that copies with a CompletionDuration share between two Regions is used up.
    DurationThroughput(CallError),
    /// The target Region went on throttling after several attempts.
    Throttled(CallError),
    /// The target Region gave no answer, or an answer that does not say whether the copy was started.
    AnswerLost(CallError),
    /// The answer to the same request was lost a moment ago, and EC2 may not show its copy yet.
    AnswerJustLost(Timestamp),
    /// EC2 answered several copies of its account in a row with this.
    AccountPassedOver(Reason),
    /// An earlier call closed the Region for the rest of this invocation.
    RegionClosed(CopyDeferred),
    /// Too little of the invocation's time remains to start a copy.
    OutOfTime,
}

impl Deferral {
    /// For a target Region whose copies could not be read.
    #[must_use]
    pub fn of_region(error: CallError) -> Self {
        if is_region_not_enabled(&error.code) { Self::RegionNotEnabled(error) } else { Self::RegionUnread(error) }
    }

    /// The audit record's reason.
    #[must_use]
    pub fn reason(&self) -> CopyDeferred {
        match self {
            Self::SourcesUnread(_) => CopyDeferred::SourcesUnread,
            Self::RegionUnread(_) => CopyDeferred::RegionUnread,
            Self::RegionNotEnabled(_) => CopyDeferred::RegionNotEnabled,
            Self::LedgerUnread(_) => CopyDeferred::LedgerUnread,
            Self::NotVisibleYet => CopyDeferred::NotVisibleYet,
            Self::InLine => CopyDeferred::InLine,
            Self::KeyUnread(_) => CopyDeferred::KeyUnread,
            Self::RegionFull(_) => CopyDeferred::RegionFull,
            Self::QuotaExceeded(_) => CopyDeferred::QuotaExceeded,
            Self::DurationThroughput(_) => CopyDeferred::DurationThroughput,
            Self::Throttled(_) => CopyDeferred::Throttled,
            Self::AnswerLost(_) | Self::AnswerJustLost(_) => CopyDeferred::AnswerLost,
            Self::AccountPassedOver(_) => CopyDeferred::AccountPassedOver,
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
            | Self::RegionNotEnabled(error)
            | Self::LedgerUnread(error)
            | Self::KeyUnread(error)
            | Self::RegionFull(error)
            | Self::QuotaExceeded(error)
            | Self::DurationThroughput(error)
            | Self::Throttled(error)
            | Self::AnswerLost(error) => Some(error),
            Self::NotVisibleYet
            | Self::InLine
            | Self::AnswerJustLost(_)
            | Self::AccountPassedOver(_)
            | Self::RegionClosed(_)
            | Self::OutOfTime => None,
        }
    }

    /// When it is looked at again, or what somebody does.
    fn next(&self) -> &'static str {
        match self {
            Self::SourcesUnread(error) | Self::RegionUnread(error) | Self::KeyUnread(error) => {
                after_unread(&error.code)
            }
            Self::RegionNotEnabled(_) => "Enable the Region in this account, or correct Target in the policy.",
            Self::LedgerUnread(_) => "The next tick tries again.",
            Self::NotVisibleYet => "It is looked for at each tick for an hour, then four times an hour for a day.",
            Self::QuotaExceeded(_) => "Ask for a higher quota of snapshots there, or delete some. It stands in line.",
            Self::AnswerLost(_) | Self::AnswerJustLost(_) => "It is looked for ten minutes after the request.",
            Self::InLine
            | Self::RegionFull(_)
            | Self::DurationThroughput(_)
            | Self::Throttled(_)
            | Self::AccountPassedOver(_)
            | Self::RegionClosed(_)
            | Self::OutOfTime => "It stands in line; the next tick goes on.",
        }
    }
}

impl fmt::Display for Deferral {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self {
            Self::AccountPassedOver(reason) => {
                let (reason, next) = (reason.name(), self.next());
                return write!(
                    f,
                    "EC2 answered the last copies of its account with {reason}, one like the other. {next}"
                );
            }
            Self::SourcesUnread(_) => "The shared snapshots could not be read in the home Region.",
            Self::RegionUnread(_) => {
                "The existing copies could not be read in the target Region, so a copy could be a duplicate."
            }
            Self::RegionNotEnabled(_) => "The target Region is not enabled in this account, or does not exist.",
            Self::LedgerUnread(_) => "The ledger did not answer, and no copy is asked for without it.",
            Self::NotVisibleYet => "EC2 does not show the snapshot to this account: not shared yet, or no longer.",
            Self::InLine => {
                "Other copies have their turn first (of a database also its older one, while that is under way), or its pause after a refusal or failure is not over."
            }
            Self::KeyUnread(_) => "KMS did not say whether the configured key is usable.",
            Self::RegionFull(_) => "The target Region takes no more copies at the moment.",
            Self::QuotaExceeded(_) => "This account has as many snapshots in the target Region as its quota allows.",
            Self::DurationThroughput(_) => {
                "The throughput that copies with a CompletionDuration share between the two Regions is used up."
            }
            Self::Throttled(_) => "The target Region kept throttling the copy call.",
            Self::AnswerLost(_) => "EC2's answer was lost; the copy may exist, so the request is not repeated now.",
            Self::AnswerJustLost(_) => {
                "The answer to the same request was lost a moment ago, and EC2 may not show its copy yet."
            }
            Self::RegionClosed(_) => "An earlier call of this invocation found the target Region closed.",
            Self::OutOfTime => "Too little of the invocation's time remained to start a copy.",
        };
        write!(f, "{what} {}", self.next())
    }
}
