//! Where an obligation stands in line: the two attributes of the ledger's index, computed from the obligation alone, so that a
//! sweep can put back what was lost or edited.

use jiff::Timestamp;

use super::obligation::{Obligation, State};
use crate::ids::{AccountId, PolicyName, Region};

/// A place in the ledger's sparse index `line`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The index's partition.
    pub line: String,
    /// The order in it.
    pub order: String,
}

/// The place of an obligation; none for one that waits for nothing but its copy, or is over.
#[must_use]
pub fn place(obligation: &Obligation) -> Option<Place> {
    let identity = &obligation.identity;
    let (region, account) = (&identity.region, &obligation.account);
    let tail = format!("{}#{}", identity.source, identity.policy);
    match obligation.state {
        State::Owed => {
            let start = seconds(obligation.start);
            // The newest of each lineage stands first in it; of an instance the oldest, because its copies are increments of those
            // before.
            let turn =
                if obligation.lineage.is_of_instance() { start } else { seconds(Timestamp::MAX).saturating_sub(start) };
            let order = format!("{}#{turn:012}#{tail}", Place::lineage(obligation));
            Some(Place { line: Place::fresh(region, account, &identity.policy), order })
        }
        State::Delayed { .. } => {
            let order = format!("{:012}#{tail}", seconds(obligation.due()?));
            Some(Place { line: Place::delayed(region, account, &identity.policy), order })
        }
        State::Asked { .. } => {
            let order = format!("{:012}#{tail}", seconds(obligation.due()?));
            Some(Place { line: Place::asked(region), order })
        }
        State::Copying { .. } | State::Ended { .. } => None,
    }
}

impl Place {
    /// The line of an account's obligations under a policy that were neither refused nor failed. Each policy has its own, so that
    /// one whose copies are put off again and again holds up no other.
    #[must_use]
    pub fn fresh(region: &Region, account: &AccountId, policy: &PolicyName) -> String {
        format!("L#{region}#{account}#{policy}")
    }

    /// The line of those that wait for their pause, in the order in which they are due.
    #[must_use]
    pub fn delayed(region: &Region, account: &AccountId, policy: &PolicyName) -> String {
        format!("D#{region}#{account}#{policy}")
    }

    /// The line of all in a Region that were asked for and not answered, in the order in which their holds end.
    #[must_use]
    pub fn asked(region: &Region) -> String {
        format!("Q#{region}")
    }

    /// The lineage as the order in a line has it. Of sources whose volume nobody names each is one of its own.
    #[must_use]
    pub fn lineage(obligation: &Obligation) -> &str {
        if obligation.lineage.is_filler() { obligation.identity.source.as_str() } else { obligation.lineage.as_str() }
    }

    /// Up to which place a line of delayed or asked ones is due at `now`.
    #[must_use]
    pub fn due_at(now: Timestamp) -> String {
        format!("{:012}$", seconds(now))
    }

    /// Behind all of a lineage in a line of fresh ones, given [`lineage`](Self::lineage).
    #[must_use]
    pub fn behind(lineage: &str) -> String {
        format!("{lineage}$")
    }
}

/// Never negative: the order of texts is that of times from 1970 on.
fn seconds(time: Timestamp) -> i64 {
    time.as_second().max(0)
}
