//! Lineages as they are copied: what a sweep owes of those whose sources are all older than their retention.

use super::Facts;
use crate::facts::{Copy, Lineage};
use crate::ids::{AccountId, PolicyName, Region};
use crate::ledger::Obligation;

/// A lineage as a policy copies it to a Region: what `KeepAtLeast` holds for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CopiedLineage {
    /// The policy.
    pub policy: PolicyName,
    /// The target Region.
    pub region: Region,
    /// The source account.
    pub account: AccountId,
    /// What its sources are snapshots of.
    pub lineage: Lineage,
}

/// The lineages of which something is kept, or is about to be: a copy that is verified or may still become so, or an obligation
/// that stands. One may come several times.
pub fn kept(facts: &Facts) -> impl Iterator<Item = CopiedLineage> {
    let regions = facts.regions.iter().filter_map(|(region, copies)| Some((region, copies.as_ref().ok()?)));
    let copied = regions.flat_map(|(region, copies)| copied(region, &copies.copies));
    copied.chain(facts.obligations.values().filter_map(owed))
}

/// The lineages of which these copies in a Region are live ones.
pub fn copied<'c>(region: &Region, copies: impl IntoIterator<Item = &'c Copy>) -> impl Iterator<Item = CopiedLineage> {
    let live = copies.into_iter().filter(|copy| copy.is_live());
    live.filter_map(|copy| {
        let (account, lineage) = (copy.origin.account.clone()?, copy.lineage.clone()?);
        Some(CopiedLineage { policy: copy.origin.policy.clone(), region: region.clone(), account, lineage })
    })
}

/// The lineage of which an obligation stands that is not in vain so far.
#[must_use]
pub fn owed(obligation: &Obligation) -> Option<CopiedLineage> {
    let identity = &obligation.identity;
    (!obligation.has_ended() && !obligation.is_in_vain()).then_some(CopiedLineage {
        policy: identity.policy.clone(),
        region: identity.region.clone(),
        account: obligation.account.clone(),
        lineage: obligation.lineage.clone(),
    })
}
