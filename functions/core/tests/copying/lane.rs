//! What follows from EC2's answers, in one Region's line of copies.

use std::time::Duration;

use snapferry_core::audit::{CopyDeferred, CopyFailed};
use snapferry_core::copying::{CopyError, CopyFailure, Deferral, Lane, Outcome, RESERVE, Step};
use snapferry_core::facts::CallError;
use snapferry_core::ids::SnapshotId;

use crate::world::{copy_id, error, now};

const LONG: Duration = Duration::from_secs(120);
const REFUSED: CopyFailure = CopyFailure::Refused { reason: CopyFailed::CallRefused, remedy: "Do something." };

fn answer(failure: CopyFailure) -> Result<SnapshotId, CopyError> {
    Err(CopyError { failure, error: error("Code") })
}

/// In a word: `again`, or what becomes of the copy.
fn word(step: &Step) -> String {
    match step {
        Step::Again(_) => "again".to_owned(),
        Step::Next(outcome) => told(outcome),
    }
}

fn told(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Started { copy, .. } => format!("started {copy}"),
        Outcome::Deferred(deferral) => format!("deferred {}", deferral.reason()),
        Outcome::Failed { reason, .. } => format!("failed {reason}"),
        Outcome::Stands => "stands".to_owned(),
    }
}

#[test]
fn each_answer_decides_about_its_copy_and_about_the_next_one() {
    let answered = Err(CopyError {
        failure: CopyFailure::Ambiguous,
        error: CallError { request_id: Some("r".to_owned()), ..error("InternalError") },
    });
    for (answer, becomes, next) in [
        (Ok(copy_id(1)), "started snap-c0000001", None),
        (answer(REFUSED), "failed call-refused", None),
        (answered, "deferred answer-lost", None),
        (answer(CopyFailure::Ambiguous), "deferred answer-lost", Some(CopyDeferred::RegionUnreachable)),
        (answer(CopyFailure::Silence), "deferred answer-lost", Some(CopyDeferred::RegionUnreachable)),
        (answer(CopyFailure::RegionFull), "deferred region-full", Some(CopyDeferred::RegionFull)),
    ] {
        let mut lane = Lane::default();
        assert_eq!(lane.without_asking(LONG), None);
        assert_eq!(word(&lane.answered(answer, now(), LONG, 0.5)), becomes);
        let closed = next.map(|reason| Outcome::Deferred(Deferral::RegionClosed(reason)));
        for _ in 0..2 {
            assert_eq!(lane.without_asking(LONG), closed, "{becomes}");
        }
    }
}

#[test]
fn throttling_is_waited_out_six_times_for_each_copy() {
    let mut lane = Lane::default();
    let throttled = || answer(CopyFailure::Throttled);
    for _ in 0..5 {
        assert_eq!(word(&lane.answered(throttled(), now(), LONG, 0.5)), "again");
        assert_eq!(lane.without_asking(LONG), None);
    }
    assert_eq!(word(&lane.answered(Ok(copy_id(1)), now(), LONG, 0.5)), "started snap-c0000001");
    for _ in 0..5 {
        assert_eq!(word(&lane.answered(throttled(), now(), LONG, 0.5)), "again");
    }
    assert_eq!(word(&lane.answered(throttled(), now(), LONG, 0.5)), "deferred throttled");
    assert_eq!(lane.without_asking(LONG), Some(Outcome::Deferred(Deferral::RegionClosed(CopyDeferred::Throttled))));
}

#[test]
fn pauses_grow_up_to_five_seconds_and_chance_shortens_them() {
    for (random, expected) in [
        (1.0, [400, 800, 1600, 3200, 5000]),
        (0.5, [200, 400, 800, 1600, 2500]),
        (0.0, [0; 5]),
        (f64::NAN, [400, 800, 1600, 3200, 5000]),
    ] {
        let mut lane = Lane::default();
        let pauses = [(); 5].map(|()| match lane.answered(answer(CopyFailure::Throttled), now(), LONG, random) {
            Step::Again(pause) => pause.as_millis(),
            Step::Next(outcome) => panic!("{outcome:?}"),
        });
        assert_eq!(pauses, expected, "{random}");
    }
}

#[test]
fn the_reserve_is_kept_also_from_a_pause() {
    let mut lane = Lane::default();
    assert_eq!(lane.without_asking(RESERVE), None);
    let little = RESERVE + Duration::from_millis(399);
    assert_eq!(word(&lane.answered(answer(CopyFailure::Throttled), now(), little, 1.0)), "deferred throttled");
    let mut lane = Lane::default();
    let enough = RESERVE + Duration::from_millis(400);
    assert_eq!(word(&lane.answered(answer(CopyFailure::Throttled), now(), enough, 1.0)), "again");
    let late = RESERVE.saturating_sub(Duration::from_millis(1));
    assert_eq!(lane.without_asking(late), Some(Outcome::Deferred(Deferral::OutOfTime)));
    assert_eq!(lane.without_asking(LONG), Some(Outcome::Deferred(Deferral::RegionClosed(CopyDeferred::OutOfTime))));
}
