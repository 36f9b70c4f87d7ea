//! What those who only look keep of the ledger: little of each obligation, as there may be hundreds of thousands.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::hint::Hint;
use super::obligation::{End, Obligation, State};
use super::owed::Owed;
use crate::ids::{PolicyName, Region, SnapshotId};

/// What stands in the ledger. Filled with [`add`](Self::add), and read once it is [`close`](Self::close)d.
#[derive(Debug, Default)]
pub struct Extract {
    kept: BTreeMap<(PolicyName, Region), Kept>,
    /// Events whose snapshots EC2 does not show yet.
    pub hints: Vec<Hint>,
    /// How many items cannot be read. Sweeps and the next writes put them right.
    pub unreadable: usize,
}

/// What is kept of one policy and Region.
#[derive(Debug, Default)]
struct Kept {
    owed: Vec<Owed>,
    /// Since when those were wanted whose copies are verified.
    protected: Vec<(SnapshotId, Timestamp)>,
}

/// What stands of an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry<'e> {
    /// It is owed, or was missed.
    Owed(&'e Owed),
    /// Its copy is verified, which was wanted since then.
    Protected(&'e Timestamp),
}

impl Extract {
    /// Takes in an obligation as it stands at `now`. One that is withdrawn leaves nothing.
    pub fn add(&mut self, obligation: &Obligation, now: Timestamp) {
        let identity = &obligation.identity;
        let kept = self.kept.entry((identity.policy.clone(), identity.region.clone())).or_default();
        if let Some(owed) = Owed::new(obligation, now) {
            kept.owed.push(owed);
        } else if let State::Ended { why: End::Protected, .. } = obligation.state {
            kept.protected.push((identity.source.clone(), obligation.wanted));
        }
    }

    /// Puts it in order.
    #[must_use]
    pub fn close(mut self) -> Self {
        for kept in self.kept.values_mut() {
            kept.owed.sort_unstable_by(|a, b| a.source.cmp(&b.source));
            kept.protected.sort_unstable();
        }
        self
    }

    /// What stands of an identity.
    #[must_use]
    pub fn of(&self, policy: &PolicyName, region: &Region, source: &str) -> Option<Entry<'_>> {
        let kept = self.kept.get(&(policy.clone(), region.clone()))?;
        let owed = kept.owed.binary_search_by(|owed| owed.source.as_str().cmp(source));
        let protected = || kept.protected.binary_search_by(|(of, _)| of.as_str().cmp(source)).ok();
        match owed {
            Ok(at) => kept.owed.get(at).map(Entry::Owed),
            Err(_) => kept.protected.get(protected()?).map(|(_, wanted)| Entry::Protected(wanted)),
        }
    }

    /// All that is owed or was missed.
    pub fn owed(&self) -> impl Iterator<Item = (&PolicyName, &Region, &Owed)> {
        self.kept.iter().flat_map(|((policy, region), kept)| kept.owed.iter().map(move |owed| (policy, region, owed)))
    }
}

impl Entry<'_> {
    /// Since when its copy is or was wanted.
    #[must_use]
    pub fn wanted(&self) -> Timestamp {
        match self {
            Self::Owed(owed) => owed.since,
            Self::Protected(wanted) => **wanted,
        }
    }
}
