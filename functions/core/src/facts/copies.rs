//! The copies of ours in a Region, in few bytes: there may be a hundred thousand.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use super::life::{Endangered, KeyLife};
use super::state::State;
use super::{DatabaseCopy, KeyFact, Lineage};
use crate::ids::{AccountId, PolicyName, Region, SnapshotId};
use crate::retention::LockMode;
use crate::tags::{Lock, ReadTags, Status, TagProblem};

/// A snapshot with Snapferry's tags: all that EC2 or RDS says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedCopy {
    /// Its ID.
    pub id: SnapshotId,
    /// Its owner as EC2 or RDS says.
    pub owner: Option<AccountId>,
    /// Its state.
    pub state: State,
    /// EC2's words on its state: why it is in error. Of a database's copy its status, as RDS calls it.
    pub state_message: String,
    /// Whether it is encrypted. EC2 says so only once it is completed.
    pub encrypted: bool,
    /// The ARN of its key.
    pub kms_key: Option<String>,
    /// Its size in GiB.
    pub size_gib: u32,
    /// When it was started.
    pub start_time: Timestamp,
    /// Snapferry's tags on it.
    pub tags: ReadTags,
    /// The lock that EC2 holds on it, as far as that was read.
    pub lock: Option<HeldLock>,
    /// Its own description, which quotes the source's: text that a sender wrote.
    pub description: Box<str>,
    /// What a database's copy has besides; nothing of a volume's.
    pub database: Option<Box<DatabaseCopy>>,
}

impl DescribedCopy {
    /// When it was started, where that is known.
    #[must_use]
    pub fn started(&self) -> Option<Timestamp> {
        self.database.as_ref().is_none_or(|database| database.is_dated).then_some(self.start_time)
    }
}

/// A lock that EC2 holds on a copy (EC2 API reference, DescribeLockedSnapshots). An expired one is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldLock {
    /// Its mode; a compliance lock in its cooling-off period is one of compliance.
    pub mode: LockMode,
    /// For how many days.
    pub days: Option<u32>,
    /// Since when.
    pub since: Option<Timestamp>,
    /// When it ends.
    pub until: Option<Timestamp>,
}

/// What many copies have in common. Shared between them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// The owner of the copies, as EC2 says.
    pub owner: Option<AccountId>,
    /// From their tags: the policy that asked for them.
    pub policy: PolicyName,
    /// From their tags: the source account.
    pub account: Option<AccountId>,
    /// From their tags: the Region that the sources were shared in.
    pub region: Option<Region>,
    /// The key that encrypts them, as EC2 says.
    pub key: Option<Box<str>>,
    /// What has become of that key; in doubt until KMS has been asked.
    pub life: KeyLife,
}

/// A copy of ours whose identity can be read from its tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copy {
    /// Its ID.
    pub id: SnapshotId,
    /// From its tags: the snapshot that was copied.
    pub source: SnapshotId,
    /// From its tags: what it is a copy of, over time.
    pub lineage: Option<Lineage>,
    /// What it has in common with others.
    pub origin: Arc<Origin>,
    /// When the copy was started.
    pub start_time: Timestamp,
    /// From its tags: when its source was started.
    pub source_start_time: Moment,
    /// From its tags: when its verdict was given.
    pub settled_at: Moment,
    /// From its tags: when it may be deleted.
    pub expire_after: Moment,
    /// EC2's state of it.
    pub state: State,
    /// From its tags: its verdict.
    pub status: Option<Status>,
    /// From its tags: whether they name this copy, so that the verdict is its own.
    pub is_bound: bool,
    /// From its tags: whether it is locked, or is to be.
    pub lock: Option<Lock>,
    /// Whether one of its tags, or what EC2 says of it, is missing or cannot be read: then it is never deleted, and no proof that another may be.
    pub is_tampered: bool,
}

/// A time, or none, in the bytes of a time: each of hundreds of thousands of copies has three.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    second: i64,
    /// More than any time has where there is none.
    nanosecond: i32,
}

/// A snapshot with some of Snapferry's tags, of which others were edited or removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TamperedCopy {
    /// Its ID.
    pub id: SnapshotId,
    /// From its tags, where that can be read: the Region that its source was shared in.
    pub source_region: Option<Region>,
    /// When it was started.
    pub start_time: Timestamp,
    /// What is wrong with its tags.
    pub problems: Vec<TagProblem>,
}

/// The copies found in one Region; each once, in the order of their IDs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Copies {
    /// Those whose identity can be read.
    pub copies: Vec<Copy>,
    /// Those with a malformed tag. One whose identity is still readable stands in `copies` too.
    pub tampered: Vec<TamperedCopy>,
    /// What KMS says of each key that encrypts them; none of a key that nobody asked about.
    pub keys: BTreeMap<Box<str>, KeyFact>,
    /// Those of which EC2's description cannot be read, in words that name them. They stand in `copies` too, and prove nothing.
    pub unreadable: Vec<String>,
}

impl Copy {
    /// Whether EC2 gave up on it, or its verdict is that it is not what was asked for.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.state == State::Error || matches!(self.status, Some(Status::Failed | Status::Rejected))
    }

    /// Whether the copy is good or may still become so. One that has failed does not count, nor does one under a doomed key.
    #[must_use]
    pub fn is_live(&self) -> bool {
        !self.has_failed() && self.origin.life != KeyLife::Doomed
    }

    /// Whether the copy is proven to be what was asked for.
    #[must_use]
    pub fn is_verified(&self) -> bool {
        self.status == Some(Status::Verified) && self.is_bound && self.state == State::Completed
    }

    /// Whether the copy is proven good and can be restored, so that another may go.
    #[must_use]
    pub fn is_survivor(&self) -> bool {
        self.is_verified() && self.origin.life == KeyLife::Alive
    }

    /// Whether the copy protects its source: completed, verified, locked if it should be, and not under a doomed key. A verdict
    /// that does not name the copy is of an earlier version of Snapferry, and is given again soon: until then it counts here,
    /// and lets nothing go.
    #[must_use]
    pub fn is_protection(&self) -> bool {
        let is_good = self.status == Some(Status::Verified) && self.state == State::Completed;
        is_good && self.lock != Some(Lock::Pending) && self.origin.life != KeyLife::Doomed
    }

    /// Whether nobody named its lineage, so that it may be of any number of them.
    #[must_use]
    pub fn is_lineage_unknown(&self) -> bool {
        self.lineage.as_ref().is_none_or(Lineage::is_filler)
    }

    /// How old its data is believed to be. A source that claims to have been started after its own copy counts as old as
    /// the copy, so that no forged time outlives the copies that come after it.
    #[must_use]
    pub fn taken_at(&self) -> Timestamp {
        self.source_start_time.get().map_or(self.start_time, |source| source.min(self.start_time))
    }
}

impl TamperedCopy {
    /// What somebody does about it.
    pub(crate) fn remedy(&self) -> &'static str {
        if self.problems.iter().any(TagProblem::is_of_another) {
            "Something copied another's tags onto it. If a copy.started record names it (copy.snapshot), or its description \
             begins with \"Snapferry copy of\", restore its own tags from there; if not, it is no copy of Snapferry's: remove all \
             tags from it whose keys begin with snapferry:."
        } else if self.id.is_of_database() {
            "Restore the tags that its request had: CloudTrail has it in the copy's Region, a CopyDBSnapshot or CopyDBClusterSnapshot with \
             this name."
        } else {
            "Restore the tags from its copy.started record."
        }
    }
}

impl Moment {
    /// None.
    pub const NEVER: Self = Self { second: 0, nanosecond: i32::MAX };

    /// The time, if there is one.
    #[must_use]
    pub fn get(self) -> Option<Timestamp> {
        Timestamp::new(self.second, self.nanosecond).ok()
    }
}

impl From<Option<Timestamp>> for Moment {
    fn from(time: Option<Timestamp>) -> Self {
        let moment = |time: Timestamp| Self { second: time.as_second(), nanosecond: time.subsec_nanosecond() };
        time.map_or(Self::NEVER, moment)
    }
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

impl Copies {
    /// The keys that are not alive and under which there are copies.
    pub fn endangered(&self) -> impl Iterator<Item = Endangered<'_>> {
        let lost = self.keys.iter().filter(|(_, fact)| fact.life() != KeyLife::Alive);
        let under = |key: &str| {
            let is_under = |copy: &&Copy| !copy.has_failed() && copy.origin.key.as_deref() == Some(key);
            self.copies.iter().filter(is_under).count()
        };
        lost.map(move |(key, fact)| Endangered { key, fact, copies: under(key) }).filter(|key| key.copies > 0)
    }

    /// The keys that encrypt them, each once: there are few, however many copies.
    #[must_use]
    pub fn keys_named(&self) -> BTreeSet<&str> {
        let mut last = None;
        let changes = self.copies.iter().filter(|copy| last.replace(&copy.origin) != Some(&copy.origin));
        changes.filter_map(|copy| copy.origin.key.as_deref()).collect()
    }

    /// These and others of the same Region, of another kind.
    #[must_use]
    pub fn with(mut self, others: Self) -> Self {
        let Self { copies, tampered, keys, unreadable } = others;
        self.copies.extend(copies);
        self.copies.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        self.tampered.extend(tampered);
        self.keys.extend(keys);
        self.unreadable.extend(unreadable);
        self
    }

    /// Takes down what KMS says of the keys, and what that makes of each copy. A key that is not among them stays in doubt.
    pub fn note_keys(&mut self, keys: BTreeMap<Box<str>, KeyFact>) {
        let mut noted: HashMap<*const Origin, Arc<Origin>> = HashMap::new();
        for copy in &mut self.copies {
            let Some(fact) = copy.origin.key.as_ref().and_then(|key| keys.get(key)) else { continue };
            let with_life = || Arc::new(Origin { life: fact.life(), ..(*copy.origin).clone() });
            copy.origin = Arc::clone(noted.entry(Arc::as_ptr(&copy.origin)).or_insert_with(with_life));
        }
        self.keys = keys;
    }
}

/// Takes a Region's copies down one after the other.
#[derive(Debug, Default)]
pub struct Inventory {
    copies: Copies,
    /// Each origin once in memory, however many copies share it.
    origins: HashSet<Arc<Origin>>,
}

impl Inventory {
    /// Takes down one snapshot. A copy counts by its identity even when somebody edited its other tags: better no copy than a
    /// second one. One whose identity cannot be read, or whose tags name another snapshot as theirs, is only told of.
    pub fn add(&mut self, found: DescribedCopy) {
        self.take_down(found, false);
    }

    /// Takes down one that EC2 did not describe in full: `problem` names it and says what is missing.
    pub fn add_in_doubt(&mut self, found: DescribedCopy, problem: String) {
        self.copies.unreadable.push(problem);
        self.take_down(found, true);
    }

    fn take_down(&mut self, found: DescribedCopy, is_in_doubt: bool) {
        let DescribedCopy { id, owner, state, kms_key, start_time, tags, .. } = found;
        let is_edited = !tags.problems.is_empty();
        let is_of_another = tags.name_another();
        if is_edited {
            let source_region = tags.source_region.clone();
            self.copies.tampered.push(TamperedCopy {
                id: id.clone(),
                source_region,
                start_time,
                problems: tags.problems,
            });
        }
        let (Some(policy), Some(source), false) = (tags.policy, tags.source_snapshot, is_of_another) else { return };
        let key = kms_key.map(String::into_boxed_str);
        // What is not encrypted has no key to lose.
        let life = if key.is_none() { KeyLife::Alive } else { KeyLife::InDoubt };
        let origin = Origin { owner, policy, account: tags.source_account, region: tags.source_region, key, life };
        let origin = self.shared(origin);
        self.copies.copies.push(Copy {
            id,
            source,
            lineage: tags.source_volume,
            origin,
            start_time,
            source_start_time: tags.source_start_time.into(),
            settled_at: tags.settled_at.into(),
            expire_after: tags.expire_after.into(),
            state,
            status: tags.status,
            is_bound: tags.copy.is_some(),
            lock: tags.lock,
            is_tampered: is_edited || is_in_doubt,
        });
    }

    /// What was taken down. EC2 may show a snapshot on two pages when others come and go meanwhile: it counts once.
    #[must_use]
    pub fn close(self) -> Copies {
        let Copies { mut copies, mut tampered, keys, unreadable } = self.copies;
        copies.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        copies.dedup_by(|a, b| a.id == b.id);
        tampered.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        tampered.dedup_by(|a, b| a.id == b.id);
        Copies { copies, tampered, keys, unreadable }
    }

    fn shared(&mut self, origin: Origin) -> Arc<Origin> {
        if let Some(known) = self.origins.get(&origin) {
            return Arc::clone(known);
        }
        let origin = Arc::new(origin);
        self.origins.insert(Arc::clone(&origin));
        origin
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_stays_small() {
        assert!(size_of::<Copy>() <= 152, "{} bytes, and there are hundreds of thousands", size_of::<Copy>());
    }

    /// A database's copy.started record has neither its attempt nor its engine.
    #[test]
    fn the_tags_of_a_databases_copy_are_restored_from_its_request() {
        let edited = |id| TamperedCopy {
            id,
            source_region: None,
            start_time: Timestamp::UNIX_EPOCH,
            problems: vec![TagProblem { key: "snapferry:attempt", found: None }],
        };
        assert!(edited(SnapshotId::of_copy("snapferry-0")).remedy().contains("CloudTrail"));
        assert!(edited(SnapshotId::parse("snap-00000001").unwrap()).remedy().contains("copy.started"));
    }

    #[test]
    fn a_moment_is_a_time_or_none() {
        let exact: Timestamp = "1969-12-31T23:59:59.123456789Z".parse().unwrap();
        for time in [None, Some(Timestamp::UNIX_EPOCH), Some(exact), Some(Timestamp::MIN), Some(Timestamp::MAX)] {
            assert_eq!(Moment::from(time).get(), time);
        }
    }
}
