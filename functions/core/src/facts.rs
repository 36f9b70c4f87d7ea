//! What was read from EC2 and KMS: facts only, no opinion.

use jiff::Timestamp;

use crate::ids::{AccountId, KeyArn, SnapshotId, VolumeId};
use crate::kind::SourceType;

mod copies;
mod life;
mod state;
mod storage;

pub use copies::{Copies, Copy, DescribedCopy, HeldLock, Inventory, Moment, Origin, TamperedCopy};
pub use life::{Endangered, KeyLife};
pub use state::State;
pub use storage::Storage;

/// What the copies of one thing over time have in common: of snapshots, the volume. KeepAtLeast holds for each lineage by itself.
pub type Lineage = VolumeId;

/// Of what a snapshot is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceKind {
    /// An EBS volume.
    Volume,
    /// An RDS instance.
    Instance(Box<Database>),
    /// A cluster, Aurora's or a Multi-AZ one.
    Cluster(Box<Database>),
}

/// What a policy chooses snapshots of databases by, and what RDS does not copy with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Database {
    /// The snapshot's ARN.
    pub arn: String,
    /// The snapshot's own name.
    pub snapshot: String,
    /// The instance's or cluster's name.
    pub database: String,
    /// Its engine.
    pub engine: String,
    /// The instance's option group, unless it is RDS's default.
    pub option_group: Option<String>,
    /// Whether the engine itself encrypts its files, with Transparent Data Encryption.
    pub has_tde: bool,
}

/// A snapshot that can be seen in the home Region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceSnapshot {
    /// Of what it is.
    pub kind: SourceKind,
    /// Its ID.
    pub id: SnapshotId,
    /// Its owner as DescribeSnapshots says, never as an event says.
    pub owner: AccountId,
    /// The volume it was made of; `vol-ffffffff` when it is itself a copy.
    pub volume: VolumeId,
    /// Its volume's size in GiB.
    pub size_gib: u32,
    /// Its state.
    pub state: State,
    /// Where it is kept.
    pub storage: Storage,
    /// When it was started.
    pub start_time: Timestamp,
    /// Whether it is encrypted.
    pub encrypted: bool,
    /// Text that its owner wrote: never to be trusted.
    pub description: Box<str>,
}

/// What RDS says of a database's copy besides, each beside what the copy's tags say of its source: they stay when the source goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseCopy {
    /// The ARN of what it was copied from.
    pub source: Compared,
    /// Its engine.
    pub engine: Compared,
    /// The resource ID of its instance or cluster.
    pub resource: Compared,
    /// Whether RDS says when it was made: it does not while it is being copied.
    pub is_dated: bool,
    /// When its data was taken, if RDS says so: it does for instances, and copying does not change it.
    pub taken: Option<Timestamp>,
}

/// A member of a copy as it is, and as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// As the service shows it.
    pub found: Option<String>,
    /// As the copy's tags have it; none where they do not say it, or cannot be read.
    pub expected: Option<String>,
}

impl Compared {
    /// What is expected, where that is known and something else, or nothing, was found.
    #[must_use]
    pub fn missed(&self) -> Option<&String> {
        self.expected.as_ref().filter(|expected| self.found.as_ref() != Some(expected))
    }
}

impl SourceSnapshot {
    /// The kind as a policy has it.
    #[must_use]
    pub fn source_type(&self) -> SourceType {
        match &self.kind {
            SourceKind::Volume => SourceType::EbsSnapshot,
            SourceKind::Instance(_) => SourceType::DbSnapshot,
            SourceKind::Cluster(_) => SourceType::DbClusterSnapshot,
        }
    }

    /// Of a database's snapshot its ARN.
    #[must_use]
    pub fn arn(&self) -> Option<&str> {
        match &self.kind {
            SourceKind::Volume => None,
            SourceKind::Instance(database) | SourceKind::Cluster(database) => Some(&database.arn),
        }
    }
}

/// Why a call to AWS did not give its answer, in the words of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallError {
    /// The service's error code, or `Timeout`, `ConnectionFailed` and the like when there was no answer.
    pub code: String,
    /// The service's message.
    pub message: String,
    /// The request's ID, when there was an answer.
    pub request_id: Option<String>,
}

impl CallError {
    /// For a fact that nobody asked for: the decision then treats it as unknown instead of assuming the best.
    #[must_use]
    pub fn not_read() -> Self {
        Self { code: "NotRead".to_owned(), message: "this was not read".to_owned(), request_id: None }
    }
}

/// What KMS said of a key: one that a policy names, or one that copies are under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyFact {
    /// Enabled, symmetric, customer managed, in its Region.
    Usable,
    /// KMS answered, and a copy under this key would fail.
    Unusable(KeyProblem),
    /// KMS did not answer.
    Unread(CallError),
}

/// Why a key cannot encrypt a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyProblem {
    /// Disabled (`KeyState` `Disabled`).
    Disabled,
    /// About to be deleted (`PendingDeletion`, `PendingReplicaDeletion`).
    PendingDeletion,
    /// Any other `KeyState` than `Enabled`.
    NotReady(String),
    /// There is no such key in that Region.
    NotFound(CallError),
    /// The function's role may not see the key: its copies would fail minutes later.
    AccessDenied(CallError),
    /// AWS manages the key (`KeyManager` `AWS`).
    AwsManaged,
    /// Not a symmetric encryption key (`KeySpec` other than `SYMMETRIC_DEFAULT`, or another `KeyUsage`).
    NotSymmetric(String),
    /// KMS named another key than the configured one.
    OtherKey(String),
}

impl KeyProblem {
    /// What happened and what the operator does next.
    #[must_use]
    pub fn message(&self, key: &KeyArn) -> String {
        match self {
            Self::Disabled => format!("{key} is disabled. Enable it in account {}.", key.account()),
            Self::PendingDeletion => {
                format!(
                    "{key} is about to be deleted. Cancel its deletion in account {} at once, then enable it.",
                    key.account()
                )
            }
            Self::NotReady(state) => format!("{key} is in state {state}; a copy needs an enabled key."),
            Self::NotFound(_) => format!("{key} does not exist. Correct CmkArn in the policy."),
            Self::AccessDenied(_) => format!(
                "The copier's role may not use {key}. Name the key in the role's policy and the role in the key's policy (account {}).",
                key.account()
            ),
            Self::AwsManaged => format!("{key} is managed by AWS. Configure a customer managed key."),
            Self::NotSymmetric(spec) => format!("{key} is a {spec} key; EBS takes symmetric encryption keys only."),
            Self::OtherKey(found) => {
                format!("KMS answered with {found} when asked for {key}. Correct CmkArn in the policy.")
            }
        }
    }

    /// The service's own error, where there was one.
    #[must_use]
    pub fn error(&self) -> Option<&CallError> {
        match self {
            Self::NotFound(error) | Self::AccessDenied(error) => Some(error),
            _ => None,
        }
    }
}
