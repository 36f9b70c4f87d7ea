//! Snapshots of databases in the facts that the laws know: what is wanted, how it stands, what expires and what stays goes by these
//! for every kind.
//!
//! What stands in a snapshot ID's place is made of all that tells a source from every other, and of a copy it is its name.
//! In the volume's place stands the instance's or cluster's resource ID; where RDS names none the lineage is unknown, as that of
//! a copy of a copy is.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::arn::SnapshotArn;
use super::attempts::NAMES;
use super::described::{AVAILABLE, COPYING, FAILED, Own, Shared};
use super::kind::Kind;
use super::name::{CopyName, Source, copy_name};
use super::tags::ReadTags;
use crate::facts::{Compared, Database, DatabaseCopy, DescribedCopy, SourceKind, SourceSnapshot, State, Storage};
use crate::ids::{SnapshotId, VolumeId};
use crate::tags::{self, NAME, TagProblem};

/// What the names of RDS's own option groups begin with, one for each engine and major version. They have no options, and no other
/// name has a colon (RDS API reference, `CreateOptionGroup`).
const DEFAULT_GROUP: &str = "default:";

/// How many bytes of the hash stand for a source.
const HASHED: usize = 26;

impl Source {
    /// What stands for it wherever a snapshot's ID does. One that is made again under its name is another.
    #[must_use]
    pub fn id(&self) -> SnapshotId {
        let (arn, created) = (self.arn.to_string(), self.created.as_nanosecond().to_string());
        let mut hash = Sha256::new();
        for part in [arn.as_str(), &created, &self.resource_id] {
            // The length in front lets no part run over into the next one.
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        SnapshotId::of_source(hash.finalize().iter().take(HASHED).copied())
    }

    /// What it is a snapshot of, over time.
    #[must_use]
    pub fn lineage(&self) -> VolumeId {
        VolumeId::of_database(&self.resource_id)
    }
}

impl CopyName {
    /// What stands for the copy wherever a snapshot's ID does.
    #[must_use]
    pub fn id(&self) -> SnapshotId {
        SnapshotId::of_copy(self.as_str())
    }
}

impl Shared {
    /// The same in the facts that the laws know.
    #[must_use]
    pub fn fact(&self) -> SourceSnapshot {
        let database = Box::new(Database {
            arn: self.source.arn.to_string(),
            snapshot: self.source.arn.name.clone(),
            database: self.database.clone(),
            engine: self.engine.clone(),
            option_group: self
                .option_group
                .clone()
                .filter(|group| !group.is_empty() && !group.starts_with(DEFAULT_GROUP)),
            has_tde: self.has_tde,
        });
        SourceSnapshot {
            kind: match self.source.arn.kind {
                Kind::Instance => SourceKind::Instance(database),
                Kind::Cluster => SourceKind::Cluster(database),
            },
            id: self.source.id(),
            owner: self.source.arn.account.clone(),
            volume: self.source.lineage(),
            size_gib: size_gib(Some(self.allocated_storage)),
            state: state(&self.status),
            storage: Storage::Standard,
            start_time: self.source.created,
            encrypted: self.encrypted,
            description: Box::default(),
        }
    }
}

impl Own {
    /// The same in the facts that the laws know, if it has a name that Snapferry gives: nothing else is a copy of ours, whatever its
    /// tags. One whose name was not made of its tags, edited or copied from another Region's copy, is nobody's: it must not stand for
    /// the source that they name. What RDS does not date counts as old as its verdict (so that what failed today counts among today's
    /// attempts), else as its source, else as older than all.
    #[must_use]
    pub fn fact(&self) -> Option<DescribedCopy> {
        let id = self.copy_name()?.id();
        let read = ReadTags::read(&self.arn.name, self.pairs());
        let has_its_name = self.has_name_of(&read);
        let named = read.source(&self.arn);
        let source = named.as_ref().filter(|_| has_its_name);
        let compared = |found: &Option<String>, expected| Compared { found: found.clone(), expected };
        let mut problems = read.problems.clone();
        problems.extend((!has_its_name).then_some(TagProblem { key: NAME, found: None }));
        let database = DatabaseCopy {
            source: compared(&self.source_arn, named.as_ref().map(|source| source.arn.to_string())),
            engine: compared(&self.engine, read.source_engine),
            resource: compared(&self.resource_id, read.source_resource),
            is_dated: self.created.is_some(),
            taken: self.original,
        };
        // Whose it is RDS says itself: an edited tag must not hide it from all stacks.
        let copied_from = self.source_arn.as_ref().and_then(|arn| SnapshotArn::parse(arn).ok()).map(|arn| arn.region);
        let source_region = if has_its_name { read.source_region } else { copied_from.or(read.source_region) };
        let tags = tags::ReadTags {
            source_snapshot: source.map(Source::id),
            source_volume: source.map(Source::lineage),
            source_size_gib: read.source_size_gib.map(|size| size_gib(Some(size))),
            copy: read.copy.as_ref().map(|_| id.clone()),
            policy: read.policy,
            source_account: read.source_account,
            source_region,
            source_start_time: read.source_created,
            kms_key: read.kms_key,
            expire_after: read.expire_after,
            status: read.status,
            settled_at: read.settled_at,
            lock: None,
            proof: None,
            problems,
        };
        Some(DescribedCopy {
            owner: Some(self.arn.account.clone()),
            state: state(&self.status),
            state_message: self.status.clone(),
            encrypted: self.encrypted,
            kms_key: self.key.as_ref().map(ToString::to_string),
            size_gib: size_gib(self.allocated_storage),
            start_time: self.created.or(tags.settled_at).or(tags.source_start_time).unwrap_or(Timestamp::UNIX_EPOCH),
            tags,
            lock: None,
            description: Box::default(),
            database: Some(Box::new(database)),
            id,
        })
    }
}

impl Own {
    /// Whether its name, which nobody can change, was made of these tags, as far as they can be read: whoever edits one of those that
    /// say what it is a copy of makes it no copy of that.
    fn has_name_of(&self, read: &ReadTags) -> bool {
        let (Some(policy), Some(source)) = (read.policy.as_ref(), read.source(&self.arn)) else { return true };
        let is_made_of = |attempt| {
            copy_name(policy, &source, &self.arn.region, read.kms_key.as_ref(), attempt).as_str() == self.arn.name
        };
        // Few have had more attempts than that.
        read.attempt.map_or_else(|| (1..=NAMES).any(is_made_of), is_made_of)
    }
}

/// RDS's status (RDS User Guide, "Viewing DB snapshot status"). What is being made may be waited for; what has failed stays so.
fn state(status: &str) -> State {
    match status {
        AVAILABLE => State::Completed,
        COPYING | "creating" | "pending" => State::Pending,
        FAILED => State::Error,
        _ => State::Other,
    }
}

fn size_gib(allocated: Option<i32>) -> u32 {
    allocated.and_then(|size| u32::try_from(size).ok()).unwrap_or_default()
}
