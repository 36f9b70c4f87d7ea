//! The names of snapshots, whoever owns them.

use std::fmt;

use super::kind::Kind;
use crate::ids::{AccountId, InvalidId, Region};

/// The ARN of a snapshot: `arn:PARTITION:rds:REGION:ACCOUNT:snapshot:NAME`, or `cluster-snapshot` in that place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SnapshotArn {
    partition: String,
    /// Where the snapshot is.
    pub region: Region,
    /// Who owns it.
    pub account: AccountId,
    /// Of an instance or a cluster.
    pub kind: Kind,
    /// `DBSnapshotIdentifier` or `DBClusterSnapshotIdentifier`, as its owner calls it.
    pub name: String,
}

impl SnapshotArn {
    /// Reads an ARN as RDS writes it.
    ///
    /// # Errors
    /// [`InvalidId`] when it is no snapshot's of RDS.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        let expected = "the ARN of a DB snapshot or a DB cluster snapshot";
        Self::read(text).ok_or_else(|| InvalidId { expected, found: text.chars().take(80).collect() })
    }

    /// The snapshot that `account` calls `name` in `region`.
    #[must_use]
    pub fn new(kind: Kind, region: Region, account: AccountId, name: String) -> Self {
        Self { partition: region.partition().to_owned(), region, account, kind, name }
    }

    /// The snapshot of the same kind and partition that `account` calls `name` in `region`.
    #[must_use]
    pub fn of(&self, region: Region, account: AccountId, name: String) -> Self {
        Self { region, account, name, ..self.clone() }
    }

    fn read(text: &str) -> Option<Self> {
        // What AWS Backup makes has colons in its name.
        let mut parts = text.splitn(7, ':');
        let mut next = || parts.next();
        let ("arn", partition, "rds") = (next()?, next()?, next()?) else { return None };
        let (region, account) = (Region::parse(next()?).ok()?, AccountId::parse(next()?).ok()?);
        let (arn_type, name) = (next()?, next()?);
        let kind = Kind::ALL.into_iter().find(|kind| kind.arn_type() == arn_type)?;
        let is_named = !name.is_empty() && (partition == "aws" || partition.starts_with("aws-"));
        is_named.then(|| Self { partition: partition.to_owned(), region, account, kind, name: name.to_owned() })
    }
}

impl fmt::Display for SnapshotArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, region, account, kind, name } = self;
        write!(f, "arn:{partition}:rds:{region}:{account}:{}:{name}", kind.arn_type())
    }
}
