//! What the copier is set up with, the same in each invocation.

use std::collections::BTreeSet;

use jiff::Timestamp;
use snapferry_core::ids::{AccountId, PolicyName, Region};
use snapferry_core::policy::Policy;

/// The policies and the place.
#[derive(Debug)]
pub struct Setup {
    /// The policies of the document.
    pub policies: Vec<Policy>,
    /// This account, as far as it is known.
    pub account: Option<AccountId>,
    /// The Region that the function runs in and that the snapshots are shared in.
    pub home: Region,
    /// Sources started before are owed only if an event names them (`SNAPFERRY_SWEEP_SINCE`).
    pub since: Option<Timestamp>,
    /// About so many snapshots, copies and obligations a sweep has in memory for each part that it reads, of which it reads four at a
    /// time.
    pub records: usize,
    /// After how many hours an owner of which no policy says it counts as silent; 0 is never (`SNAPFERRY_SILENT_OWNER_HOURS`).
    pub silent_after_hours: u32,
    /// Policies whose document is gone and whose copies still tell when an owner was last heard of.
    pub retired_policies: BTreeSet<PolicyName>,
    /// The enabled policies that name databases where nothing copies them (`SNAPFERRY_DATABASES`).
    pub unserved: Vec<PolicyName>,
}

impl Setup {
    /// The target Regions of all policies, each once.
    #[must_use]
    pub fn regions(&self) -> BTreeSet<&Region> {
        self.policies.iter().flat_map(|policy| &policy.targets).map(|target| &target.region).collect()
    }
}
