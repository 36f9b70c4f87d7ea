//! What the decision stands on.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use jiff::Timestamp;

use crate::event::ShareEvent;
use crate::facts::{CallError, Copies, KeyFact, SourceSnapshot};
use crate::ids::{AccountId, KeyArn, PolicyName, Region};
use crate::ledger::{Identity, Obligation};

/// What made the function look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Share events: only the snapshots that they name.
    Events,
    /// A sweep: all that the policies' owners share, started at or after `since`.
    Sweep {
        /// Snapshots started before are ignored unless an event names them (`SNAPFERRY_SWEEP_SINCE`).
        since: Option<Timestamp>,
    },
}

/// All that the decision stands on.
#[derive(Debug)]
pub struct Facts {
    /// This account.
    pub account: Option<AccountId>,
    /// The Region that this function runs in and that the snapshots are shared in.
    pub home: Region,
    /// What made the function look.
    pub scope: Scope,
    /// The share events of this invocation, at most one for each snapshot.
    pub named: Vec<ShareEvent>,
    /// The visible snapshots: those named, and in a sweep all of the policies' owners; each at most once.
    pub snapshots: Result<Vec<SourceSnapshot>, CallError>,
    /// The copies in each target Region of the policies.
    pub regions: BTreeMap<Region, Result<Copies, CallError>>,
    /// Policies whose document is gone and whose copies still tell when an owner was last heard of.
    pub retired_policies: BTreeSet<PolicyName>,
    /// What KMS says of each configured key.
    pub keys: BTreeMap<KeyArn, KeyFact>,
    /// What the ledger holds of the snapshots; empty where it is not read.
    pub obligations: BTreeMap<Identity, Obligation>,
    /// Notices given within the last day, by [`Decision::notice`](super::Decision::notice): not given again.
    pub noticed: HashSet<String>,
}
