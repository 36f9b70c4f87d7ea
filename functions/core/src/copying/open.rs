//! What the ledger holds open and no decision of a sweep counts: what only an event asked for, and what an owner shares that could
//! not be read.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{CopyRequest, Deferral, Facts, Scope, Stands, Tally, not_for};
use crate::audit::CopyDeferred;
use crate::facts::{Copies, SourceSnapshot};
use crate::ids::AccountId;
use crate::ledger::{Obligation, State};
use crate::policy::{Policy, PolicyState, Target};
use crate::standing::Standing;

/// How a sweep reads the snapshots that it decides on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// With what the ledger holds of them.
    WithLedger,
    /// Apart from it: of what is older than its retention it decides on nothing that the ledger holds open.
    Apart,
}

/// Whether the decisions of a round that is read so count the identity of an open obligation. Those on `facts` do, or, where they are
/// read apart, others of the round.
#[must_use]
pub fn is_decided(
    policies: &[Policy],
    facts: &Facts,
    obligation: &Obligation,
    reading: Reading,
    now: Timestamp,
) -> bool {
    let Some(source) = facts.snapshots.as_ref().ok().and_then(|sources| source_of(sources, obligation)) else {
        return false;
    };
    if matches!(facts.scope, Scope::Sweep { since: Some(since) } if source.start_time < since)
        || facts.account.as_ref() == Some(&source.owner)
    {
        return false;
    }
    let Some((policy, target)) = wish(policies, obligation) else { return false };
    let (name, filter, home) = (&policy.name, &policy.description, &facts.home);
    let request = CopyRequest { policy: name, filter, source, home, target };
    let is_left = || reading == Reading::Apart && request.is_over_retention(now) && !has_live_copy(facts, obligation);
    not_for(policy, source).is_none() && !is_left()
}

/// Counts an open obligation that no decision counts, from when it is wanted; tells whether it stands in line. Of owners in `unread`
/// nobody knows what they still share. What nobody wants any more counts as nothing.
pub fn count_open(
    tally: &mut Tally,
    policies: &[Policy],
    facts: &Facts,
    unread: &BTreeSet<AccountId>,
    obligation: &Obligation,
    now: Timestamp,
) -> bool {
    if obligation.has_ended() || wish(policies, obligation).is_none() {
        return false;
    }
    let (region, since) = (&obligation.identity.region, obligation.wanted.min(now));
    let standing = match obligation.state {
        State::Copying { .. } => Standing::InFlight,
        _ => Standing::Missing,
    };
    let is_read = matches!(facts.regions.get(region), Some(Ok(_))) && !unread.contains(&obligation.account);
    if is_read {
        tally.count(region, Stands { standing, since });
    } else {
        tally.unknown(region, since);
    }
    match obligation.state {
        State::Asked { at } => tally.deferred(Deferral::AnswerJustLost(at).reason()),
        State::Owed | State::Delayed { .. } => tally.deferred(CopyDeferred::InLine),
        State::Copying { .. } | State::Ended { .. } => {}
    }
    matches!(obligation.state, State::Owed | State::Delayed { .. })
}

fn source_of<'f>(sources: &'f [SourceSnapshot], obligation: &Obligation) -> Option<&'f SourceSnapshot> {
    let at = sources.binary_search_by(|source| source.id.cmp(&obligation.identity.source)).ok()?;
    sources.get(at)
}

fn wish<'p>(policies: &'p [Policy], obligation: &Obligation) -> Option<(&'p Policy, &'p Target)> {
    let is_of = |policy: &&Policy| policy.name == obligation.identity.policy && policy.state == PolicyState::Enabled;
    let policy = policies.iter().find(is_of)?;
    Some((policy, policy.targets.iter().find(|target| target.region == obligation.identity.region)?))
}

/// Whether there is one, or may be.
fn has_live_copy(facts: &Facts, obligation: &Obligation) -> bool {
    let identity = &obligation.identity;
    let is_live = |copies: &Copies| {
        let mut copies = copies.copies.iter();
        copies.any(|copy| copy.source == identity.source && copy.origin.policy == identity.policy && copy.is_live())
    };
    !matches!(facts.regions.get(&identity.region), Some(Ok(copies)) if !is_live(copies))
}
