//! What one CopySnapshot call asks for.

use jiff::Timestamp;

use super::lineages::CopiedLineage;
use crate::description;
use crate::facts::{Copy, SourceSnapshot, State};
use crate::ids::{KeyArn, PolicyName, Region, VolumeId};
use crate::ledger::Identity;
use crate::policy::{DescriptionFilter, Encryption, Target};
use crate::tags::{CopyTags, Lock, Status};

/// A copy to be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CopyRequest<'f> {
    /// The policy that asks.
    pub policy: &'f PolicyName,
    /// Its DescriptionRegex, which may name the volume.
    pub filter: &'f DescriptionFilter,
    /// The snapshot to copy.
    pub source: &'f SourceSnapshot,
    /// The Region that the snapshot is in.
    pub home: &'f Region,
    /// Where the copy goes, and how.
    pub target: &'f Target,
}

impl CopyRequest<'_> {
    /// The copy's description: where it comes from, then as much of the original as EC2's limit leaves room for.
    #[must_use]
    pub fn description(&self) -> String {
        description::of_copy(&self.source.id, self.home, &self.source.owner, &self.source.description)
    }

    /// The volume whose copy it is: EC2's word, and only where that is a filler what the DescriptionRegex captures.
    #[must_use]
    pub fn volume(&self) -> VolumeId {
        let volume = &self.source.volume;
        let captured = volume.is_filler().then(|| self.filter.volume(&self.source.description)).flatten();
        captured.unwrap_or_else(|| volume.clone())
    }

    /// For what it is.
    #[must_use]
    pub fn identity(&self) -> Identity {
        Identity { policy: self.policy.clone(), source: self.source.id.clone(), region: self.target.region.clone() }
    }

    /// Its lineage, as its policy copies it there.
    #[must_use]
    pub fn lineage(&self) -> CopiedLineage {
        CopiedLineage {
            policy: self.policy.clone(),
            region: self.target.region.clone(),
            account: self.source.owner.clone(),
            lineage: self.volume(),
        }
    }

    /// The other copies of the same instance that are under way in its Region: RDS makes them one after the other, each as an increment
    /// of the one before. Copies of clusters are always whole (Aurora User Guide, "Copying a DB cluster snapshot"), so none of them waits.
    pub fn copies_ahead<'c>(&self, copies: &'c [Copy]) -> impl Iterator<Item = &'c Copy> {
        let is_of_it = |copy: &Copy| {
            copy.lineage.as_ref() == Some(&self.source.volume)
                && copy.origin.account.as_ref() == Some(&self.source.owner)
        };
        copies.iter().filter(move |copy| self.has_turns() && copy.state == State::Pending && is_of_it(copy))
    }

    /// Whether copies of its lineage are made one after the other.
    #[must_use]
    pub fn has_turns(&self) -> bool {
        self.source.volume.is_of_instance()
    }

    /// Whether the copy is to expire, and not before there are newer ones of its lineage.
    #[must_use]
    pub fn policy_keeps(&self) -> bool {
        self.target.retain.as_ref().is_some_and(|rule| rule.keep_at_least > 0)
    }

    /// The key that the copy is to be encrypted under, if the policy names one.
    #[must_use]
    pub fn key(&self) -> Option<&KeyArn> {
        match &self.target.encryption {
            Encryption::Key(key) => Some(key),
            Encryption::AsSource | Encryption::DefaultKey => None,
        }
    }

    /// When a copy asked for at `at` may be deleted: `at` plus the RetainRule's interval in calendar units.
    #[must_use]
    pub fn expire_after(&self, at: Timestamp) -> Option<Timestamp> {
        self.target.retain.as_ref().map(|rule| rule.interval.after(at))
    }

    /// Whether a sweep leaves it at `now`, unless it is the newest of a lineage without a copy: its source is older than the policy
    /// keeps copies. Where the lineage is unknown, nobody knows which is the newest.
    #[must_use]
    pub fn is_over_retention(&self, now: Timestamp) -> bool {
        self.expire_after(self.source.start_time).is_some_and(|over| over <= now)
            && !(self.policy_keeps() && self.volume().is_filler())
    }

    /// The tags of a copy asked for at `at`: Snapferry's own, then the rule's TagsToAdd.
    #[must_use]
    pub fn tags(&self, at: Timestamp) -> Vec<(String, String)> {
        let own = CopyTags {
            policy: self.policy.clone(),
            source_snapshot: self.source.id.clone(),
            source_account: self.source.owner.clone(),
            source_region: self.home.clone(),
            source_volume: self.volume(),
            source_size_gib: self.source.size_gib,
            source_start_time: self.source.start_time,
            kms_key: self.key().cloned(),
            expire_after: self.expire_after(at),
            status: Status::Copying,
            settled_at: None,
            copy: None,
            lock: self.target.lock.as_ref().map(|_| Lock::Pending),
        };
        let own = own.to_pairs().into_iter().map(|(key, value)| (key.to_owned(), value));
        own.chain(self.target.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone()))).collect()
    }
}
