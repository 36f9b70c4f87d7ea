//! What a warm environment remembers. All of it may be lost at any moment. That costs a repeated notice, and while EC2 does
//! not show a copy just started yet, a second request for its snapshot would make a second copy.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use snapferry_core::copying::{Decision, Deferral, Facts, Outcome, STARTED_HOLD, Verdict};
use snapferry_core::facts::RecentCopy;

use crate::notices::Notices;

/// The copies asked for a moment ago, and the notices given within the last day.
#[derive(Debug, Default)]
pub struct Memory(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    recent: Vec<RecentCopy>,
    noticed: Notices,
}

impl Memory {
    /// What is still worth knowing at `now`.
    #[must_use]
    pub fn recall(&self, now: Timestamp) -> (Vec<RecentCopy>, HashSet<String>) {
        let mut remembered = self.lock();
        remembered.recent.retain(|copy| now < copy.at + STARTED_HOLD);
        (remembered.recent.clone(), remembered.noticed.recall(now))
    }

    /// Forgets the copies that EC2 shows by now: from here on its word counts, also when one is deleted.
    pub fn forget_seen(&self, facts: &Facts) {
        let seen: HashSet<&str> =
            facts.regions.values().flatten().flat_map(|found| &found.copies).map(|copy| copy.id.as_str()).collect();
        self.lock().recent.retain(|recent| recent.copy.as_ref().is_none_or(|copy| !seen.contains(copy.as_str())));
    }

    /// Notes what was done.
    pub fn note(&self, decision: &Decision<'_>, outcome: &Outcome, now: Timestamp) {
        let mut remembered = self.lock();
        if let Some(notice) = decision.notice() {
            remembered.noticed.note(notice, now);
        }
        let Verdict::Copy(request) = &decision.verdict else { return };
        let copy = match outcome {
            Outcome::Started { copy, .. } => Some(copy.clone()),
            Outcome::Deferred(Deferral::AnswerLost(_)) => None,
            _ => return,
        };
        remembered.recent.push(RecentCopy {
            policy: request.policy.clone(),
            source: request.source.id.clone(),
            region: request.target.region.clone(),
            copy,
            at: now,
        });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Remembered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
