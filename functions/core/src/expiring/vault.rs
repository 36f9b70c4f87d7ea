//! What a Region holds, in few bytes: there may be a hundred thousand copies.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;

use crate::facts::{State, TamperedCopy};
use crate::ids::{AccountId, PolicyName, Region, SnapshotId, VolumeId};
use crate::tags::{CopyTags, Lock, Status};

/// What the copies of one volume have in common. Shared between them: a Region may hold a hundred thousand copies.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// The owner of the copies, as EC2 says.
    pub owner: AccountId,
    /// From their tags: the policy that asked for them.
    pub policy: PolicyName,
    /// From their tags: the source account.
    pub account: AccountId,
    /// From their tags: the Region that the sources were shared in.
    pub region: Region,
    /// From their tags: the source volume.
    pub volume: VolumeId,
}

impl Origin {
    /// Whether EC2 named no volume, so that one origin may stand for any number of volumes.
    #[must_use]
    pub fn is_volume_unknown(&self) -> bool {
        self.volume.is_filler()
    }
}

/// A copy of ours with all its tags in order, as far as expiry needs to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldCopy {
    /// Its ID.
    pub id: SnapshotId,
    /// What it has in common with others.
    pub origin: Arc<Origin>,
    /// From its tags: the snapshot that was copied.
    pub source: SnapshotId,
    /// From its tags: when that was started.
    pub source_start_time: Timestamp,
    /// When the copy was started.
    pub start_time: Timestamp,
    /// EC2's state of it.
    pub state: State,
    /// From its tags: its verdict.
    pub status: Status,
    /// From its tags: when it was given.
    pub settled_at: Option<Timestamp>,
    /// From its tags: whether they name this copy, so that the verdict is its own.
    pub is_bound: bool,
    /// From its tags: when it may be deleted.
    pub expire_after: Option<Timestamp>,
    /// From its tags: whether it is locked.
    pub lock: Option<Lock>,
}

impl HeldCopy {
    /// Whether the copy is proven good.
    #[must_use]
    pub fn is_verified(&self) -> bool {
        self.status == Status::Verified && self.is_bound && self.state == State::Completed
    }

    /// How old its data is believed to be. A source that claims to have been started after its own copy counts as old as
    /// the copy, so that no forged time outlives the copies that come after it.
    #[must_use]
    pub fn taken_at(&self) -> Timestamp {
        self.source_start_time.min(self.start_time)
    }
}

/// The copies found in one Region.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vault {
    /// Those whose tags are all in order; each once.
    pub copies: Vec<HeldCopy>,
    /// Those with a missing or malformed tag: never deleted, and no proof of anything.
    pub tampered: Vec<TamperedCopy>,
    /// When the newest of all was started.
    pub newest: Option<Timestamp>,
}

/// A snapshot as EC2 describes it, without its tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenCopy {
    /// Its ID.
    pub id: SnapshotId,
    /// Its owner.
    pub owner: AccountId,
    /// Its state.
    pub state: State,
    /// When it was started.
    pub start_time: Timestamp,
}

/// Takes a Region's snapshots down one after the other.
#[derive(Debug, Default)]
pub struct Inventory {
    vault: Vault,
    /// Each origin once in memory, however many copies share it.
    origins: HashSet<Arc<Origin>>,
}

impl Inventory {
    /// Takes down one snapshot with its tags, which may be any.
    pub fn add<'t>(&mut self, seen: SeenCopy, tags: impl IntoIterator<Item = (&'t str, &'t str)> + Clone) {
        let SeenCopy { id, owner, state, start_time } = seen;
        self.vault.newest = self.vault.newest.max(Some(start_time));
        let tags = match CopyTags::parse(&id, tags) {
            Ok(tags) => tags,
            Err(problems) => return self.vault.tampered.push(TamperedCopy { id, problems }),
        };
        let origin = self.origin(Origin {
            owner,
            policy: tags.policy,
            account: tags.source_account,
            region: tags.source_region,
            volume: tags.source_volume,
        });
        self.vault.copies.push(HeldCopy {
            id,
            origin,
            source: tags.source_snapshot,
            source_start_time: tags.source_start_time,
            start_time,
            state,
            status: tags.status,
            settled_at: tags.settled_at,
            is_bound: tags.copy.is_some(),
            expire_after: tags.expire_after,
            lock: tags.lock,
        });
    }

    /// What was taken down. EC2 may show a snapshot on two pages when others come and go meanwhile: it counts once.
    #[must_use]
    pub fn close(self) -> Vault {
        let Vault { mut copies, mut tampered, newest } = self.vault;
        copies.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        copies.dedup_by(|a, b| a.id == b.id);
        tampered.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        tampered.dedup_by(|a, b| a.id == b.id);
        Vault { copies, tampered, newest }
    }

    fn origin(&mut self, origin: Origin) -> Arc<Origin> {
        if let Some(known) = self.origins.get(&origin) {
            return Arc::clone(known);
        }
        let origin = Arc::new(origin);
        self.origins.insert(Arc::clone(&origin));
        origin
    }
}
