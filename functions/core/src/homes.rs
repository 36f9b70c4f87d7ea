//! Which copies are a stack's own, where several stacks copy into one Region.

use std::collections::BTreeSet;

use crate::ids::{PolicyName, Region};
use crate::policy::Policy;

/// Whether a copy is another home's by its `snapferry:source-region`: then another stack judges, locks and deletes it. Where
/// the tag is gone or cannot be read that is not known: the functions' filters go by it, so only coverage sees such a copy.
#[must_use]
pub fn is_anothers(homes: &BTreeSet<Region>, source_region: Option<&Region>) -> bool {
    source_region.is_some_and(|region| !homes.contains(region))
}

/// Whether the document has the policy, or it is one of those whose document is gone and that are named as retired. Copies
/// of any other are left alone: nobody says what is to become of them.
#[must_use]
pub fn is_named(policies: &[Policy], retired: &BTreeSet<PolicyName>, name: &PolicyName) -> bool {
    policies.iter().any(|policy| policy.name == *name) || retired.contains(name)
}
