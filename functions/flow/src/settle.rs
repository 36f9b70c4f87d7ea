//! What an obligation becomes by the copies that EC2 shows of it.

use jiff::Timestamp;
use snapferry_core::facts::{Copies, Copy};
use snapferry_core::ledger::{End, Identity, Obligation};
use snapferry_core::standing::{Standing, weigh};

/// The copies of an identity.
pub(crate) fn copies_of<'c>(identity: &'c Identity, copies: &'c Copies) -> impl Iterator<Item = &'c Copy> {
    let is_of = |copy: &&Copy| copy.source == identity.source && copy.origin.policy == identity.policy;
    copies.copies.iter().filter(is_of)
}

/// What an obligation that stands in line, or was asked for, becomes by a live copy: over when the copy protects, because the
/// verifier told so before it said so in the tags; else it waits for that copy. Nothing when there is no live copy.
pub(crate) fn found(obligation: &Obligation, copies: &Copies, now: Timestamp) -> Option<Obligation> {
    let weighed = weigh(copies_of(&obligation.identity, copies));
    match (weighed.standing, weighed.copy) {
        (Standing::Protected, _) => obligation.ended(End::Protected, now),
        (Standing::InFlight, Some(copy)) => obligation.copying(copy.id.clone(), now),
        _ => None,
    }
}
