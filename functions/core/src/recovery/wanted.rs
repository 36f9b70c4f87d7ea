//! What somebody wants back.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::facts::Copy;
use crate::ids::{AccountId, PolicyName, VolumeId};

/// What is to be restored.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// The policies whose copies count; those of others are passed over.
    pub policies: BTreeSet<PolicyName>,
    /// The source accounts; all when empty.
    pub accounts: BTreeSet<AccountId>,
    /// The volumes; all when empty.
    pub volumes: BTreeSet<VolumeId>,
    /// Only sources that were started before.
    pub before: Option<Timestamp>,
    /// What is known of volumes from the source account. Each that is wanted must have a point.
    pub attachments: BTreeMap<VolumeId, Attachment>,
}

/// What is known of a volume in the source account. Text of somebody else.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attachment {
    /// The instance that the volume was attached to; empty when to none.
    pub instance: String,
    /// As what it was attached, such as `/dev/sda1`.
    pub device: String,
    /// Its name.
    pub name: String,
}

impl Wanted {
    /// Whether this very volume is asked for.
    pub(super) fn names(&self, volume: &VolumeId) -> bool {
        self.volumes.contains(volume) || self.attachments.contains_key(volume)
    }

    /// Whether a copy is of an account and a volume that are asked for. What nobody can tell of a copy excludes it only where
    /// something else was named.
    pub(super) fn includes(&self, copy: &Copy) -> bool {
        let is_of_account = copy.origin.account.as_ref().is_none_or(|account| self.accounts.contains(account));
        let is_of_volume =
            copy.lineage.as_ref().is_none_or(|volume| volume.is_filler() || self.volumes.contains(volume));
        (self.accounts.is_empty() || is_of_account) && (self.volumes.is_empty() || is_of_volume)
    }
}
