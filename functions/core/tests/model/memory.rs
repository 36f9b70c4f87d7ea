//! What a warm environment remembers: the rules of the copier's own memory, over the model's time.

use std::collections::{BTreeMap, BTreeSet};

use snapferry_core::copying::{Decision, Deferral, Facts, Outcome, STARTED_HOLD, Verdict};
use snapferry_core::facts::RecentCopy;

use crate::clock::{DAY, Ms, timestamp};

/// The copies asked for a moment ago, and the notices given within the last day.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    recent: Vec<RecentCopy>,
    noticed: BTreeMap<String, Ms>,
}

impl Memory {
    pub(crate) fn recall(&mut self, now: Ms) -> (Vec<RecentCopy>, Vec<String>) {
        self.recent.retain(|copy| timestamp(now) < copy.at + STARTED_HOLD);
        self.noticed.retain(|_, at| now < *at + DAY);
        (self.recent.clone(), self.noticed.keys().cloned().collect())
    }

    pub(crate) fn forget_seen(&mut self, facts: &Facts) {
        let seen: BTreeSet<&str> =
            facts.regions.values().flatten().flat_map(|found| &found.copies).map(|copy| copy.id.as_str()).collect();
        self.recent.retain(|recent| recent.copy.as_ref().is_none_or(|copy| !seen.contains(copy.as_str())));
    }

    pub(crate) fn note(&mut self, decision: &Decision<'_>, outcome: &Outcome, now: Ms) {
        if let Some(notice) = decision.notice() {
            self.noticed.entry(notice).or_insert(now);
        }
        let Verdict::Copy(request) = &decision.verdict else { return };
        let copy = match outcome {
            Outcome::Started { copy, .. } => Some(copy.clone()),
            Outcome::Deferred(Deferral::AnswerLost(_)) => None,
            _ => return,
        };
        self.recent.push(RecentCopy {
            policy: request.policy.clone(),
            source: request.source.id.clone(),
            region: request.target.region.clone(),
            copy,
            at: timestamp(now),
        });
    }
}
