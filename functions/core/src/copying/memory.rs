//! What a warm environment remembers. All of it may be lost at any moment. That costs a repeated notice and a look at a key.

use std::collections::{HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};

use super::Decision;
use crate::facts::KeyFact;
use crate::ledger::Obligation;
use crate::notices::Notices;

/// The notices given within the last day.
#[derive(Debug, Default)]
pub struct Memory(Notices);

impl Memory {
    /// What was said within the day before `now`.
    pub fn recall(&mut self, now: Timestamp) -> HashSet<String> {
        self.0.recall(now)
    }

    /// Notes that an end is told; tells whether it was not within the last day. Its writing may have failed since.
    pub fn note_end(&mut self, obligation: &Obligation, now: Timestamp) -> bool {
        let Obligation { identity, generation, .. } = obligation;
        self.0.note(format!("end {} {} {} {generation}", identity.policy, identity.source, identity.region), now)
    }

    /// Notes that a decision is told; tells whether it was not within the last day, or is one to tell each time.
    pub fn note(&mut self, decision: &Decision<'_>, now: Timestamp) -> bool {
        decision.notice().is_none_or(|notice| self.0.note(notice, now))
    }
}

/// How long a key that KMS found usable is not asked about again.
const KEY_GOOD_FOR: SignedDuration = SignedDuration::from_mins(5);

/// The keys found usable lately. Only good news is kept: a repaired key counts at once.
#[derive(Debug, Default)]
pub struct UsableKeys(HashMap<Box<str>, Timestamp>);

impl UsableKeys {
    /// Whether `key` need not be asked about at `now`.
    #[must_use]
    pub fn contains(&self, key: &str, now: Timestamp) -> bool {
        self.0.get(key).is_some_and(|at| now < *at + KEY_GOOD_FOR)
    }

    /// Notes what KMS said at `now`.
    pub fn note(&mut self, key: &str, fact: &KeyFact, now: Timestamp) {
        if *fact == KeyFact::Usable {
            self.0.insert(key.into(), now);
        }
    }
}
