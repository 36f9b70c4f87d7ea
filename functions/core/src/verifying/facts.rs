//! What a verdict stands on.

use std::collections::BTreeMap;

use crate::facts::{CallError, DescribedCopy};
use crate::ids::{AccountId, Region};

/// All that the decision stands on.
#[derive(Debug)]
pub struct Facts {
    /// This account.
    pub account: Option<AccountId>,
    /// The copies without a verdict or a lock in each target Region, retired ones included.
    pub regions: BTreeMap<Region, Result<Vec<DescribedCopy>, CallError>>,
}
