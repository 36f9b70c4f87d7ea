//! Which snapshots claim to be the copy of one source. Snapferry asks for no second copy while one is live, so of several all but
//! one are most likely something else, onto which all tags of the copy were copied before its verdict named it. Each then has a
//! verdict of its own, and their tags do not tell which is the source's.

use std::collections::{BTreeSet, HashMap};

use crate::facts::{Copies, Copy};
use crate::homes::is_anothers;
use crate::ids::{AccountId, PolicyName, Region, SnapshotId};

/// How many of the others a copy's record names: each of a thousand that named all of them would be a million names.
const NAMED: usize = 10;

/// What makes two copies in one Region copies of the same: the policy, and the source snapshot.
pub(super) type Identity<'f> = (&'f PolicyName, &'f SnapshotId);

/// The identities in one Region that several live copies claim. One without a verdict claims too: it may be the source's, while
/// the other was judged before it. So does one whose other tags were edited: the copier takes it for the source's and asks for no
/// other. One under a doomed key does not: where a key is lost, each source is copied again.
#[derive(Debug)]
pub(super) struct Claims<'f>(HashMap<Identity<'f>, Vec<&'f SnapshotId>>);

pub(super) fn identity(copy: &Copy) -> Identity<'_> {
    (&copy.origin.policy, &copy.source)
}

impl<'f> Claims<'f> {
    /// Of the copies in one Region that are `account`'s, where that is known, and of these homes.
    pub(super) fn of(vault: &'f Copies, account: Option<&AccountId>, homes: &BTreeSet<Region>) -> Self {
        let is_ours = |copy: &&Copy| {
            account.is_none_or(|account| copy.origin.owner.as_ref() == Some(account))
                && !is_anothers(homes, copy.origin.region.as_ref())
        };
        let mut live: Vec<&Copy> = vault.copies.iter().filter(is_ours).filter(|copy| copy.is_live()).collect();
        live.sort_unstable_by(|a, b| (identity(a), &a.id).cmp(&(identity(b), &b.id)));
        let identities = live.chunk_by(|a, b| identity(a) == identity(b));
        let several = identities.filter(|claimants| claimants.len() > 1);
        let with_ids = |claimants: &[&'f Copy]| {
            let identity = claimants.first().map(|copy| identity(copy))?;
            Some((identity, claimants.iter().map(|copy| &copy.id).collect()))
        };
        Self(several.filter_map(with_ids).collect())
    }

    /// Whether a copy lets another go: it is proven good, can be restored, and nothing else claims to be it.
    pub(super) fn is_survivor(&self, copy: &Copy) -> bool {
        copy.is_survivor() && !self.are_several(copy)
    }

    /// Whether several live copies claim a copy's identity, itself among them or not.
    pub(super) fn are_several(&self, copy: &Copy) -> bool {
        self.0.contains_key(&identity(copy))
    }

    /// The live copies beside this one that claim its identity, where they or it make several: the first of them, and how
    /// many more there are.
    pub(super) fn others(&self, copy: &Copy) -> (Vec<&'f SnapshotId>, usize) {
        let claimants = self.0.get(&identity(copy)).map_or(&[][..], Vec::as_slice);
        let is_among = claimants.binary_search(&&copy.id).is_ok();
        let others = claimants.iter().copied().filter(|id| **id != copy.id);
        let named: Vec<_> = others.take(NAMED).collect();
        let more = claimants.len().saturating_sub(usize::from(is_among)).saturating_sub(named.len());
        (named, more)
    }
}
