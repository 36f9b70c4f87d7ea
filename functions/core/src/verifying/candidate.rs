//! What a verdict stands on.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::facts::{CallError, State};
use crate::ids::{AccountId, Region, SnapshotId};
use crate::policy::LockMode;
use crate::tags::ReadTags;

/// A snapshot with Snapferry's tags that waits for a verdict or for its lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its ID.
    pub id: SnapshotId,
    /// Its owner as EC2 says.
    pub owner: Option<AccountId>,
    /// Its state.
    pub state: State,
    /// EC2's words on its state: why it is in error.
    pub state_message: String,
    /// Whether it is encrypted. EC2 says so only once it is completed.
    pub encrypted: bool,
    /// The ARN of its key.
    pub kms_key: Option<String>,
    /// Its size in GiB.
    pub size_gib: u32,
    /// When it was started.
    pub start_time: Timestamp,
    /// Snapferry's tags on it.
    pub tags: ReadTags,
    /// The lock that EC2 holds on it, as far as that was read.
    pub lock: Option<HeldLock>,
}

/// A lock that EC2 holds on a copy (EC2 API reference, DescribeLockedSnapshots). An expired one is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldLock {
    /// Its mode; a compliance lock in its cooling-off period is one of compliance.
    pub mode: LockMode,
    /// For how many days.
    pub days: u32,
    /// Since when.
    pub since: Timestamp,
}

/// All that the decision stands on.
#[derive(Debug)]
pub struct Facts {
    /// This account.
    pub account: Option<AccountId>,
    /// The candidates in each target Region, retired ones included.
    pub regions: BTreeMap<Region, Result<Vec<Candidate>, CallError>>,
}
