//! Whose turn it is: one item for each account that has something in a Region's line.

use jiff::{SignedDuration, Timestamp};

use super::obligation::Obligation;
use super::pauses::{FOREIGN_CLOCK, after};
use crate::ids::AccountId;

/// How long after something was added an account with an empty line keeps its item: the index shows what was written only
/// after a moment.
const KEPT_FOR: SignedDuration = SignedDuration::from_mins(1);

/// One account's turns in one Region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// The account.
    pub account: AccountId,
    /// When it last had one; before its first, when it came: it stands behind all who waited before. `None` counts as long ago.
    pub tried: Option<Timestamp>,
    /// The lineage that it was used for, as the line has it: the next turn is another's.
    pub lineage: Option<String>,
    /// When something was last added to its line. May lag by [`KEPT_FOR`].
    pub added: Timestamp,
    /// Grows by one with each write.
    pub revision: u64,
}

impl Turn {
    /// The turns of an account that had nothing in line. It comes behind those who wait: one that shares a snapshot now and then
    /// would else be served before them each time.
    #[must_use]
    pub fn new(account: AccountId, now: Timestamp) -> Self {
        Self { account, tried: Some(now), lineage: None, added: now, revision: 0 }
    }

    /// What to write because an obligation of the account was added; nothing when its item says so already.
    #[must_use]
    pub fn added(&self, now: Timestamp) -> Option<Self> {
        let is_told = now.duration_since(self.added).abs() < KEPT_FOR / 2;
        (!is_told).then(|| Self { added: now, ..self.next() })
    }

    /// It had its turn with this obligation, or had nothing that was due.
    #[must_use]
    pub fn tried(&self, obligation: Option<&Obligation>, now: Timestamp) -> Self {
        let lineage = obligation.map(|obligation| super::Place::lineage(obligation).to_owned());
        Self { tried: Some(now), lineage: lineage.or_else(|| self.lineage.clone()), ..self.next() }
    }

    /// Whether the item of an account with an empty line may go.
    #[must_use]
    pub fn may_go(&self, now: Timestamp) -> bool {
        now.duration_since(self.added).abs() > KEPT_FOR
    }

    /// In which order accounts have their turns: who had it, or came, longest ago. A time further in the future than
    /// another clock may be ahead counts as never: as now it would be the last each time, and its turn would never come.
    #[must_use]
    pub fn order(&self, now: Timestamp) -> (Option<Timestamp>, &AccountId) {
        let latest = after(now, FOREIGN_CLOCK);
        (self.tried.filter(|tried| *tried <= latest), &self.account)
    }

    fn next(&self) -> Self {
        Self { revision: self.revision.saturating_add(1), ..self.clone() }
    }
}
