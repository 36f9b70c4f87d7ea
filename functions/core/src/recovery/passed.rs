//! Why a copy is no point to restore from.

use crate::facts::{Copy, KeyLife, State};
use crate::tags::Status;

/// The reasons, the first that holds being told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Passed {
    /// One of its tags is missing or edited, or names another snapshot.
    MalformedTags,
    /// EC2 names another owner than this account.
    ForeignOwner,
    /// Neither the document nor anybody else names its policy.
    PolicyNotNamed,
    /// EC2 does not say when it was started, or, of a completed one, whether it is encrypted or how large it is.
    NotDescribed,
    /// EC2 gave up on it.
    Failed,
    /// Its verdict is that it is not what was asked for.
    Rejected,
    /// It is being made, or waits for its verdict.
    InFlight,
    /// It is verified, and in the recycle bin or otherwise not usable.
    NotCompleted,
    /// Its verdict does not name it: the verifier gives it again.
    VerdictNotBound,
    /// Its key is gone, or about to be.
    KeyDoomed,
    /// Nobody knows whether its key can be used.
    KeyInDoubt,
    /// Nobody named the volume of its source.
    VolumeUnknown,
    /// Its source was started at the time that is wanted, or after it.
    TooNew,
}

impl Passed {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::MalformedTags,
        Self::ForeignOwner,
        Self::PolicyNotNamed,
        Self::NotDescribed,
        Self::Failed,
        Self::Rejected,
        Self::InFlight,
        Self::NotCompleted,
        Self::VerdictNotBound,
        Self::KeyDoomed,
        Self::KeyInDoubt,
        Self::VolumeUnknown,
        Self::TooNew,
    ];

    /// Its name for machines.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MalformedTags => "malformed-tags",
            Self::ForeignOwner => "foreign-owner",
            Self::PolicyNotNamed => "policy-not-named",
            Self::NotDescribed => "not-described",
            Self::Failed => "failed",
            Self::Rejected => "rejected",
            Self::InFlight => "in-flight",
            Self::NotCompleted => "not-completed",
            Self::VerdictNotBound => "verdict-not-bound",
            Self::KeyDoomed => "key-doomed",
            Self::KeyInDoubt => "key-in-doubt",
            Self::VolumeUnknown => "volume-unknown",
            Self::TooNew => "too-new",
        }
    }

    /// What it means and what somebody can do.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::MalformedTags => {
                "tags are missing or edited: restore them (RUNBOOK.md, TagsMalformedAlarm, says from where)"
            }
            Self::ForeignOwner => "EC2 names another owner than this account",
            Self::PolicyNotNamed => "of a policy that is not in this document: name it with --retired-policy",
            Self::NotDescribed => {
                "EC2 does not say when it was started, or whether it is encrypted, or its size: ask AWS Support"
            }
            Self::Failed => "EC2 or RDS gave up on the copy",
            Self::Rejected => "the copy is not what the policy asked for",
            Self::InFlight => "being made, or waiting for the verdict",
            Self::NotCompleted => "not usable now: in the recycle bin, or on its way",
            Self::VerdictNotBound => "the verdict does not name the copy: the next run of verify-copies gives it again",
            Self::KeyDoomed => "the key is gone or about to be deleted: cancel that, if it is not too late",
            Self::KeyInDoubt => "the key is disabled, or KMS does not show it to these credentials (kms:DescribeKey)",
            Self::VolumeUnknown => "nobody named the volume or database: see volume-unknown in RUNBOOK.md",
            Self::TooNew => "the source was started at the wanted time, or after it",
        }
    }

    /// Whether the copy can be used, and only is not what was asked for.
    #[must_use]
    pub fn is_good(self) -> bool {
        self == Self::TooNew
    }

    /// What is wrong with the copy itself, whatever is wanted.
    #[must_use]
    pub fn of(copy: &Copy) -> Option<Self> {
        let reasons = [
            (copy.is_tampered, Self::MalformedTags),
            (copy.status == Some(Status::Rejected), Self::Rejected),
            (copy.has_failed(), Self::Failed),
            (copy.status != Some(Status::Verified) || copy.state == State::Pending, Self::InFlight),
            (copy.state != State::Completed, Self::NotCompleted),
            (!copy.is_bound, Self::VerdictNotBound),
            (copy.origin.life == KeyLife::Doomed, Self::KeyDoomed),
            // Whatever the law of survivors knows and this table does not.
            (!copy.is_survivor(), Self::KeyInDoubt),
        ];
        reasons.into_iter().find_map(|(holds, reason)| holds.then_some(reason))
    }
}
