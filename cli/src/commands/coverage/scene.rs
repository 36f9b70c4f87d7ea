//! What every form of the coverage says besides the coverage.

use jiff::Timestamp;
use snapferry_core::ids::{AccountId, Region};

use crate::terminal::lineages::Lineages;

/// Whose account is taken, and when.
#[derive(Debug)]
pub(super) struct Scene<'s> {
    pub(super) now: Timestamp,
    pub(super) account: &'s AccountId,
    pub(super) homes: Vec<&'s Region>,
    pub(super) since: Option<Timestamp>,
    /// Whose snapshots it is about.
    pub(super) lineages: Lineages,
    /// What there is to say of the reading of the ledgers.
    pub(super) notes: Vec<String>,
}
