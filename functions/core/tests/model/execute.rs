//! The shell around core's lines of copies: Regions at the same time, within a Region one call after the other.

use std::time::Duration;

use snapferry_core::copying::{CopyError, CopyRequest, Decision, Lane, Outcome, Step};
use snapferry_core::ebs::errors::{Failed, copy_failure};
use snapferry_core::facts::CallError;
use snapferry_core::ids::SnapshotId;
use snapferry_core::policy::Encryption;

use crate::clock::{Ms, timestamp};
use crate::copier::{Mistake, copies};
use crate::copies::Call;
use crate::ec2::{Answer, Ec2};
use crate::policies::REGIONS;

/// What was carried out.
pub(crate) struct Execution {
    /// The decision's number, what became of it, and when that was noted.
    pub(crate) outcomes: Vec<(usize, Outcome, Ms)>,
    pub(crate) ended: Ms,
    pub(crate) killed: bool,
}

/// One Region's copies, and how far its own thread of calls has come.
struct Thread {
    region: usize,
    decisions: Vec<usize>,
    next: usize,
    clock: Ms,
    lane: Lane,
}

/// Carries out `decisions` from `began` on. The function is stopped at `stopped`, or right after its `kill`th call.
pub(crate) fn execute(
    ec2: &mut Ec2,
    decisions: &[Decision<'_>],
    began: Ms,
    stopped: Ms,
    kill: Option<u32>,
    mistake: Option<Mistake>,
) -> Execution {
    let mut outcomes = Vec::with_capacity(decisions.len());
    let standing = decisions.iter().enumerate().filter(|(_, decision)| copies(decision).is_none());
    outcomes.extend(standing.map(|(number, _)| (number, Outcome::Stands, began)));
    let mut threads: Vec<Thread> = (0..REGIONS.len()).map(|region| Thread::new(region, decisions, began)).collect();
    let (mut dead_at, mut calls, mut ended) = (stopped, 0, began);
    while let Some(thread) = threads.iter_mut().filter(|thread| !thread.is_done()).min_by_key(|thread| thread.clock) {
        if thread.clock >= dead_at {
            return Execution { outcomes, ended: dead_at, killed: true };
        }
        if mistake == Some(Mistake::NeverCloses) {
            thread.lane = Lane::default();
        }
        let number = thread.decisions[thread.next];
        let request = copies(&decisions[number]).expect("a copy");
        let outcome = thread.lane.without_asking(left(stopped, thread.clock)).or_else(|| {
            calls += 1;
            if kill == Some(calls) {
                dead_at = thread.clock + 1;
            }
            thread.ask(ec2, request, stopped, mistake)
        });
        ended = ended.max(thread.clock);
        let Some(outcome) = outcome else { continue };
        thread.next += 1;
        if thread.clock < dead_at {
            outcomes.push((number, outcome, thread.clock));
        }
    }
    Execution { outcomes, ended, killed: ended >= dead_at }
}

impl Thread {
    fn new(region: usize, decisions: &[Decision<'_>], clock: Ms) -> Self {
        let here = |decision: &Decision<'_>| {
            copies(decision).is_some_and(|request| request.target.region.as_str() == REGIONS[region])
        };
        let decisions = (0..decisions.len()).filter(|&number| here(&decisions[number])).collect();
        Self { region, decisions, next: 0, clock, lane: Lane::default() }
    }

    fn is_done(&self) -> bool {
        self.next == self.decisions.len()
    }

    /// One request; `None` when the same is made again after a pause.
    fn ask(
        &mut self,
        ec2: &mut Ec2,
        request: &CopyRequest<'_>,
        stopped: Ms,
        mistake: Option<Mistake>,
    ) -> Option<Outcome> {
        let at = self.clock;
        let (answer, answered) = ec2.copy_snapshot(at, call(request, self.region, at));
        self.clock = answered;
        if mistake == Some(Mistake::RetriesBlindly) && matches!(answer, Answer::Silence | Answer::Error(500.., ..)) {
            return None;
        }
        let random = ec2.rng.f64();
        match self.lane.answered(read(answer), timestamp(at), left(stopped, self.clock), random) {
            Step::Again(pause) => {
                self.clock += Ms::try_from(pause.as_millis()).unwrap();
                None
            }
            Step::Next(outcome) => Some(outcome),
        }
    }
}

fn left(stopped: Ms, at: Ms) -> Duration {
    Duration::from_millis(u64::try_from(stopped - at).unwrap_or_default())
}

/// The answer as the seam hands it over.
fn read(answer: Answer) -> Result<SnapshotId, CopyError> {
    let (failed, code, request_id) = match answer {
        Answer::Copy(copy) => return Ok(copy),
        Answer::Error(status, code, request_id) => {
            (Failed::Answered { status, code, message: "so it is" }, code, request_id)
        }
        Answer::Silence => (Failed::Silent, "Timeout", false),
    };
    let request_id = request_id.then(|| "0b5e6e2c".to_owned());
    let error = CallError { code: code.to_owned(), message: "so it is".to_owned(), request_id };
    Err(CopyError { failure: copy_failure(failed), error })
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
