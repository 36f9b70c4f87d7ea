//! What one CopyDBSnapshot or CopyDBClusterSnapshot asks for.

use jiff::Timestamp;

use super::described::Shared;
use super::held::Asked;
use super::name::{CopyName, copy_name};
use super::tags::CopyTags;
use crate::ids::{KeyArn, PolicyName};
use crate::policy::{Encryption, Target};
use crate::tags::Status;

/// A copy to be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CopyRequest<'f> {
    /// The policy that asks.
    pub policy: &'f PolicyName,
    /// The snapshot to copy.
    pub source: &'f Shared,
    /// Where the copy goes, and how.
    pub target: &'f Target,
    /// Which copy of its identity it is, from 1 on: one more than there are that failed, were rejected or are under a lost key.
    pub attempt: u32,
}

impl CopyRequest<'_> {
    /// The copy's name: the same whenever the same copy is asked for.
    #[must_use]
    pub fn name(&self) -> CopyName {
        copy_name(self.policy, &self.source.source, &self.target.region, self.key(), self.attempt)
    }

    /// The key that the copy is to be encrypted under; none for a copy in the clear.
    #[must_use]
    pub fn key(&self) -> Option<&KeyArn> {
        match &self.target.encryption {
            Encryption::Key(key) => Some(key),
            Encryption::AsSource | Encryption::DefaultKey => None,
        }
    }

    /// The tags of a copy asked for at `at`: Snapferry's own, then the rule's TagsToAdd.
    #[must_use]
    pub fn tags(&self, at: Timestamp) -> Vec<(String, String)> {
        let own = self.own_tags(at).to_pairs().into_iter().map(|(key, value)| (key.to_owned(), value));
        own.chain(self.target.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone()))).collect()
    }

    /// What the holder of its name has to be. An earlier request for it had another time, and the policy's TagsToAdd may have
    /// changed since, so neither counts.
    #[must_use]
    pub fn asked(&self) -> Asked {
        let lasting = self.own_tags(Timestamp::UNIX_EPOCH).lasting();
        Asked {
            tags: lasting.into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
            source_arn: self.source.source.arn.to_string(),
            source_created: self.source.source.created,
            key: self.key().cloned(),
        }
    }

    fn own_tags(&self, at: Timestamp) -> CopyTags {
        let source = &self.source.source;
        CopyTags {
            policy: self.policy.clone(),
            source_name: source.arn.name.clone(),
            source_account: source.arn.account.clone(),
            source_region: source.arn.region.clone(),
            source_resource: Some(source.resource_id.clone()).filter(|resource| !resource.is_empty()),
            source_engine: self.source.engine.clone(),
            source_size_gib: self.source.allocated_storage,
            source_created: source.created,
            attempt: self.attempt,
            kms_key: self.key().cloned(),
            expire_after: self.target.retain.as_ref().map(|rule| rule.interval.after(at)),
            status: Status::Copying,
            settled_at: None,
            copy: None,
        }
    }
}
