//! One copy: the intent, the request, the outcome. No request leaves without an intent that is written and fresh.
//!
//! After any of the awaits here the process may be gone. Before the request the intent stands for nothing and is found when
//! its hold ends; after it the copy is found by its tags, or by then EC2 has none.

use std::future::Future;

use futures_util::future::join;
use snapferry_core::copying::{CopyRequest, Decision, Deferral, Outcome, RESERVE, Step, step};
use snapferry_core::ledger::{Obligation, State};

use crate::run::Run;
use crate::wish::in_place_of;
use crate::{World, Written, line};

/// What is to be asked for.
pub(crate) struct Wish<'d, 'f> {
    /// The decision to copy.
    pub(crate) decision: &'d Decision<'f>,
    /// Its request.
    pub(crate) request: CopyRequest<'f>,
    /// What stands in the ledger, if something does.
    pub(crate) stored: Option<&'d Obligation>,
    /// What it is by now, due to be asked for: the answer may make it that again.
    pub(crate) before: &'d Obligation,
}

/// What became of a wish.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// It was asked for, and what became of that stands in the audit.
    Told,
    /// Nothing was asked for nor written.
    NotTried(Outcome),
    /// Somebody else has it.
    Anothers,
    /// The ledger did not take the intent.
    LedgerFailed,
}

/// Asks for a copy. `along` is done while the intent is written.
pub(crate) async fn ask<W: World>(run: &Run<'_, W>, wish: &Wish<'_, '_>, along: impl Future<Output = ()>) -> Asked {
    let Wish { decision, request, stored, before } = wish;
    let (policy, region, account) = (request.policy, &request.target.region, &request.source.owner);
    let left = run.world.left();
    if let Some(outcome) = run.lane(region, |lane| lane.without_asking(policy, account, left)) {
        return Asked::NotTried(outcome);
    }
    if let Some(at) = run.requested(before) {
        return Asked::NotTried(Outcome::Deferred(Deferral::AnswerJustLost(at)));
    }
    let Some(intent) = before.asked(run.world.now()) else {
        return Asked::NotTried(Outcome::Deferred(Deferral::InLine));
    };
    let intent = in_place_of(*stored, intent);
    let (written, ()) = join(run.world.write(&intent), along).await;
    match written {
        Ok(Written::Done) => {}
        Ok(Written::Stale) => return Asked::Anothers,
        Err(error) => {
            run.ledger_failed(1, &error);
            return Asked::LedgerFailed;
        }
    }
    let (intent, outcome) = match request_under(run, request, intent).await {
        Ok(answered) => answered,
        Err(asked) => return asked,
    };
    run.note_answer(before, &outcome);
    run.tell_tried(decision, &outcome);
    settle(run, before, &intent, &outcome).await;
    Asked::Told
}

/// Asks EC2 as often as the lane says, under an intent that is renewed as often as it has to be.
async fn request_under<W: World>(
    run: &Run<'_, W>,
    request: &CopyRequest<'_>,
    mut intent: Obligation,
) -> Result<(Obligation, Outcome), Asked> {
    let (policy, region, account) = (request.policy, &request.target.region, &request.source.owner);
    loop {
        let at = run.world.now();
        if run.world.left() < RESERVE {
            return Ok((intent, Outcome::Deferred(Deferral::OutOfTime)));
        }
        if !intent.may_leave(at) {
            intent = renew(run, &intent).await?;
            continue;
        }
        run.note_request(&intent);
        let answer = run.world.copy(request, at).await;
        let (left, random) = (run.world.left(), run.world.random());
        match run.lane(region, |lane| lane.answered(policy, account, answer, at, left, random)) {
            Step::Again(pause) => run.world.sleep(pause).await,
            Step::Next(outcome) => return Ok((intent, outcome)),
        }
    }
}

async fn renew<W: World>(run: &Run<'_, W>, intent: &Obligation) -> Result<Obligation, Asked> {
    let renewed = intent.renewed(run.world.now()).ok_or(Asked::Anothers)?;
    match run.world.write(&renewed).await {
        Ok(Written::Done) => Ok(renewed),
        Ok(Written::Stale) => Err(Asked::Anothers),
        Err(error) => {
            run.ledger_failed(1, &error);
            Err(Asked::LedgerFailed)
        }
    }
}

/// Writes what the answer makes of the intent. Lost, the intent stands until its hold ends, and the copy is looked for then.
async fn settle<W: World>(run: &Run<'_, W>, before: &Obligation, intent: &Obligation, outcome: &Outcome) {
    let Some(after) = step(before, intent, outcome, run.world.now()) else { return };
    if after.copy().is_none() {
        run.forget_request(&after.identity);
    }
    let written = match after.state {
        State::Owed | State::Delayed { .. } => line::stand(run, &after).await,
        State::Asked { .. } | State::Copying { .. } | State::Ended { .. } => run.world.write(&after).await,
    };
    if let Err(error) = written {
        run.ledger_failed(1, &error);
    }
}
