//! What a document says.

use std::collections::{BTreeMap, BTreeSet};

use super::databases::DatabaseFilter;
use super::description::DescriptionFilter;
use super::error::Warning;
use super::path::Path;
use super::target::Target;
use crate::ids::{AccountId, PolicyName, Region};
use crate::kind::SourceType;

/// What a document says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// The policies, in the document's order, with distinct names; at least one.
    pub policies: Vec<Policy>,
    /// What is accepted and deserves a look.
    pub warnings: Vec<Warning>,
}

/// One policy: whose snapshots are copied, and to where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The `PolicyId`, or `default` where the document has none. Part of every copy's identity.
    pub name: PolicyName,
    /// Whether the policy copies.
    pub state: PolicyState,
    /// `SnapshotOwner`: the source accounts. Empty: nothing is copied.
    pub owners: BTreeSet<AccountId>,
    /// `SilentAfterHours`: after how many hours an owner of another rhythm counts as silent; 0 is never.
    pub silent_after_hours: BTreeMap<AccountId, u32>,
    /// `SourceTypes`: of which kinds, at least one.
    pub source_types: BTreeSet<SourceType>,
    /// `DescriptionRegex`: which of their snapshots of volumes.
    pub description: DescriptionFilter,
    /// `DatabaseFilter`: which of their snapshots of databases.
    pub databases: DatabaseFilter,
    /// The `CrossRegionCopy` entries of all `Actions`; each Region stands at most once.
    pub targets: Vec<Target>,
}

/// A policy, and where its targets stand, in their order.
pub(super) struct Placed {
    pub(super) policy: Policy,
    pub(super) places: Vec<Path>,
}

impl Policy {
    /// The policy's target in `region`.
    #[must_use]
    pub fn target(&self, region: &Region) -> Option<&Target> {
        self.targets.iter().find(|target| target.region == *region)
    }

    /// `KeepAtLeast` in `region`; 1 when the target or its RetainRule is gone.
    #[must_use]
    pub fn keep_at_least(&self, region: &Region) -> u32 {
        self.target(region).and_then(|target| target.retain.as_ref()).map_or(1, |rule| rule.keep_at_least)
    }
}

/// The policies as they stand for snapshots of one kind: one that does not name the kind copies nothing of it, as one that is disabled
/// copies nothing at all. Its copies of that kind, of a time when it named it, are still its own.
#[must_use]
pub fn of_kind(policies: &[Policy], kind: SourceType) -> Vec<Policy> {
    let stand = |policy: &Policy| match policy.source_types.contains(&kind) {
        true => policy.clone(),
        false => Policy { state: PolicyState::Disabled, ..policy.clone() },
    };
    policies.iter().map(stand).collect()
}

/// The enabled policies that name databases: what a stack without their functions copies nothing for.
#[must_use]
pub fn of_databases(policies: &[Policy]) -> Vec<PolicyName> {
    let enabled = policies.iter().filter(|policy| policy.state == PolicyState::Enabled);
    let named = enabled.filter(|policy| policy.source_types.iter().any(|kind| kind.is_of_databases()));
    named.map(|policy| policy.name.clone()).collect()
}

/// The `State` of a policy (DLM API reference, `LifecyclePolicy`).
///
/// DLM's third state, `ERROR`, says that DLM could not run the policy. Snapferry runs under roles of its own, so it
/// reads `ERROR` as `ENABLED` and warns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PolicyState {
    /// The policy copies. A document without a `State` is enabled.
    Enabled,
    /// The policy copies nothing; its copies are still verified and expired.
    Disabled,
}
