//! Snapferry's own tags: the whole memory of what a copy is, kept on the copy itself.
//!
//! Written in the CopySnapshot call, so a copy is never without them. Only `snapferry:status`, `snapferry:settled-at`,
//! `snapferry:copy`, `snapferry:proof` and `snapferry:lock` change later, and a filler in `snapferry:source-volume` once. Expiry trusts nothing but
//! these tags on copies that this account owns.

mod keys;
mod problem;
mod proof;

use jiff::Timestamp;
use serde::Serialize;

use crate::ids::{AccountId, KeyArn, PolicyName, Region, SnapshotId, VolumeId};
use crate::text::printable;

pub use self::keys::{
    COPY, EXPIRE_AFTER, KMS_KEY, LOCK, POLICY, PROOF, SETTLED_AT, SOURCE_ACCOUNT, SOURCE_REGION, SOURCE_SIZE_GIB,
    SOURCE_SNAPSHOT, SOURCE_START_TIME, SOURCE_VOLUME, STATUS,
};
pub(crate) use self::problem::NAME;
pub use self::problem::TagProblem;
pub use self::proof::Proof;

/// How many of Snapferry's tags a copy carries at most. EC2 allows 50 in all (EC2 User Guide, tag restrictions).
pub const OWN_TAGS: usize = 14;

/// What Snapferry knows of a copy, as its `snapferry:status` tag says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Asked for, not judged yet.
    Copying,
    /// Completed and found to be what the policy asked for.
    Verified,
    /// EC2 gave up on it.
    Failed,
    /// Completed, but not what the policy asked for.
    Rejected,
}

impl Status {
    /// The tag's value.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Copying => "copying",
            Self::Verified => "verified",
            Self::Failed => "failed",
            Self::Rejected => "rejected",
        }
    }

    /// The status that a tag's value names.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Copying, Self::Verified, Self::Failed, Self::Rejected].into_iter().find(|s| s.as_str() == text)
    }
}

/// Whether a copy that its policy wants locked is, as its `snapferry:lock` tag says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Lock {
    /// To be locked once it is verified.
    Pending,
    /// Locked by Snapferry.
    Locked,
}

impl Lock {
    /// The tag's value.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Locked => "locked",
        }
    }

    /// The lock state that a tag's value names.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Pending, Self::Locked].into_iter().find(|s| s.as_str() == text)
    }
}

/// All of Snapferry's tags on one copy, read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyTags {
    /// The policy that asked for the copy.
    pub policy: PolicyName,
    /// The snapshot that was copied.
    pub source_snapshot: SnapshotId,
    /// Its owner.
    pub source_account: AccountId,
    /// Where it was shared.
    pub source_region: Region,
    /// The volume it was made of.
    pub source_volume: VolumeId,
    /// Its volume's size in GiB.
    pub source_size_gib: u32,
    /// When it was started.
    pub source_start_time: Timestamp,
    /// The key the copy was asked to be encrypted under.
    pub kms_key: Option<KeyArn>,
    /// When the copy may be deleted.
    pub expire_after: Option<Timestamp>,
    /// What is known of the copy.
    pub status: Status,
    /// When that was settled.
    pub settled_at: Option<Timestamp>,
    /// The copy's own ID, if it was settled with it.
    pub copy: Option<SnapshotId>,
    /// Whether it is locked, if it should be.
    pub lock: Option<Lock>,
}

/// Snapferry's tags on one snapshot, each as far as it can be read by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadTags {
    /// The policy that asked for the copy.
    pub policy: Option<PolicyName>,
    /// The snapshot that was copied.
    pub source_snapshot: Option<SnapshotId>,
    /// Its owner.
    pub source_account: Option<AccountId>,
    /// Where it was shared.
    pub source_region: Option<Region>,
    /// The volume it was made of.
    pub source_volume: Option<VolumeId>,
    /// Its volume's size in GiB.
    pub source_size_gib: Option<u32>,
    /// When it was started.
    pub source_start_time: Option<Timestamp>,
    /// The key the copy was asked to be encrypted under.
    pub kms_key: Option<KeyArn>,
    /// When the copy may be deleted.
    pub expire_after: Option<Timestamp>,
    /// What is known of the copy.
    pub status: Option<Status>,
    /// When that was settled.
    pub settled_at: Option<Timestamp>,
    /// The copy's own ID, if it was settled with it.
    pub copy: Option<SnapshotId>,
    /// Whether it is locked, if it should be.
    pub lock: Option<Lock>,
    /// What was proven of its content. An unreadable one is none, and no problem.
    pub proof: Option<Proof>,
    /// Every tag that is missing or cannot be read.
    pub problems: Vec<TagProblem>,
}

impl ReadTags {
    /// Whether the tags are another snapshot's: then they say nothing of this one.
    #[must_use]
    pub fn are_of_another(&self) -> bool {
        self.problems.iter().any(|problem| problem.key == COPY)
    }

    /// Whether the snapshot is an impostor. An edited `snapferry:copy` that names no snapshot leaves the copy what it was.
    #[must_use]
    pub fn name_another(&self) -> bool {
        self.problems.iter().any(TagProblem::is_of_another)
    }

    /// Reads Snapferry's tags on the snapshot `id`; other tags are ignored. One that names another snapshot in
    /// `snapferry:copy` has a problem there.
    #[must_use]
    pub fn read<'t>(id: &SnapshotId, tags: impl IntoIterator<Item = (&'t str, &'t str)>) -> Self {
        let mut reader = Reader::new(tags);
        let read = Self {
            policy: reader.required(POLICY, |v| PolicyName::parse(v).ok()),
            source_snapshot: reader.required(SOURCE_SNAPSHOT, |v| SnapshotId::parse(v).ok()),
            source_account: reader.required(SOURCE_ACCOUNT, |v| AccountId::parse(v).ok()),
            source_region: reader.required(SOURCE_REGION, |v| Region::parse(v).ok()),
            source_volume: reader.required(SOURCE_VOLUME, |v| VolumeId::parse(v).ok()),
            source_size_gib: reader.required(SOURCE_SIZE_GIB, |v| v.parse().ok()),
            source_start_time: reader.required(SOURCE_START_TIME, |v| v.parse().ok()),
            status: reader.required(STATUS, Status::parse),
            kms_key: reader.optional(KMS_KEY, |v| KeyArn::parse(v).ok()),
            expire_after: reader.optional(EXPIRE_AFTER, |v| v.parse().ok()),
            settled_at: reader.optional(SETTLED_AT, |v| v.parse().ok()),
            copy: reader.optional(COPY, |v| (v == id.as_str()).then(|| id.clone())),
            lock: reader.optional(LOCK, Lock::parse),
            proof: reader.found.get(PROOF).and_then(|value| Proof::parse(value)),
            problems: Vec::new(),
        };
        Self { problems: reader.problems, ..read }
    }

    /// All the tags, if nothing is wrong with any of them.
    ///
    /// # Errors
    /// Every tag that is missing or cannot be read.
    pub fn whole(self) -> Result<CopyTags, Vec<TagProblem>> {
        let problems = self.problems;
        let whole = (|| {
            Some(CopyTags {
                policy: self.policy?,
                source_snapshot: self.source_snapshot?,
                source_account: self.source_account?,
                source_region: self.source_region?,
                source_volume: self.source_volume?,
                source_size_gib: self.source_size_gib?,
                source_start_time: self.source_start_time?,
                kms_key: self.kms_key,
                expire_after: self.expire_after,
                status: self.status?,
                settled_at: self.settled_at,
                copy: self.copy,
                lock: self.lock,
            })
        })();
        whole.filter(|_| problems.is_empty()).ok_or(problems)
    }
}

impl CopyTags {
    /// Reads all of Snapferry's tags on the snapshot `id`; other tags are ignored.
    ///
    /// # Errors
    /// Every tag that is missing or cannot be read.
    pub fn parse<'t>(
        id: &SnapshotId,
        tags: impl IntoIterator<Item = (&'t str, &'t str)> + Clone,
    ) -> Result<Self, Vec<TagProblem>> {
        ReadTags::read(id, tags).whole()
    }

    /// The tags in the order in which a CopySnapshot request carries them.
    #[must_use]
    pub fn to_pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = vec![
            (POLICY, self.policy.to_string()),
            (SOURCE_SNAPSHOT, self.source_snapshot.to_string()),
            (SOURCE_ACCOUNT, self.source_account.to_string()),
            (SOURCE_REGION, self.source_region.to_string()),
            (SOURCE_VOLUME, self.source_volume.to_string()),
            (SOURCE_SIZE_GIB, self.source_size_gib.to_string()),
            (SOURCE_START_TIME, self.source_start_time.to_string()),
        ];
        pairs.extend(self.kms_key.as_ref().map(|key| (KMS_KEY, key.to_string())));
        pairs.extend(self.expire_after.map(|at| (EXPIRE_AFTER, at.to_string())));
        pairs.push((STATUS, self.status.as_str().to_owned()));
        pairs.extend(self.settled_at.map(|at| (SETTLED_AT, at.to_string())));
        pairs.extend(self.copy.as_ref().map(|copy| (COPY, copy.to_string())));
        pairs.extend(self.lock.map(|lock| (LOCK, lock.as_str().to_owned())));
        pairs
    }
}

/// Reads tags one by one, and takes down what is wrong with them.
pub(crate) struct Reader<'t> {
    found: std::collections::HashMap<&'t str, &'t str>,
    /// Every tag that was asked for and is missing or cannot be read.
    pub(crate) problems: Vec<TagProblem>,
}

impl<'t> Reader<'t> {
    pub(crate) fn new(tags: impl IntoIterator<Item = (&'t str, &'t str)>) -> Self {
        Self { found: tags.into_iter().collect(), problems: Vec::new() }
    }

    pub(crate) fn required<T>(&mut self, key: &'static str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        if self.found.contains_key(key) {
            self.optional(key, read)
        } else {
            self.problems.push(TagProblem { key, found: None });
            None
        }
    }

    pub(crate) fn optional<T>(&mut self, key: &'static str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        let value = *self.found.get(key)?;
        let parsed = read(value);
        if parsed.is_none() {
            self.problems.push(TagProblem { key, found: Some(printable(value, 80)) });
        }
        parsed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags() -> CopyTags {
        CopyTags {
            policy: PolicyName::parse("default").unwrap(),
            source_snapshot: SnapshotId::parse("snap-0123456789abcdef0").unwrap(),
            source_account: AccountId::parse("111111111111").unwrap(),
            source_region: Region::parse("us-east-1").unwrap(),
            source_volume: VolumeId::parse("vol-0123456789abcdef0").unwrap(),
            source_size_gib: 8,
            source_start_time: "2026-11-22T03:00:00.5Z".parse().unwrap(),
            kms_key: Some(KeyArn::parse("arn:aws:kms:eu-west-1:222222222222:key/abc").unwrap()),
            expire_after: Some("2026-12-22T03:00:00Z".parse().unwrap()),
            status: Status::Copying,
            settled_at: None,
            copy: None,
            lock: Some(Lock::Pending),
        }
    }

    fn id() -> SnapshotId {
        SnapshotId::parse("snap-00000007").unwrap()
    }

    #[test]
    fn written_tags_are_read_back() {
        let pairs = tags().to_pairs();
        let read = CopyTags::parse(&id(), pairs.iter().map(|(k, v)| (*k, v.as_str())));
        assert_eq!(read, Ok(tags()));
    }

    #[test]
    fn each_edited_or_missing_tag_is_named() {
        let pairs = tags().to_pairs();
        for (key, _) in &pairs {
            let edited = pairs.iter().map(|(k, v)| (*k, if k == key { "\u{7}?" } else { v.as_str() }));
            let problems = CopyTags::parse(&id(), edited).unwrap_err();
            assert_eq!(problems, [TagProblem { key, found: Some("\\u{7}?".to_owned()) }]);
            let missing = pairs.iter().filter(|(k, _)| k != key).map(|(k, v)| (*k, v.as_str()));
            match *key {
                KMS_KEY | EXPIRE_AFTER | LOCK => assert!(CopyTags::parse(&id(), missing).is_ok()),
                _ => assert_eq!(CopyTags::parse(&id(), missing).unwrap_err(), [TagProblem { key, found: None }]),
            }
        }
    }

    #[test]
    fn tags_that_name_another_snapshot_are_not_this_ones() {
        for (found, is_of_another) in [("snap-00000007", false), ("snap-00000008", true), ("", true), ("snap-7", true)]
        {
            let read = ReadTags::read(&id(), [(COPY, found)]);
            assert_eq!((read.are_of_another(), read.copy.is_some()), (is_of_another, !is_of_another), "{found}");
        }
        assert!(!ReadTags::read(&id(), []).are_of_another());
    }

    #[test]
    fn of_an_edited_tag_no_more_than_a_line_is_kept() {
        let read = ReadTags::read(&id(), [(POLICY, "?".repeat(256).as_str())]);
        assert_eq!(read.problems[0], TagProblem { key: POLICY, found: Some(format!("{}…", "?".repeat(80))) });
    }

    #[test]
    fn the_count_of_own_tags_is_the_largest_possible() {
        let all = CopyTags { settled_at: Some(Timestamp::UNIX_EPOCH), copy: Some(id()), ..tags() };
        // And PROOF, which is no part of what a copy is.
        assert_eq!(all.to_pairs().len() + 1, OWN_TAGS);
    }
}
