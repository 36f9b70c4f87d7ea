//! The executor's rules: Regions at the same time, within a Region one call after the other, and which answers close a
//! Region for the rest of the invocation.

use snapferry_core::copying::{CopyRequest, Decision, Deferral, Outcome};
use snapferry_core::facts::CallError;
use snapferry_core::policy::Encryption;

use crate::clock::{Ms, SECOND, timestamp};
use crate::copier::copies;
use crate::copies::Call;
use crate::ec2::{Answer, Ec2};
use crate::policies::REGIONS;

const RESERVE: Ms = 10 * SECOND;
const THROTTLED_ATTEMPTS: u32 = 6;
const BACKOFF: Ms = 200;
const BACKOFF_MOST: Ms = 5 * SECOND;

/// What was carried out.
pub(crate) struct Execution {
    /// The decision's number, what became of it, and when that was noted.
    pub(crate) outcomes: Vec<(usize, Outcome, Ms)>,
    pub(crate) ended: Ms,
    pub(crate) killed: bool,
}

/// One Region's copies, and how far its own thread of calls has come.
struct Lane {
    region: usize,
    decisions: Vec<usize>,
    next: usize,
    clock: Ms,
    attempt: u32,
    closed: Option<&'static str>,
}

/// Carries out `decisions` from `began` on. The function is stopped at `stopped`, or right after its `kill`th call.
pub(crate) fn execute(
    ec2: &mut Ec2,
    decisions: &[Decision<'_>],
    began: Ms,
    stopped: Ms,
    kill: Option<u32>,
    blindly: bool,
) -> Execution {
    let mut outcomes = Vec::with_capacity(decisions.len());
    let standing = decisions.iter().enumerate().filter(|(_, decision)| copies(decision).is_none());
    outcomes.extend(standing.map(|(number, _)| (number, Outcome::Stands, began)));
    let mut lanes: Vec<Lane> = (0..REGIONS.len()).map(|region| Lane::new(region, decisions, began)).collect();
    let (mut dead_at, mut calls, mut ended) = (stopped, 0, began);
    while let Some(lane) = lanes.iter_mut().filter(|lane| !lane.is_done()).min_by_key(|lane| lane.clock) {
        if lane.clock >= dead_at {
            return Execution { outcomes, ended: dead_at, killed: true };
        }
        let number = lane.decisions[lane.next];
        let request = copies(&decisions[number]).expect("a copy");
        if let Some(reason) = lane.closed {
            lane.next += 1;
            outcomes.push((number, Outcome::Deferred(Deferral::RegionClosed(reason)), lane.clock));
            continue;
        }
        let at = lane.clock;
        let outcome = if stopped - at < RESERVE {
            Some(Outcome::Deferred(Deferral::OutOfTime))
        } else {
            let (answer, answered) = ec2.copy_snapshot(at, call(request, lane.region, at));
            calls += 1;
            if kill == Some(calls) {
                dead_at = at + 1;
            }
            lane.clock = answered;
            lane.outcome(answer, at, stopped, ec2, blindly)
        };
        ended = ended.max(lane.clock);
        let Some(outcome) = outcome else { continue };
        lane.next += 1;
        lane.attempt = 1;
        if let Outcome::Deferred(deferral) = &outcome {
            lane.closed = closes(deferral);
        }
        if lane.clock < dead_at {
            outcomes.push((number, outcome, lane.clock));
        }
    }
    Execution { outcomes, ended, killed: ended >= dead_at }
}

impl Lane {
    fn new(region: usize, decisions: &[Decision<'_>], clock: Ms) -> Self {
        let here = |decision: &Decision<'_>| {
            copies(decision).is_some_and(|request| request.target.region.as_str() == REGIONS[region])
        };
        let decisions = (0..decisions.len()).filter(|&number| here(&decisions[number])).collect();
        Self { region, decisions, next: 0, clock, attempt: 1, closed: None }
    }

    fn is_done(&self) -> bool {
        self.next == self.decisions.len()
    }

    /// What an answer means; `None` when the same call is made again after a pause.
    fn outcome(&mut self, answer: Answer, at: Ms, stopped: Ms, ec2: &mut Ec2, blindly: bool) -> Option<Outcome> {
        if blindly && self.attempt < 3 && matches!(answer, Answer::Silence | Answer::Ambiguous { .. }) {
            self.attempt += 1;
            return None;
        }
        Some(match answer {
            Answer::Copy(copy) => Outcome::Started { copy, at: timestamp(at) },
            Answer::Throttled => {
                let pause = (BACKOFF << self.attempt.min(8)).min(BACKOFF_MOST);
                let pause = ec2.rng.i64(0..pause);
                if self.attempt < THROTTLED_ATTEMPTS && stopped - self.clock >= RESERVE + pause {
                    self.attempt += 1;
                    self.clock += pause;
                    return None;
                }
                Outcome::Deferred(Deferral::Throttled(error("RequestLimitExceeded", true)))
            }
            Answer::Full => Outcome::Deferred(Deferral::RegionFull(error("ResourceLimitExceeded", true))),
            Answer::Silence => Outcome::Deferred(Deferral::AnswerLost(error("Timeout", false))),
            Answer::Ambiguous { request_id } => {
                Outcome::Deferred(Deferral::AnswerLost(error("InternalError", request_id)))
            }
            Answer::Refused => Outcome::Failed {
                reason: "call-refused",
                remedy: "The next sweep asks again.",
                error: error("InvalidParameterValue", true),
            },
        })
    }
}

fn error(code: &str, request_id: bool) -> CallError {
    CallError {
        code: code.to_owned(),
        message: "so it is".to_owned(),
        request_id: request_id.then(|| "0b5e6e2c".to_owned()),
    }
}

fn closes(deferral: &Deferral) -> Option<&'static str> {
    match deferral {
        Deferral::RegionFull(_) | Deferral::Throttled(_) | Deferral::OutOfTime => Some(deferral.reason()),
        Deferral::AnswerLost(error) if error.request_id.is_none() => Some("region-unreachable"),
        _ => None,
    }
}

/// The request as the seam makes it.
fn call(request: &CopyRequest<'_>, region: usize, at: Ms) -> Call {
    Call {
        region,
        source: request.source.id.clone(),
        description: request.description(),
        encrypted: !matches!(request.target.encryption, Encryption::AsSource),
        key: request.key().cloned(),
        tags: request.tags(timestamp(at)),
    }
}
