//! What a warm environment remembers. All of it may be lost at any moment. That costs a repeated notice, a look at a key,
//! and while EC2 does not show a copy just started yet, a second request for its snapshot would make a second copy.

use std::collections::{HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};

use super::{Decision, Deferral, Outcome, Verdict};
use crate::facts::{KeyFact, RecentCopy};
use crate::notices::Notices;

/// How long a copy with a lost answer is left alone: DescribeSnapshots is eventually consistent, and a copy asked for
/// twice is a duplicate for its whole life, whereas the sweep comes again in minutes.
pub const ANSWER_LOST_HOLD: SignedDuration = SignedDuration::from_secs(30);

/// How long a started copy is believed to exist although DescribeSnapshots does not show it.
pub const STARTED_HOLD: SignedDuration = SignedDuration::from_mins(10);

/// The copies asked for a moment ago, and the notices given within the last day.
///
/// A copy is remembered for its whole hold, also when EC2 has shown it once: the next read may not show it again.
#[derive(Debug, Default)]
pub struct Memory {
    recent: Vec<RecentCopy>,
    noticed: Notices,
}

impl Memory {
    /// What is still worth knowing at `now`.
    pub fn recall(&mut self, now: Timestamp) -> (Vec<RecentCopy>, HashSet<String>) {
        self.recent.retain(|recent| recent.holds(now));
        (self.recent.clone(), self.noticed.recall(now))
    }

    /// Notes what was done.
    pub fn note(&mut self, decision: &Decision<'_>, outcome: &Outcome, now: Timestamp) {
        if let Some(notice) = decision.notice() {
            self.noticed.note(notice, now);
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
            at: now,
        });
    }
}

impl RecentCopy {
    /// Whether at `now` nothing else is asked for in its place, whatever EC2 shows.
    pub(super) fn holds(&self, now: Timestamp) -> bool {
        now < self.at + if self.copy.is_some() { STARTED_HOLD } else { ANSWER_LOST_HOLD }
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
