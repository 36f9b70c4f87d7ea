//! What coverage stands on.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;

use crate::facts::{Copies, HeldLock, SourceSnapshot};
use crate::ids::{AccountId, PolicyName, Region, SnapshotId};
use crate::ledger::Extract;
use crate::tags::Proof;

/// All that was read. There is no such thing as a Region that could not be: without all of it, nothing is said. The ledger may be
/// missing: EC2 is the truth about copies.
#[derive(Debug)]
pub struct Facts {
    /// This account.
    pub account: AccountId,
    /// The homes that are accounted for, each once: copies of others are counted and nothing else.
    pub homes: Vec<Home>,
    /// Policies whose document is gone and whose copies are history.
    pub retired_policies: BTreeSet<PolicyName>,
    /// Sources that were started before are left out, as `SNAPFERRY_SWEEP_SINCE` has it, unless the ledger owes their copies.
    pub since: Option<Timestamp>,
    /// When this was read.
    pub now: Timestamp,
    /// The copies in each target Region of the policies and each retired one, other homes' included.
    pub regions: BTreeMap<Region, Copies>,
    /// The locks that EC2 holds.
    pub locks: HashMap<(Region, SnapshotId), HeldLock>,
    /// What was proven of copies' content, as their tags say; of a copy that is not here, nothing.
    pub proofs: HashMap<(Region, SnapshotId), Proof>,
}

/// What was read in a home Region.
#[derive(Debug)]
pub struct Home {
    /// The Region that the snapshots are shared in.
    pub region: Region,
    /// Retired homes whose copies count as this one's.
    pub retired: BTreeSet<Region>,
    /// What the policies' owners share there, each once.
    pub snapshots: Vec<SourceSnapshot>,
    /// What stands in the ledger of the home's stack, where it was read.
    pub ledger: Option<Extract>,
}

impl Home {
    /// The homes whose copies are this one's.
    pub(super) fn own(&self) -> BTreeSet<Region> {
        self.retired.iter().chain([&self.region]).cloned().collect()
    }
}
