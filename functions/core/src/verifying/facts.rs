//! What a verdict stands on.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::{CallError, DescribedCopy};
use crate::ids::{AccountId, PolicyName, Region};

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
}

impl Facts {
    /// How many copies were read in a Region; none when it could not be read.
    #[must_use]
    pub fn found(&self, region: &Region) -> Option<usize> {
        self.regions.get(region)?.as_ref().ok().map(Vec::len)
    }
}
