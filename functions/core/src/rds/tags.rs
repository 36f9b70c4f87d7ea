//! Snapferry's tags on a copy of a database's snapshot. Where they mean what those of a volume's copy do, they have their keys.

use jiff::Timestamp;

use super::arn::SnapshotArn;
use super::name::{CopyName, Source};
use crate::ids::{AccountId, KeyArn, PolicyName, Region};
use crate::policy::MAX_TAGS_TO_ADD;
use crate::tags::{
    COPY, EXPIRE_AFTER, KMS_KEY, POLICY, Reader, SETTLED_AT, SOURCE_ACCOUNT, SOURCE_REGION, SOURCE_SIZE_GIB,
    SOURCE_SNAPSHOT, SOURCE_START_TIME, STATUS, Status, TagProblem,
};

/// `snapferry:source-resource`: `DbiResourceId` or `DbClusterResourceId` of the source; absent where RDS named none.
pub const SOURCE_RESOURCE: &str = "snapferry:source-resource";

/// `snapferry:source-engine`: the source's `Engine`.
pub const SOURCE_ENGINE: &str = "snapferry:source-engine";

/// `snapferry:attempt`: which copy of its identity it is, from 1 on. It is in the copy's name, too.
pub const ATTEMPT: &str = "snapferry:attempt";

/// How many of Snapferry's tags a copy carries at most. RDS allows 50 in all (RDS User Guide, "Tagging Amazon RDS resources").
pub const OWN_TAGS: usize = 14;
const _: () = assert!(MAX_TAGS_TO_ADD + OWN_TAGS + 5 <= 50, "others' tags need room, too");

/// All of Snapferry's tags on one copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyTags {
    /// The policy that asked for the copy.
    pub policy: PolicyName,
    /// The snapshot that was copied, as its owner calls it: its ARN may be longer than a tag's value.
    pub source_name: String,
    /// Its owner.
    pub source_account: AccountId,
    /// Where it was shared.
    pub source_region: Region,
    /// The instance or cluster that it was made of.
    pub source_resource: Option<String>,
    /// Its engine.
    pub source_engine: String,
    /// Its allocated storage in GiB.
    pub source_size_gib: i32,
    /// Its `SnapshotCreateTime`.
    pub source_created: Timestamp,
    /// Which copy of its identity it is.
    pub attempt: u32,
    /// The key the copy was asked to be encrypted under.
    pub kms_key: Option<KeyArn>,
    /// When the copy may be deleted.
    pub expire_after: Option<Timestamp>,
    /// What is known of the copy.
    pub status: Status,
    /// When that was settled.
    pub settled_at: Option<Timestamp>,
    /// The copy's own name, if it was settled with it.
    pub copy: Option<CopyName>,
}

/// Snapferry's tags on one snapshot, each as far as it can be read by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadTags {
    /// As in [`CopyTags`], as all that follow.
    pub policy: Option<PolicyName>,
    /// The source's name.
    pub source_name: Option<String>,
    /// Its owner.
    pub source_account: Option<AccountId>,
    /// Its Region.
    pub source_region: Option<Region>,
    /// Its instance or cluster.
    pub source_resource: Option<String>,
    /// Its engine.
    pub source_engine: Option<String>,
    /// Its size.
    pub source_size_gib: Option<i32>,
    /// Its time.
    pub source_created: Option<Timestamp>,
    /// Which copy it is.
    pub attempt: Option<u32>,
    /// Its key.
    pub kms_key: Option<KeyArn>,
    /// When its time is over.
    pub expire_after: Option<Timestamp>,
    /// Its verdict.
    pub status: Option<Status>,
    /// When that was given.
    pub settled_at: Option<Timestamp>,
    /// To which copy.
    pub copy: Option<CopyName>,
    /// Every tag that is missing or cannot be read.
    pub problems: Vec<TagProblem>,
}

impl ReadTags {
    /// Reads Snapferry's tags on the snapshot `name`; other tags are ignored. One that names another snapshot in
    /// `snapferry:copy` has a problem there.
    #[must_use]
    pub fn read<'t>(name: &str, tags: impl IntoIterator<Item = (&'t str, &'t str)>) -> Self {
        let mut reader = Reader::new(tags);
        let text = |value: &str| Some(value.to_owned()).filter(|text| !text.is_empty());
        let read = Self {
            policy: reader.required(POLICY, |v| PolicyName::parse(v).ok()),
            source_name: reader.required(SOURCE_SNAPSHOT, text),
            source_account: reader.required(SOURCE_ACCOUNT, |v| AccountId::parse(v).ok()),
            source_region: reader.required(SOURCE_REGION, |v| Region::parse(v).ok()),
            source_resource: reader.optional(SOURCE_RESOURCE, text),
            source_engine: reader.required(SOURCE_ENGINE, text),
            source_size_gib: reader.required(SOURCE_SIZE_GIB, |v| v.parse().ok()),
            source_created: reader.required(SOURCE_START_TIME, |v| v.parse().ok()),
            attempt: reader.required(ATTEMPT, |v| v.parse().ok()),
            status: reader.required(STATUS, Status::parse),
            kms_key: reader.optional(KMS_KEY, |v| KeyArn::parse(v).ok()),
            expire_after: reader.optional(EXPIRE_AFTER, |v| v.parse().ok()),
            settled_at: reader.optional(SETTLED_AT, |v| v.parse().ok()),
            copy: reader.optional(COPY, |v| CopyName::parse(v).filter(|copy| copy.as_str() == name)),
            problems: Vec::new(),
        };
        Self { problems: reader.problems, ..read }
    }

    /// The source of `copy`, which has these tags, if they say which one it is. Where somebody edited them it is another source or
    /// none; what was copied is not copied again for that, because the copy still has its name.
    #[must_use]
    pub fn source(&self, copy: &SnapshotArn) -> Option<Source> {
        let (account, region) = (self.source_account.clone()?, self.source_region.clone()?);
        let resource_id = self.source_resource.clone().unwrap_or_default();
        let arn = copy.of(region, account, self.source_name.clone()?);
        Some(Source { arn, created: self.source_created?, resource_id })
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
                source_name: self.source_name?,
                source_account: self.source_account?,
                source_region: self.source_region?,
                source_resource: self.source_resource,
                source_engine: self.source_engine?,
                source_size_gib: self.source_size_gib?,
                source_created: self.source_created?,
                attempt: self.attempt?,
                kms_key: self.kms_key,
                expire_after: self.expire_after,
                status: self.status?,
                settled_at: self.settled_at,
                copy: self.copy,
            })
        })();
        whole.filter(|_| problems.is_empty()).ok_or(problems)
    }
}

impl CopyTags {
    /// Reads all of Snapferry's tags on the snapshot `name`; other tags are ignored.
    ///
    /// # Errors
    /// Every tag that is missing or cannot be read.
    pub fn parse<'t>(name: &str, tags: impl IntoIterator<Item = (&'t str, &'t str)>) -> Result<Self, Vec<TagProblem>> {
        ReadTags::read(name, tags).whole()
    }

    /// The tags by which a copy is known whenever it was asked for.
    #[must_use]
    pub fn lasting(&self) -> Vec<(&'static str, String)> {
        let mut pairs = vec![
            (POLICY, self.policy.to_string()),
            (SOURCE_SNAPSHOT, self.source_name.clone()),
            (SOURCE_ACCOUNT, self.source_account.to_string()),
            (SOURCE_REGION, self.source_region.to_string()),
            (SOURCE_ENGINE, self.source_engine.clone()),
            (SOURCE_SIZE_GIB, self.source_size_gib.to_string()),
            (SOURCE_START_TIME, self.source_created.to_string()),
            (ATTEMPT, self.attempt.to_string()),
        ];
        pairs.extend(self.source_resource.as_ref().map(|resource| (SOURCE_RESOURCE, resource.clone())));
        pairs.extend(self.kms_key.as_ref().map(|key| (KMS_KEY, key.to_string())));
        pairs
    }

    /// The tags in the order in which a request carries them.
    #[must_use]
    pub fn to_pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = self.lasting();
        pairs.extend(self.expire_after.map(|at| (EXPIRE_AFTER, at.to_string())));
        pairs.push((STATUS, self.status.as_str().to_owned()));
        pairs.extend(self.settled_at.map(|at| (SETTLED_AT, at.to_string())));
        pairs.extend(self.copy.as_ref().map(|copy| (COPY, copy.to_string())));
        pairs
    }
}
