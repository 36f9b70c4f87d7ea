//! What a warm environment remembers. All of it may be lost at any moment. That costs a repeated notice, a look at a key, and the
//! safeguard against an edited ledger.

use std::collections::{HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};

use super::Decision;
use crate::facts::KeyFact;
use crate::ledger::{HOLD, Identity, Obligation, State};
use crate::notices::Notices;

/// The notices given within the last day, and the requests made within the hold.
#[derive(Debug, Default)]
pub struct Memory {
    notices: Notices,
    /// When the intent of each was written, and how many copies had failed by then.
    asked: HashMap<Identity, (Timestamp, u32)>,
}

impl Memory {
    /// What was said within the day before `now`.
    pub fn recall(&mut self, now: Timestamp) -> HashSet<String> {
        self.notices.recall(now)
    }

    /// Notes that a request leaves under this intent.
    pub fn note_request(&mut self, intent: &Obligation, now: Timestamp) {
        let State::Asked { at } = intent.state else { return };
        self.asked.retain(|_, (at, _)| now.duration_since(*at) < HOLD);
        self.asked.insert(intent.identity.clone(), (at, intent.failed));
    }

    /// Notes that EC2 started no copy for the request.
    pub fn forget_request(&mut self, identity: &Identity) {
        self.asked.remove(identity);
    }

    /// When the intent of a request was written that EC2 may hide a copy of, whatever the ledger says of it now: an item that was
    /// edited, or is gone, makes no second copy. A copy that failed since is not hidden.
    #[must_use]
    pub fn requested(&self, obligation: &Obligation, now: Timestamp) -> Option<Timestamp> {
        let (at, failed) = self.asked.get(&obligation.identity)?;
        (now.duration_since(*at) < HOLD && obligation.failed <= *failed).then_some(*at)
    }

    /// Notes that an end is told; tells whether it was not within the last day. Its writing may have failed since.
    pub fn note_end(&mut self, obligation: &Obligation, now: Timestamp) -> bool {
        let Obligation { identity, generation, .. } = obligation;
        self.notices.note(format!("end {} {} {} {generation}", identity.policy, identity.source, identity.region), now)
    }

    /// Notes that a decision is told; tells whether it was not within the last day, or is one to tell each time.
    pub fn note(&mut self, decision: &Decision<'_>, now: Timestamp) -> bool {
        decision.notice().is_none_or(|notice| self.notices.note(notice, now))
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
