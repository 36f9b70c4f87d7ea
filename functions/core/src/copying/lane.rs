//! How the copies of one Region are asked for, one after the other: what may be asked for again and when, and which
//! answers close the Region for the rest of the invocation.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use super::{Deferral, Outcome};
use crate::audit::{CopyDeferred, CopyFailed, Reason};
use crate::facts::CallError;
use crate::ids::{AccountId, PolicyName, SnapshotId};

/// How long the answer to one CopySnapshot is waited for. Longer than a read's: a copy whose answer is lost waits for the end
/// of its hold, so a slow answer is worth waiting for.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(8);

/// No copy is asked for when less of the invocation remains: a call must be able to end, and its record to be written,
/// before the function is stopped.
pub const RESERVE: Duration = Duration::from_secs(10);
const _: () = assert!(CALL_TIMEOUT.as_secs() < RESERVE.as_secs(), "a call ends before the reserve does");

/// How often one copy is asked for while EC2 throttles.
const THROTTLED_ATTEMPTS: u32 = 6;
/// The pause after the nth throttled attempt is at most this times 2 to the power of n, with full jitter.
const PAUSE: Duration = Duration::from_millis(200);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// From so many equal answers in a row on, none of which started a copy, an account is passed over under that policy.
const EQUAL_ANSWERS: u32 = 3;
/// From so many accounts on that are passed over for one reason, the reason is no account's: the policy is passed over. Not for
/// refusals while some copies of the policy are started: those show that the refusals are about sources.
const ACCOUNTS_PASSED_OVER: usize = 3;

/// A CopySnapshot that did not name a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyError {
    /// What it means.
    pub failure: CopyFailure,
    /// EC2's words.
    pub error: CallError,
}

/// What a failed CopySnapshot means for its copy and for those that wait behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyFailure {
    /// EC2 throttled the request: the copy was not started and may be asked for again.
    Throttled,
    /// The Region has as many copies in flight as it allows: not started, and the next would not be either.
    RegionFull,
    /// This account has as many snapshots in the Region as its quota allows: somebody has to raise it.
    QuotaExceeded,
    /// The throughput of copies with a CompletionDuration is used up: not started, and those without one may be.
    DurationThroughput,
    /// No answer: the copy may have been started, and the Region is best left alone.
    Silence,
    /// An answer that does not say whether the copy was started (5xx).
    Ambiguous,
    /// EC2 refused; asking again the same way would give the same.
    Refused {
        /// The audit record's reason.
        reason: CopyFailed,
        /// What the operator does next.
        remedy: &'static str,
    },
}

/// What follows from an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The same request again, after a pause.
    Again(Duration),
    /// The next copy in line.
    Next(Outcome),
}

/// The line of copies for one Region, in one invocation.
#[derive(Debug, Default)]
pub struct Lane {
    /// How often EC2 has throttled the request for the copy at its head.
    throttled: u32,
    /// What was answered for each policy and account, and how often in a row, as long as no copy was started. Of the policy, too: a
    /// key that is lost or a throughput that is used up are one policy's, and another's copies of the same account go on.
    answers: BTreeMap<PolicyName, BTreeMap<AccountId, (Reason, u32)>>,
    /// The policies of which a copy was started.
    started: BTreeSet<PolicyName>,
    /// Why nothing more is asked for.
    closed: Option<CopyDeferred>,
}

impl Lane {
    /// What becomes of a copy of `account` under `policy` at the head of the line without a request, when so much of the
    /// invocation is left; nothing when it is to be asked for.
    pub fn without_asking(&mut self, policy: &PolicyName, account: &AccountId, left: Duration) -> Option<Outcome> {
        let deferral = match (self.closed, self.passes_over(policy, account)) {
            (Some(reason), _) => Deferral::RegionClosed(reason),
            (None, _) if left < RESERVE => Deferral::OutOfTime,
            (None, Some(reason)) => Deferral::AccountPassedOver(reason),
            (None, None) => return None,
        };
        self.throttled = 0;
        self.close(&deferral);
        Some(Outcome::Deferred(deferral))
    }

    /// What follows from the answer to a request for a copy of `account` under `policy` made at `at`, when so much of the
    /// invocation is left.
    /// `random`, from 0 to 1, decides how much of the longest pause is waited.
    pub fn answered(
        &mut self,
        policy: &PolicyName,
        account: &AccountId,
        answer: Result<SnapshotId, CopyError>,
        at: Timestamp,
        left: Duration,
        random: f64,
    ) -> Step {
        let outcome = match answer {
            Ok(copy) => Outcome::Started { copy, at },
            Err(CopyError { failure: CopyFailure::Throttled, error }) => {
                self.throttled += 1;
                let pause = pause(self.throttled, random);
                if self.throttled < THROTTLED_ATTEMPTS && left >= RESERVE.saturating_add(pause) {
                    return Step::Again(pause);
                }
                Outcome::Deferred(Deferral::Throttled(error))
            }
            Err(error) => not_started(error),
        };
        self.throttled = 0;
        self.count(policy, account, &outcome);
        if let Outcome::Deferred(deferral) = &outcome {
            self.close(deferral);
        }
        Step::Next(outcome)
    }

    /// Why nothing more is asked for, if that is so.
    #[must_use]
    pub fn closed(&self) -> Option<CopyDeferred> {
        self.closed
    }

    /// Whether more may be asked for.
    #[must_use]
    pub fn takes_more(&self) -> bool {
        self.closed.is_none()
    }

    /// What was answered for the last copies of an account under a policy, one like the other, if they are passed over for that.
    #[must_use]
    pub fn passes_over(&self, policy: &PolicyName, account: &AccountId) -> Option<Reason> {
        let answers = self.answers.get(policy)?;
        let passed_over = |(_, times): &&(Reason, u32)| *times >= EQUAL_ANSWERS;
        let own = answers.get(account).filter(passed_over).map(|(reason, _)| *reason);
        own.or_else(|| {
            let all: Vec<Reason> = answers.values().filter(passed_over).map(|(reason, _)| *reason).collect();
            let is_of_sources =
                |reason: &Reason| matches!(reason, Reason::CopyFailed(_)) && self.started.contains(policy);
            let of_policy = |reason: &Reason| {
                !is_of_sources(reason) && all.iter().filter(|other| *other == reason).count() >= ACCOUNTS_PASSED_OVER
            };
            all.iter().copied().find(of_policy)
        })
    }

    /// Notes that a copy of `account` under `policy` was refused or put off, by EC2 or before it was asked.
    pub fn refused(&mut self, policy: &PolicyName, account: &AccountId, reason: Reason) {
        let answers = self.answers.entry(policy.clone()).or_default();
        let (last, times) = answers.entry(account.clone()).or_insert((reason, 0));
        *times = if *last == reason { times.saturating_add(1) } else { 1 };
        *last = reason;
    }

    fn count(&mut self, policy: &PolicyName, account: &AccountId, outcome: &Outcome) {
        match outcome {
            Outcome::Failed { reason, .. } => self.refused(policy, account, (*reason).into()),
            Outcome::Deferred(deferral @ (Deferral::DurationThroughput(_) | Deferral::AnswerLost(_))) => {
                self.refused(policy, account, deferral.reason().into());
            }
            Outcome::Started { .. } => {
                self.started.insert(policy.clone());
                if let Some(answers) = self.answers.get_mut(policy) {
                    answers.remove(account);
                }
            }
            Outcome::Deferred(_) | Outcome::Stands => {}
        }
    }

    fn close(&mut self, deferral: &Deferral) {
        self.closed = self.closed.or_else(|| closes(deferral));
    }
}

fn not_started(CopyError { failure, error }: CopyError) -> Outcome {
    Outcome::Deferred(match failure {
        CopyFailure::Throttled => Deferral::Throttled(error),
        CopyFailure::RegionFull => Deferral::RegionFull(error),
        CopyFailure::QuotaExceeded => Deferral::QuotaExceeded(error),
        CopyFailure::DurationThroughput => Deferral::DurationThroughput(error),
        CopyFailure::Silence | CopyFailure::Ambiguous => Deferral::AnswerLost(error),
        CopyFailure::Refused { reason, remedy } => return Outcome::Failed { reason, remedy, error },
    })
}

/// Whether a deferral closes its Region for the rest of the invocation, and the reason that the others are given.
fn closes(deferral: &Deferral) -> Option<CopyDeferred> {
    match deferral {
        Deferral::RegionFull(_) | Deferral::QuotaExceeded(_) | Deferral::Throttled(_) | Deferral::OutOfTime => {
            Some(deferral.reason())
        }
        // Silence: the next call would wait as long and leave the next copy in doubt.
        Deferral::AnswerLost(error) if error.request_id.is_none() => Some(CopyDeferred::RegionUnreachable),
        _ => None,
    }
}

fn pause(throttled: u32, random: f64) -> Duration {
    let longest = PAUSE.saturating_mul(1 << throttled.min(8)).min(LONGEST_PAUSE);
    Duration::try_from_secs_f64(longest.as_secs_f64() * random).unwrap_or(longest).min(longest)
}
