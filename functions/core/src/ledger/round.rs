//! A sweep in shards.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::copying::Tally;
use crate::ids::{Region, SnapshotId};

/// The snapshots whose IDs end in these hexadecimal digits; all of them when there is none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shard(pub String);

/// A round: one item of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    /// The ID of the tick that began it.
    pub id: String,
    /// When.
    pub began: Timestamp,
    /// How many shards it has, read ones included.
    pub shards: u32,
    /// The shards that are not read yet, in their order.
    pub left: Vec<Shard>,
    /// By target Region: the identities that it found in line and that were not tried since.
    pub owed: BTreeMap<Region, u64>,
    /// What was counted so far.
    pub totals: Tally,
    /// Calls made to EC2 and KMS so far, retries not counted.
    pub calls: u64,
    /// How long it took so far, in milliseconds.
    pub took_ms: u64,
    /// Grows by one with each write.
    pub revision: u64,
}

impl Shard {
    /// All snapshots.
    #[must_use]
    pub fn all() -> Self {
        Self(String::new())
    }

    /// Its sixteen parts.
    pub fn parts(&self) -> impl Iterator<Item = Self> {
        "0123456789abcdef".chars().map(|digit| Self(format!("{digit}{}", self.0)))
    }

    /// EC2's filter value, for a snapshot's ID as well as for a tag that holds one.
    #[must_use]
    pub fn filter(&self) -> String {
        if self.0.is_empty() { "snap-*".to_owned() } else { format!("*{}", self.0) }
    }

    /// Whether a snapshot is in it.
    #[must_use]
    pub fn contains(&self, source: &SnapshotId) -> bool {
        source.as_str().ends_with(&self.0)
    }
}
