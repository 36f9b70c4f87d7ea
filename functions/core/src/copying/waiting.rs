//! What stands in line for a Region.

use super::{CopyRequest, Stands};
use crate::ids::PolicyName;

/// A copy that stands in line for its Region. Ordered by snapshot and policy, where fairness sees no difference.
pub(super) struct Waiting<'f>(pub(super) CopyRequest<'f>, pub(super) Option<Stands>);

impl Waiting<'_> {
    fn key(&self) -> (&str, &PolicyName) {
        (self.0.source.id.as_str(), self.0.policy)
    }
}

impl PartialEq for Waiting<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Waiting<'_> {}

impl PartialOrd for Waiting<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting<'_> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}
