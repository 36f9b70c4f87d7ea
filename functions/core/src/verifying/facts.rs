//! What a verdict stands on.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::facts::{CallError, DescribedCopy, KeyFact, KeyLife, State};
use crate::ids::{AccountId, PolicyName, Region, SnapshotId};
use crate::ledger::{Identity, Obligation};
use crate::tags::Status;

/// All that the decision stands on.
#[derive(Debug)]
pub struct Facts {
    /// This account.
    pub account: Option<AccountId>,
    /// This home and the retired ones: other homes' copies are not judged.
    pub homes: BTreeSet<Region>,
    /// Policies whose document is gone and whose copies are judged all the same.
    pub retired_policies: BTreeSet<PolicyName>,
    /// The copies without a verdict or a lock in each target Region, retired ones included.
    pub regions: BTreeMap<Region, Result<Vec<DescribedCopy>, CallError>>,
    /// What KMS says of the keys that they are under. One that nobody asked about is in doubt.
    pub keys: BTreeMap<Box<str>, KeyFact>,
    /// What the ledger has of their identities; empty where it could not be read.
    pub obligations: BTreeMap<Identity, Obligation>,
}

impl Facts {
    /// Whose copy it is, by its tags; none where they cannot be read.
    #[must_use]
    pub fn identity_of(region: &Region, copy: &DescribedCopy) -> Option<Identity> {
        let (policy, source) = (copy.tags.policy.clone()?, copy.tags.source_snapshot.clone()?);
        Some(Identity { policy, source, region: region.clone() })
    }

    /// The identities of the copies that get a verdict if anything does, and of those of which the ledger alone says since when they
    /// are made: nothing else has to be known of it. What else is pending, or waits for its lock alone, is looked at in each run, and
    /// may be many.
    #[must_use]
    pub fn to_be_judged(&self) -> BTreeSet<Identity> {
        let mut identities = BTreeSet::new();
        for (region, copies) in &self.regions {
            let judged = copies.iter().flatten().filter(|copy| {
                let is_unbound = copy.tags.status == Some(Status::Verified) && copy.tags.copy.is_none();
                let is_over = matches!(copy.state, State::Completed | State::Error);
                (is_over || copy.started().is_none()) && (copy.tags.status == Some(Status::Copying) || is_unbound)
            });
            identities.extend(judged.filter_map(|copy| Self::identity_of(region, copy)));
        }
        identities
    }

    /// What the ledger has of the identity that a copy claims.
    #[must_use]
    pub fn obligation_of(&self, region: &Region, copy: &DescribedCopy) -> Option<&Obligation> {
        self.obligations.get(&Self::identity_of(region, copy)?)
    }

    /// Since when a copy is made, as far as the ledger says it.
    #[must_use]
    pub fn copying_since(&self, region: &Region, copy: &DescribedCopy) -> Option<Timestamp> {
        self.obligation_of(region, copy)?.copying_since(&copy.id)
    }

    /// The copy that the ledger names for the identity that this one claims, where that is another.
    #[must_use]
    pub fn named_instead(&self, region: &Region, copy: &DescribedCopy) -> Option<&SnapshotId> {
        let named = self.obligation_of(region, copy)?.named()?;
        (*named != copy.id).then_some(named)
    }

    /// What KMS says of the key that a copy is under; none where it is under no key, or nobody asked.
    #[must_use]
    pub fn key_of(&self, copy: &DescribedCopy) -> Option<&KeyFact> {
        self.keys.get(copy.kms_key.as_deref()?)
    }

    /// The doomed keys among them.
    pub fn doomed_keys(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().filter(|(_, fact)| fact.life() == KeyLife::Doomed).map(|(key, _)| &**key)
    }

    /// How many copies were read in a Region; none when it could not be read.
    #[must_use]
    pub fn found(&self, region: &Region) -> Option<usize> {
        self.regions.get(region)?.as_ref().ok().map(Vec::len)
    }
}
