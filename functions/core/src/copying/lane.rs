//! How the copies of one Region are asked for, one after the other: what may be asked for again and when, and which
//! answers close the Region for the rest of the invocation.

use std::time::Duration;

use jiff::Timestamp;

use super::{Deferral, Outcome};
use crate::audit::{CopyDeferred, CopyFailed};
use crate::facts::CallError;
use crate::ids::SnapshotId;

/// How long the answer to one CopySnapshot is waited for. Longer than a read's: a copy whose answer is lost waits for the
/// next sweep, so a slow answer is worth waiting for.
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
    /// Why nothing more is asked for.
    closed: Option<CopyDeferred>,
}

impl Lane {
    /// What becomes of the copy at the head of the line without a request, when so much of the invocation is left;
    /// nothing when it is to be asked for.
    pub fn without_asking(&mut self, left: Duration) -> Option<Outcome> {
        let deferral = match self.closed {
            Some(reason) => Deferral::RegionClosed(reason),
            None if left < RESERVE => Deferral::OutOfTime,
            None => return None,
        };
        Some(self.ends(Outcome::Deferred(deferral)))
    }

    /// What follows from the answer to a request made at `at`, when so much of the invocation is left. `random`, from 0 to
    /// 1, decides how much of the longest pause is waited.
    pub fn answered(
        &mut self,
        answer: Result<SnapshotId, CopyError>,
        at: Timestamp,
        left: Duration,
        random: f64,
    ) -> Step {
        let CopyError { failure, error } = match answer {
            Ok(copy) => return Step::Next(self.ends(Outcome::Started { copy, at })),
            Err(error) => error,
        };
        let outcome = match failure {
            CopyFailure::Throttled => {
                self.throttled += 1;
                let pause = pause(self.throttled, random);
                if self.throttled < THROTTLED_ATTEMPTS && left >= RESERVE.saturating_add(pause) {
                    return Step::Again(pause);
                }
                Outcome::Deferred(Deferral::Throttled(error))
            }
            CopyFailure::RegionFull => Outcome::Deferred(Deferral::RegionFull(error)),
            CopyFailure::Silence | CopyFailure::Ambiguous => Outcome::Deferred(Deferral::AnswerLost(error)),
            CopyFailure::Refused { reason, remedy } => Outcome::Failed { reason, remedy, error },
        };
        Step::Next(self.ends(outcome))
    }

    fn ends(&mut self, outcome: Outcome) -> Outcome {
        self.throttled = 0;
        if let Outcome::Deferred(deferral) = &outcome {
            self.closed = self.closed.or_else(|| closes(deferral));
        }
        outcome
    }
}

/// Whether a deferral closes its Region for the rest of the invocation, and the reason that the others are given.
fn closes(deferral: &Deferral) -> Option<CopyDeferred> {
    match deferral {
        Deferral::RegionFull(_) | Deferral::Throttled(_) | Deferral::OutOfTime => Some(deferral.reason()),
        // Silence: the next call would wait as long and leave the next copy in doubt.
        Deferral::AnswerLost(error) if error.request_id.is_none() => Some(CopyDeferred::RegionUnreachable),
        _ => None,
    }
}

fn pause(throttled: u32, random: f64) -> Duration {
    let longest = PAUSE.saturating_mul(1 << throttled.min(8)).min(LONGEST_PAUSE);
    Duration::try_from_secs_f64(longest.as_secs_f64() * random).unwrap_or(longest).min(longest)
}
