//! What is written after an answer to a request.

use snapferry_core::audit::{CopyDeferred, CopyFailed};
use snapferry_core::copying::{Deferral, Outcome, step};
use snapferry_core::facts::CallError;
use snapferry_core::ledger::{Obligation, State};

use crate::world::{at, id, owed, with};

fn error() -> CallError {
    CallError { code: "Code".to_owned(), message: "so it is".to_owned(), request_id: None }
}

#[test]
fn each_outcome_has_its_step() {
    let deferred = Outcome::Deferred;
    let reason = CopyFailed::KeyRefused;
    for (outcome, expected) in [
        (Outcome::Started { copy: id(5), at: at(1) }, Some(State::Copying { copy: id(5), at: at(1) })),
        (Outcome::Failed { reason, remedy: "", error: error() }, Some(State::Delayed { since: at(2) })),
        // The answer does not say whether there is a copy.
        (deferred(Deferral::AnswerLost(error())), None),
        (deferred(Deferral::AnswerJustLost(at(0))), None),
        (Outcome::Stands, None),
        // It says that there is none, for no fault of the copy's.
        (deferred(Deferral::Throttled(error())), Some(State::Owed)),
        (deferred(Deferral::RegionFull(error())), Some(State::Owed)),
        (deferred(Deferral::QuotaExceeded(error())), Some(State::Owed)),
        (deferred(Deferral::DurationThroughput(error())), Some(State::Owed)),
        // It was not sent.
        (deferred(Deferral::RegionClosed(CopyDeferred::RegionFull)), Some(State::Owed)),
        (deferred(Deferral::AccountPassedOver(reason.into())), Some(State::Owed)),
        (deferred(Deferral::OutOfTime), Some(State::Owed)),
    ] {
        let before = owed();
        let asked = before.asked(at(0)).unwrap();
        let after = step(&before, &asked, &outcome, at(2));
        assert_eq!(after.as_ref().map(|after| &after.state), expected.as_ref(), "{outcome:?}");
        assert!(after.is_none_or(|after| after.revision == asked.revision + 1));
    }
    let before = Obligation { failed: 1, ..with(State::Delayed { since: at(-5) }) };
    let asked = before.asked(at(0)).unwrap();
    let after = step(&before, &asked, &Outcome::Deferred(Deferral::RegionFull(error())), at(2)).unwrap();
    assert_eq!((after.state, after.failed), (State::Delayed { since: at(-5) }, 1));
}
