//! The names of copies. RDS has no client token: the name, which the caller chooses, makes a request safe to repeat.

use std::fmt;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::arn::SnapshotArn;
use crate::ids::{KeyArn, PolicyName, Region};

const PREFIX: &str = "snapferry-";

/// How many bytes of the hash a name has: with the prefix 62 characters, where RDS allows a cluster's snapshot 63 (RDS API
/// reference, `CopyDBClusterSnapshot`).
const HASHED: usize = 26;

/// A source snapshot. Its ARN alone does not name it: a snapshot that is made again under a deleted one's name has the same
/// ARN and other data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The snapshot's ARN.
    pub arn: SnapshotArn,
    /// `SnapshotCreateTime`.
    pub created: Timestamp,
    /// `DbiResourceId` or `DbClusterResourceId`: of which instance or cluster it is, whatever that is called. Empty where RDS
    /// does not say it.
    pub resource_id: String,
}

/// A copy's `DBSnapshotIdentifier` or `DBClusterSnapshotIdentifier`: `snapferry-` and 52 hexadecimal digits, in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CopyName(String);

impl CopyName {
    /// The name that RDS shows, if it is one that Snapferry gives.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(PREFIX)?;
        let is_hash = digits.len() == 2 * HASHED && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        is_hash.then(|| Self(text.to_owned()))
    }

    /// The name as RDS stores it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CopyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of the `attempt`th copy (from 1 on) of `source` for `policy` into `region`, under `key`; none for a copy in the clear.
///
/// The same request has the same name at any time and in any process, so asking twice makes one copy. The key and the
/// attempt belong to it so that a bad copy, or one under a key that is to be deleted, does not hold the next one's name.
#[must_use]
pub fn copy_name(
    policy: &PolicyName,
    source: &Source,
    region: &Region,
    key: Option<&KeyArn>,
    attempt: u32,
) -> CopyName {
    let arn = source.arn.to_string();
    let created = source.created.as_nanosecond().to_string();
    let attempt = attempt.to_string();
    let mut hash = Sha256::new();
    for part in [
        policy.as_str(),
        source.arn.kind.arn_type(),
        &arn,
        &created,
        &source.resource_id,
        region.as_str(),
        key.map_or("", KeyArn::as_str),
        &attempt,
    ] {
        // The length in front lets no part run over into the next one.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let digits = hash.finalize().iter().take(HASHED).map(|byte| format!("{byte:02x}")).collect::<String>();
    CopyName(format!("{PREFIX}{digits}"))
}
