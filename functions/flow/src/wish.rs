//! A policy's wish for a copy, put together from an obligation's identity and the source as EC2 describes it.

use snapferry_core::audit::CopyWithdrawn;
use snapferry_core::copying::{CopyRequest, takes};
use snapferry_core::facts::SourceSnapshot;
use snapferry_core::ledger::{By, Identity, Obligation};
use snapferry_core::policy::{Policy, PolicyState, Target};

use crate::Setup;

/// The request that an obligation stands for.
///
/// # Errors
/// Why nobody wants it any more, as far as the policies alone say so.
pub(crate) fn request<'f>(
    setup: &'f Setup,
    identity: &Identity,
    source: &'f SourceSnapshot,
) -> Result<CopyRequest<'f>, CopyWithdrawn> {
    let (policy, target) = wanted(setup, identity)?;
    Ok(CopyRequest { policy: &policy.name, filter: &policy.description, source, home: &setup.home, target })
}

/// The policy and the target of an identity.
///
/// # Errors
/// Why nobody wants it any more.
pub(crate) fn wanted<'f>(setup: &'f Setup, identity: &Identity) -> Result<(&'f Policy, &'f Target), CopyWithdrawn> {
    let policy = setup.policies.iter().find(|policy| policy.name == identity.policy);
    let policy = policy.ok_or(CopyWithdrawn::PolicyGone)?;
    if policy.state == PolicyState::Disabled {
        return Err(CopyWithdrawn::PolicyDisabled);
    }
    let target = policy.targets.iter().find(|target| target.region == identity.region);
    Ok((policy, target.ok_or(CopyWithdrawn::TargetRemoved)?))
}

/// Why nobody waits for a copy that was asked for, if that is so. A disabled policy's is verified all the same.
pub(crate) fn abandoned(setup: &Setup, identity: &Identity) -> Option<CopyWithdrawn> {
    wanted(setup, identity).err().filter(|reason| *reason != CopyWithdrawn::PolicyDisabled)
}

/// Why an obligation is no longer wanted, if that is so. Its source is what EC2 shows now; where it shows nothing, only what
/// the ledger knows of it counts.
pub(crate) fn unwanted(
    setup: &Setup,
    obligation: &Obligation,
    source: Option<&SourceSnapshot>,
) -> Option<CopyWithdrawn> {
    let policy = match wanted(setup, &obligation.identity) {
        Ok((policy, _)) => policy,
        Err(reason) => return Some(reason),
    };
    let owner = source.map_or(&obligation.account, |source| &source.owner);
    let is_before = |since| source.map_or(obligation.start, |source| source.start_time) < since;
    if !policy.owners.contains(owner) || setup.account.as_ref() == Some(owner) {
        Some(CopyWithdrawn::OwnerNotListed)
    } else if source.is_some_and(|source| !takes(policy, source)) {
        Some(CopyWithdrawn::DescriptionMismatch)
    } else if obligation.by == By::Sweep && setup.since.is_some_and(is_before) {
        Some(CopyWithdrawn::BeforeSweepSince)
    } else {
        None
    }
}

/// An obligation that is written in place of `stored`, however many steps lie between.
pub(crate) fn in_place_of(stored: Option<&Obligation>, obligation: Obligation) -> Obligation {
    let revision = stored.map_or(0, |stored| stored.revision.saturating_add(1));
    Obligation { revision, ..obligation }
}
