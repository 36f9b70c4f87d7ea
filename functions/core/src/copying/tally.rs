//! What a sweep counted.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Decision, Outcome, Subject, Verdict};

/// Counts over everything that was looked at. One *identity* is (policy, source snapshot, target Region).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Snapshots looked at.
    pub shared: u64,
    /// Snapshots ignored because they were started before `SNAPFERRY_SWEEP_SINCE`.
    pub before_since: u64,
    /// Snapshots that at least one policy wants.
    pub matching: u64,
    /// Identities with a completed, verified copy (and locked, where a lock is asked for).
    pub protected: u64,
    /// Identities with a copy under way or not verified yet, those just started included.
    pub in_flight: u64,
    /// Copies started now.
    pub started: u64,
    /// Identities without any live copy after this run.
    pub missing: u64,
    /// Identities of which nothing is known, because the target Region's copies could not be read.
    pub unknown: u64,
    /// Deferred identities by reason.
    pub deferred: BTreeMap<&'static str, u64>,
    /// Copies that EC2 refused to start.
    pub failed: u64,
    /// When the oldest source without any live copy was started.
    pub oldest_missing: Option<Timestamp>,
}

impl Tally {
    /// Counts what became of one decision.
    pub fn add(&mut self, decision: &Decision<'_>, outcome: &Outcome) {
        let deferral = match (&decision.verdict, outcome) {
            (_, Outcome::Started { .. }) => {
                self.started += 1;
                self.in_flight += 1;
                return;
            }
            (_, Outcome::Deferred(deferral)) | (Verdict::Defer(deferral), _) => Some(deferral),
            (_, Outcome::Failed { .. }) => {
                self.failed += 1;
                None
            }
            (Verdict::Refuse(_), _) => None,
            (Verdict::Skip(_) | Verdict::Copy(_), Outcome::Stands) => return,
        };
        if let Some(deferral) = deferral {
            *self.deferred.entry(deferral.reason()).or_default() += 1;
        }
        if let Subject::Seen(source) = decision.subject {
            self.missing(source.start_time);
        }
    }

    /// Counts an identity without a live copy.
    pub(super) fn missing(&mut self, source_start_time: Timestamp) {
        self.missing += 1;
        let oldest = self.oldest_missing.map_or(source_start_time, |oldest| oldest.min(source_start_time));
        self.oldest_missing = Some(oldest);
    }
}
