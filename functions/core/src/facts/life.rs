//! Whether the data of a copy can still be read: what the state of its key means for it.

use std::fmt;

use super::{CallError, KeyFact, KeyProblem};

/// What the state of its key makes of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyLife {
    /// The key can be used, or the copy has none: the copy can be restored.
    Alive,
    /// The copy cannot be restored now, or nobody knows whether it can: it is still a copy, and no reason to let another go.
    InDoubt,
    /// The key is gone, or about to be: the copy protects nothing any more.
    Doomed,
}

impl KeyLife {
    /// Its name for machines.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Alive => "alive",
            Self::InDoubt => "in-doubt",
            Self::Doomed => "doomed",
        }
    }
}

impl KeyFact {
    /// What it means for the copies under the key. Only what KMS says for certain dooms one: that the key waits for its
    /// deletion, or that there is none of that ARN (KMS API reference, DescribeKey). To be refused, throttled or left without
    /// an answer is no certainty.
    #[must_use]
    pub fn life(&self) -> KeyLife {
        match self {
            Self::Usable | Self::Unusable(KeyProblem::AwsManaged) => KeyLife::Alive,
            Self::Unusable(KeyProblem::PendingDeletion) => KeyLife::Doomed,
            Self::Unusable(KeyProblem::NotFound(error)) if error.code == "NotFoundException" => KeyLife::Doomed,
            Self::Unusable(_) | Self::Unread(_) => KeyLife::InDoubt,
        }
    }
}

/// A key under which copies cannot be restored, now or ever, or perhaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endangered<'f> {
    /// The key, as EC2 names it.
    pub key: &'f str,
    /// What KMS says of it.
    pub fact: &'f KeyFact,
    /// How many copies, failed ones left out, are under it.
    pub copies: usize,
}

impl KeyFact {
    /// What it says of the key, as a clause behind `which`.
    #[must_use]
    pub fn clause(&self) -> &'static str {
        match self {
            Self::Unusable(KeyProblem::PendingDeletion) => "is about to be deleted",
            Self::Unusable(KeyProblem::NotFound(_)) if self.life() == KeyLife::Doomed => "does not exist any more",
            Self::Unusable(KeyProblem::Disabled) => "is disabled",
            Self::Unusable(KeyProblem::AccessDenied(_)) => "this role may not look at",
            Self::Unread(_) => "KMS did not describe",
            Self::Usable | Self::Unusable(_) => "is in a state in which KMS decrypts nothing",
        }
    }

    /// The service's own error, where there was one.
    #[must_use]
    pub fn error(&self) -> Option<&CallError> {
        match self {
            Self::Usable => None,
            Self::Unusable(problem) => problem.error(),
            Self::Unread(error) => Some(error),
        }
    }
}

impl Endangered<'_> {
    /// What that means for the copies, and what somebody does about it.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self.fact {
            KeyFact::Unusable(KeyProblem::PendingDeletion) => {
                "They count as lost: what is still shared is copied again under the policy's key, and no other copy is deleted \
                 for their sake. Cancel the key's deletion if it is not meant, and enable the key; find out who did it."
            }
            fact if fact.life() == KeyLife::Doomed => {
                "They cannot be restored any more: what is still shared is copied again under the policy's key, and no other \
                 copy is deleted for their sake. Delete them by hand once there are others."
            }
            KeyFact::Unusable(KeyProblem::AccessDenied(_)) | KeyFact::Unread(_) => {
                "Until KMS says what it is, no other copy is deleted for their sake, and nothing is copied again. Let the role \
                 call kms:DescribeKey on it: in the role's policy, and where it is another account's, in the key's."
            }
            _ => {
                "They cannot be restored now, no other copy is deleted for their sake, and nothing is copied again. Enable the \
                 key, and find out who disabled it."
            }
        }
    }
}

impl fmt::Display for Endangered<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, fact, copies } = self;
        write!(f, "Copies under {key}, which {}: {copies}. {}", fact.clause(), self.remedy())
    }
}
