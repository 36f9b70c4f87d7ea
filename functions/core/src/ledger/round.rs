//! A sweep in shards.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use serde::{Deserialize, Serialize};

use crate::copying::Tally;
use crate::ids::{AccountId, Region, SnapshotId};

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
    /// How many parts it has, read ones included: shards, and stretches of the walk.
    pub shards: u32,
    /// The shards that are not read yet, in their order.
    pub left: Vec<Shard>,
    /// Where EC2's pages of a shard are mostly empty, what is shared is read owner by owner instead, and the shards are of the
    /// ledger alone: what of that is not read yet.
    pub walk: Option<Vec<Stretch>>,
    /// By target Region: the identities that it found in line and that were not tried since.
    pub owed: BTreeMap<Region, u64>,
    /// What was counted so far.
    pub totals: Tally,
    /// The owners of which the last whole round before this one saw something; nothing where there was none.
    pub heard: Option<BTreeSet<AccountId>>,
    /// Calls made to EC2 and KMS so far, retries not counted.
    pub calls: u64,
    /// How long it took so far, in milliseconds.
    pub took_ms: u64,
    /// Grows by one with each write.
    pub revision: u64,
}

/// The rest of what an owner shares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// The owner.
    pub owner: AccountId,
    /// EC2's token of the page that it begins with; all of it where there is none.
    pub next: Option<String>,
}

impl Round {
    /// Whether all of it is read.
    #[must_use]
    pub fn is_read(&self) -> bool {
        self.left.is_empty() && self.walk.as_ref().is_none_or(Vec::is_empty)
    }

    /// The owners of which the last whole round saw something, which is this one once it is read; nothing where none is known.
    #[must_use]
    pub fn heard_last(&self) -> Option<BTreeSet<AccountId>> {
        // One that could not be read back says nothing.
        if self.began == Timestamp::MAX {
            return None;
        }
        if !self.is_read() {
            return self.heard.clone();
        }
        let heard = self.totals.last_heard().into_iter().filter_map(|(owner, newest)| newest.and(Some(owner)));
        Some(heard.chain(&self.totals.unread).cloned().collect())
    }

    /// Whether an owner may share something of this kind, or have shared what is copied: neither this round nor the last whole one
    /// says that it does not.
    #[must_use]
    pub fn may_have_heard(&self, owner: &AccountId) -> bool {
        self.totals.last_heard().get(owner).is_some_and(Option::is_some)
            || self.heard_last().is_none_or(|heard| heard.contains(owner))
    }

    /// Whether nothing of it is read.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        let is_whole = |walk: &[Stretch]| walk.iter().all(|stretch| stretch.next.is_none());
        usize::try_from(self.shards).is_ok_and(|parts| {
            parts == self.left.len().saturating_add(self.walk.as_ref().map_or(0, Vec::len))
                && self.walk.as_deref().is_none_or(is_whole)
        })
    }

    /// Whether a snapshot may be in what is not read yet.
    #[must_use]
    pub fn awaits(&self, source: &SnapshotId) -> bool {
        match &self.walk {
            None => self.left.iter().any(|shard| shard.contains(source)),
            Some(walk) => !walk.is_empty(),
        }
    }
}

impl Shard {
    /// All snapshots.
    #[must_use]
    pub fn all() -> Self {
        Self(String::new())
    }

    /// That one snapshot.
    #[must_use]
    pub fn of(source: &SnapshotId) -> Self {
        Self(source.as_str().trim_start_matches("snap-").to_owned())
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
