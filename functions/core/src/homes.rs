//! Whose copies a copy is among, where several stacks copy into one Region.

use std::collections::BTreeSet;

use crate::ids::Region;

/// Whether a copy is another home's by its `snapferry:source-region`: then another stack judges, locks and deletes it. Where
/// the tag cannot be read that is not known, and the copy is reported as malformed.
pub(crate) fn is_anothers(homes: &BTreeSet<Region>, source_region: Option<&Region>) -> bool {
    source_region.is_some_and(|region| !homes.contains(region))
}
