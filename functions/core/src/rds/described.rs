//! Snapshots as RDS describes them.

use jiff::Timestamp;

use super::arn::SnapshotArn;
use super::name::{CopyName, Source};
use super::tags::ATTEMPT;
use crate::ids::KeyArn;
use crate::tags::{SOURCE_START_TIME, STATUS, Status};

/// The status of a snapshot that is whole: only such a one can be copied, restored or judged (RDS User Guide, "Viewing DB
/// snapshot status").
pub const AVAILABLE: &str = "available";

/// The status of a copy that is being made. To delete it would cancel the copy.
pub const COPYING: &str = "copying";

/// The status of a copy that RDS gave up on.
pub(super) const FAILED: &str = "failed";

/// A snapshot that another account shares with this one. Its tags are its owner's and not seen here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shared {
    /// What tells it from every other snapshot.
    pub source: Source,
    /// `DBInstanceIdentifier` or `DBClusterIdentifier`.
    pub database: String,
    /// `Status`.
    pub status: String,
    /// `Encrypted` or `StorageEncrypted`.
    pub encrypted: bool,
    /// `Engine`.
    pub engine: String,
    /// `EngineVersion`.
    pub engine_version: Option<String>,
    /// `AllocatedStorage`, in GiB.
    pub allocated_storage: i32,
    /// `OptionGroupName`; clusters have none.
    pub option_group: Option<String>,
    /// Whether there is a `TdeCredentialArn`; clusters have none.
    pub has_tde: bool,
}

/// A snapshot of this account's own. A member that RDS leaves out is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Own {
    /// Its ARN.
    pub arn: SnapshotArn,
    /// `DBInstanceIdentifier` or `DBClusterIdentifier`: the database's name, of a copy that of its source's database.
    pub database: Option<String>,
    /// `Status`.
    pub status: String,
    /// `TagList`.
    pub tags: Vec<(String, String)>,
    /// `SourceDBSnapshotIdentifier` or `SourceDBClusterSnapshotArn`.
    pub source_arn: Option<String>,
    /// `Encrypted` or `StorageEncrypted`: whether it is, or will be.
    pub encrypted: bool,
    /// `KmsKeyId`.
    pub key: Option<KeyArn>,
    /// `Engine`.
    pub engine: Option<String>,
    /// `EngineVersion`.
    pub engine_version: Option<String>,
    /// `AllocatedStorage`, in GiB.
    pub allocated_storage: Option<i32>,
    /// `DbiResourceId` or `DbClusterResourceId`.
    pub resource_id: Option<String>,
    /// `SnapshotCreateTime`: of a copy, its own.
    pub created: Option<Timestamp>,
    /// `OriginalSnapshotCreateTime`: of a copy, that of the first snapshot of its data; clusters have none.
    pub original: Option<Timestamp>,
}

impl Own {
    /// The value of a tag.
    #[must_use]
    pub fn tag(&self, key: &str) -> Option<&str> {
        self.tags.iter().find(|(other, _)| other == key).map(|(_, value)| value.as_str())
    }

    /// Its name, if it is one that Snapferry gives.
    #[must_use]
    pub fn copy_name(&self) -> Option<CopyName> {
        CopyName::parse(&self.arn.name)
    }

    /// Whether it came to nothing, whatever else its tags say: RDS gave up on it, or it has a verdict against it.
    #[must_use]
    pub fn came_to_nothing(&self) -> bool {
        let verdict = self.tag(STATUS).and_then(Status::parse);
        self.status == FAILED || matches!(verdict, Some(Status::Failed | Status::Rejected))
    }

    /// Which copy of its identity it is, as its tag says.
    #[must_use]
    pub fn attempt(&self) -> Option<u32> {
        self.tag(ATTEMPT)?.parse().ok()
    }

    /// Its tags as they are read.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.tags.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// The creation time of its source, as its tag says: RDS gives a copy a time of its own.
    #[must_use]
    pub fn source_created(&self) -> Option<Timestamp> {
        self.tag(SOURCE_START_TIME)?.parse().ok()
    }
}
