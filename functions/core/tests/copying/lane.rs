//! What follows from EC2's answers, in one Region's line of copies.

use std::time::Duration;

use snapferry_core::audit::{CopyDeferred, CopyFailed};
use snapferry_core::copying::{CopyError, CopyFailure, Deferral, Lane, Outcome, RESERVE, Step};
use snapferry_core::facts::CallError;
use snapferry_core::ids::{AccountId, PolicyName, SnapshotId};

use crate::world::{copy_id, error, now};

const LONG: Duration = Duration::from_secs(120);
const REFUSED: CopyFailure = CopyFailure::Refused { reason: CopyFailed::CallRefused, remedy: "Do something." };

fn account(number: u32) -> AccountId {
    AccountId::parse(&format!("{number:012}")).unwrap()
}

fn policy(number: u32) -> PolicyName {
    PolicyName::parse(&format!("policy-{number}")).unwrap()
}

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
        (answer(CopyFailure::QuotaExceeded), "deferred quota-exceeded", Some(CopyDeferred::QuotaExceeded)),
        (answer(CopyFailure::DurationThroughput), "deferred duration-throughput", None),
    ] {
        let mut lane = Lane::default();
        assert_eq!(lane.without_asking(&policy(1), &account(1), LONG), None);
        assert_eq!(word(&lane.answered(&policy(1), &account(1), answer, now(), LONG, 0.5)), becomes);
        assert_eq!((lane.closed(), lane.takes_more()), (next, next.is_none()));
        let closed = next.map(|reason| Outcome::Deferred(Deferral::RegionClosed(reason)));
        for _ in 0..2 {
            assert_eq!(lane.without_asking(&policy(1), &account(1), LONG), closed, "{becomes}");
        }
    }
}

#[test]
fn throttling_is_waited_out_six_times_for_each_copy() {
    let mut lane = Lane::default();
    let throttled = || answer(CopyFailure::Throttled);
    for _ in 0..5 {
        assert_eq!(word(&lane.answered(&policy(1), &account(1), throttled(), now(), LONG, 0.5)), "again");
        assert_eq!(lane.without_asking(&policy(1), &account(1), LONG), None);
    }
    assert_eq!(
        word(&lane.answered(&policy(1), &account(1), Ok(copy_id(1)), now(), LONG, 0.5)),
        "started snap-c0000001"
    );
    for _ in 0..5 {
        assert_eq!(word(&lane.answered(&policy(1), &account(1), throttled(), now(), LONG, 0.5)), "again");
    }
    assert_eq!(word(&lane.answered(&policy(1), &account(1), throttled(), now(), LONG, 0.5)), "deferred throttled");
    assert_eq!(
        lane.without_asking(&policy(1), &account(1), LONG),
        Some(Outcome::Deferred(Deferral::RegionClosed(CopyDeferred::Throttled)))
    );
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
        let pauses = [(); 5].map(|()| {
            match lane.answered(&policy(1), &account(1), answer(CopyFailure::Throttled), now(), LONG, random) {
                Step::Again(pause) => pause.as_millis(),
                Step::Next(outcome) => panic!("{outcome:?}"),
            }
        });
        assert_eq!(pauses, expected, "{random}");
    }
}

#[test]
fn the_reserve_is_kept_also_from_a_pause() {
    let mut lane = Lane::default();
    assert_eq!(lane.without_asking(&policy(1), &account(1), RESERVE), None);
    let little = RESERVE + Duration::from_millis(399);
    assert_eq!(
        word(&lane.answered(&policy(1), &account(1), answer(CopyFailure::Throttled), now(), little, 1.0)),
        "deferred throttled"
    );
    let mut lane = Lane::default();
    let enough = RESERVE + Duration::from_millis(400);
    assert_eq!(
        word(&lane.answered(&policy(1), &account(1), answer(CopyFailure::Throttled), now(), enough, 1.0)),
        "again"
    );
    let late = RESERVE.saturating_sub(Duration::from_millis(1));
    assert_eq!(lane.without_asking(&policy(1), &account(1), late), Some(Outcome::Deferred(Deferral::OutOfTime)));
    assert_eq!(
        lane.without_asking(&policy(1), &account(1), LONG),
        Some(Outcome::Deferred(Deferral::RegionClosed(CopyDeferred::OutOfTime)))
    );
}

const OTHERS: CopyFailure = CopyFailure::Refused { reason: CopyFailed::KeyRefused, remedy: "Do something." };

/// What becomes of one copy of an account under the first policy: `failed …`, or why it is not asked for.
fn turn(lane: &mut Lane, of: u32, answer: Result<SnapshotId, CopyError>) -> String {
    under(lane, 1, of, answer)
}

fn under(lane: &mut Lane, name: u32, of: u32, answer: Result<SnapshotId, CopyError>) -> String {
    match lane.without_asking(&policy(name), &account(of), LONG) {
        Some(outcome) => told(&outcome),
        None => word(&lane.answered(&policy(name), &account(of), answer, now(), LONG, 0.5)),
    }
}

#[test]
fn three_equal_refusals_in_a_row_pass_an_account_over_and_no_other() {
    let mut lane = Lane::default();
    for failure in [REFUSED, REFUSED, OTHERS, OTHERS] {
        assert!(turn(&mut lane, 1, answer(failure)).starts_with("failed"));
    }
    // A copy that starts ends the row.
    assert_eq!(turn(&mut lane, 1, Ok(copy_id(1))), "started snap-c0000001");
    for _ in 0..3 {
        assert_eq!(turn(&mut lane, 1, answer(REFUSED)), "failed call-refused");
    }
    for _ in 0..2 {
        assert_eq!(turn(&mut lane, 1, Ok(copy_id(2))), "deferred account-passed-over");
    }
    assert_eq!(turn(&mut lane, 2, Ok(copy_id(2))), "started snap-c0000002");
    assert!(lane.takes_more());
    assert_eq!(lane.passes_over(&policy(1), &account(1)), Some(CopyFailed::CallRefused.into()));
    assert_eq!(lane.passes_over(&policy(1), &account(2)), None);
}

#[test]
fn refusals_of_several_accounts_are_no_policys_where_a_copy_of_it_was_started() {
    let mut lane = Lane::default();
    assert_eq!(turn(&mut lane, 9, Ok(copy_id(1))), "started snap-c0000001");
    for account in 1..=4 {
        for _ in 0..3 {
            assert_eq!(turn(&mut lane, account, answer(REFUSED)), "failed call-refused");
        }
    }
    assert_eq!(turn(&mut lane, 9, Ok(copy_id(2))), "started snap-c0000002");
    assert_eq!(turn(&mut lane, 1, Ok(copy_id(2))), "deferred account-passed-over");
    // A throughput that is used up is one for all, whatever was started before.
    for account in 1..=3 {
        for _ in 0..3 {
            assert_eq!(
                under(&mut lane, 2, account, answer(CopyFailure::DurationThroughput)),
                "deferred duration-throughput"
            );
        }
    }
    assert_eq!(under(&mut lane, 2, 9, Ok(copy_id(3))), "deferred account-passed-over");
}

#[test]
fn three_accounts_passed_over_for_one_reason_pass_their_policy_over_and_no_other() {
    let mut lane = Lane::default();
    for (of, failure) in [(1, REFUSED), (2, OTHERS), (3, REFUSED), (4, OTHERS)] {
        for _ in 0..3 {
            assert!(turn(&mut lane, of, answer(failure)).starts_with("failed"));
        }
        assert_eq!(lane.passes_over(&policy(1), &account(6)), None, "two accounts for one reason, two for another");
    }
    for _ in 0..3 {
        assert!(turn(&mut lane, 5, answer(OTHERS)).starts_with("failed"));
    }
    assert_eq!(lane.passes_over(&policy(1), &account(6)), Some(CopyFailed::KeyRefused.into()));
    assert_eq!(turn(&mut lane, 6, Ok(copy_id(1))), "deferred account-passed-over");
    for of in 1..7 {
        assert_eq!(under(&mut lane, 2, of, Ok(copy_id(of))), format!("started {}", copy_id(of)));
    }
    assert!(lane.takes_more());
}

#[test]
fn lost_answers_and_spent_throughput_pass_an_account_over_under_their_policy_alone() {
    let lost = || {
        let error = CallError { request_id: Some("r".to_owned()), ..error("InternalError") };
        Err(CopyError { failure: CopyFailure::Ambiguous, error })
    };
    for (answer, told) in [
        (&lost as &dyn Fn() -> _, "deferred answer-lost"),
        (&|| answer(CopyFailure::DurationThroughput), "deferred duration-throughput"),
    ] {
        let mut lane = Lane::default();
        for _ in 0..3 {
            assert_eq!(turn(&mut lane, 1, answer()), told);
        }
        assert_eq!(turn(&mut lane, 1, answer()), "deferred account-passed-over");
        assert_eq!(under(&mut lane, 2, 1, Ok(copy_id(1))), "started snap-c0000001");
    }
}
