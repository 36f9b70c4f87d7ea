//! What a warm environment remembers. All of it may be lost at any moment. That costs a repeated notice, a look at a key, tries that
//! are in vain before others, and the safeguard against an edited ledger.

use std::collections::{HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};

use super::Decision;
use crate::facts::{KeyFact, Lineage};
use crate::ids::{AccountId, PolicyName, Region};
use crate::ledger::{HOLD, Hint, Identity, Obligation, State};
use crate::notices::Notices;

/// How long a lineage whose copy EC2 refused has its turn behind those whose copies it did not.
const REFUSED_FOR: SignedDuration = SignedDuration::from_hours(24);
/// So many are remembered at most; then all are forgotten.
const MOST_REFUSED: usize = 20_000;

/// The lineage of an account, under a policy, in a target Region.
type Refused = (Region, PolicyName, AccountId, Lineage);

/// The notices given and the lineages refused within the last day, and the requests made within the hold.
#[derive(Debug, Default)]
pub struct Memory {
    notices: Notices,
    /// When the intent of each was written, and how many copies had failed by then.
    asked: HashMap<Identity, (Timestamp, u32)>,
    /// When EC2 last refused a copy of each.
    refused: HashMap<Refused, Timestamp>,
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

    /// Whether EC2 refused a copy of this lineage within the last day, and started none since: its others are likely refused, too.
    #[must_use]
    pub fn was_refused(&self, obligation: &Obligation, now: Timestamp) -> bool {
        self.refused.get(&refused(obligation)).is_some_and(|at| now.duration_since(*at) < REFUSED_FOR)
    }

    /// Notes that EC2 refused a copy, or started one.
    pub fn note_answer(&mut self, obligation: &Obligation, is_refused: bool, now: Timestamp) {
        let lineage = refused(obligation);
        if !is_refused {
            self.refused.remove(&lineage);
        } else if !obligation.lineage.is_filler() {
            if self.refused.len() >= MOST_REFUSED {
                self.refused.clear();
            }
            self.refused.insert(lineage, now);
        }
    }

    /// Whether this process told an obligation's end within the last day. Its writing may have failed since.
    #[must_use]
    pub fn has_told_end(&self, obligation: &Obligation, now: Timestamp) -> bool {
        self.notices.is_said(&end(obligation), now)
    }

    /// Notes that an obligation's end is told.
    pub fn note_end(&mut self, obligation: &Obligation, now: Timestamp) {
        self.notices.renew(end(obligation), now);
    }

    /// Notes that a hint is told as given up; tells whether it was not within the last day. Its removal may have failed since.
    pub fn note_given_up(&mut self, hint: &Hint, now: Timestamp) -> bool {
        let notice = format!("hint {}", hint.source);
        !self.notices.is_said(&notice, now) && {
            self.notices.renew(notice, now);
            true
        }
    }

    /// Notes that a decision is told; tells whether it was not within the last day, or is one to tell each time.
    pub fn note(&mut self, decision: &Decision<'_>, now: Timestamp) -> bool {
        decision.notice().is_none_or(|notice| self.notices.note(notice, now))
    }
}

fn refused(obligation: &Obligation) -> Refused {
    let Identity { policy, region, .. } = &obligation.identity;
    (region.clone(), policy.clone(), obligation.account.clone(), obligation.lineage.clone())
}

/// An item that was lost begins anew with the first generation, and is wanted since another time: that is another end.
fn end(Obligation { identity, generation, wanted, .. }: &Obligation) -> String {
    format!("end {} {} {} {generation} {wanted}", identity.policy, identity.source, identity.region)
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
