//! Which deletions a run tries: whatever EC2 refuses, the others have their turn.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use snapferry_core::expiring::{Attempts, Change, Deletion, FRUITLESS, Outcome, Refusal, Rest, decide};
use snapferry_core::facts::CallError;

use crate::world::*;

fn error(code: &str) -> CallError {
    CallError { code: code.to_owned(), message: String::new(), request_id: None }
}

fn in_use() -> Outcome {
    Outcome::Refused(Refusal::InUse, error("InvalidSnapshot.InUse"))
}

/// The numbers of the copies that a run tries while EC2 answers so, and what it leaves untried.
fn run(
    deletions: &[Deletion<'_>],
    max_deletes: usize,
    at: Timestamp,
    answer: impl Fn(u32) -> Outcome,
) -> (Vec<u32>, Vec<(Rest, usize)>) {
    let mut attempts = Attempts::new(deletions, max_deletes, at);
    let mut tried = Vec::new();
    loop {
        let batch = attempts.next(5);
        if batch.is_empty() {
            let rest = attempts.rest(Rest::RunLimit).into_iter().map(|(why, _, count)| (why, count));
            return (tried, rest.collect());
        }
        for deletion in batch {
            attempts.done(deletion, &answer(number(&deletion.copy.id)));
            tried.push(number(&deletion.copy.id));
        }
    }
}

/// So many volumes' copies that are due, the lowest number for longest.
fn due(count: u32) -> Vec<Shown> {
    (1..=count).map(|n| copy(n, -400, i64::from(n) - 1 - i64::from(count))).collect()
}

fn none() -> Vec<(Rest, usize)> {
    Vec::new()
}

#[test]
fn a_run_deletes_as_many_as_it_may_the_longest_due_first() {
    let (policies, facts) = (keeping(0), facts(&due(12)));
    let plan = decide(&policies, &facts, LIFTED, now());
    assert_eq!(run(&plan.deletions, 7, now(), |_| Outcome::Deleted), ((1..=7).collect(), vec![(Rest::RunLimit, 5)]));
    assert_eq!(run(&plan.deletions, 12, now(), |_| Outcome::Deleted), ((1..=12).collect(), none()));
    // What may have been deleted counts; what was not even tried to delete does not.
    let gone = |_| Outcome::Gone(error("InvalidSnapshot.NotFound"));
    assert_eq!(run(&plan.deletions, 7, now(), gone).1, [(Rest::RunLimit, 5)]);
    assert_eq!(run(&plan.deletions, 7, now(), |_| Outcome::Changed(Change::NotDue)).1, none());
    assert_eq!(run(&plan.deletions, 7, now(), |n| if n < 9 { in_use() } else { Outcome::Deleted }).0.len(), 12);
}

#[test]
fn a_region_that_does_not_answer_is_passed_over() {
    let (policies, facts) = (keeping(0), facts(&due(12)));
    let plan = decide(&policies, &facts, LIFTED, now());
    for (outcome, tried) in [
        (Outcome::Unanswered(error("Timeout")), 5),
        (Outcome::Unread(error("Timeout")), 5),
        (Outcome::Refused(Refusal::Throttled, error("RequestLimitExceeded")), 5),
        (in_use(), 12),
    ] {
        let (numbers, rest) = run(&plan.deletions, 100, now(), |_| outcome.clone());
        let closed = if tried < 12 { vec![(Rest::RegionClosed, 12 - tried)] } else { none() };
        assert_eq!((numbers.len(), rest), (tried, closed), "{outcome:?}");
    }
}

#[test]
fn of_a_thousand_that_are_refused_a_run_asks_for_two_hundred_and_for_each_within_hours() {
    let (policies, facts) = (keeping(0), facts(&due(1000)));
    let plan = decide(&policies, &facts, LIFTED, now());
    let mut asked = BTreeSet::new();
    for hour in 0..9 {
        let (tried, rest) = run(&plan.deletions, 100, now() + SignedDuration::from_hours(hour), |_| in_use());
        assert_eq!((tried.len(), rest), (FRUITLESS, vec![(Rest::RunLimit, 1000 - FRUITLESS)]));
        assert_eq!(tried[..100], (1..=100).collect::<Vec<_>>());
        asked.extend(tried);
    }
    assert_eq!(asked.len(), 1000);
}

#[test]
fn one_run_a_day_has_asked_for_each_within_as_many_days_as_there_are_hundreds() {
    // 24 hours' hundreds are 2400: an hour's place alone would come round to the same hundred each day.
    for count in [1, 101, 1200, 2400] {
        let (policies, facts) = (keeping(0), facts(&due(100 + count)));
        let plan = decide(&policies, &facts, LIFTED, now());
        let asked = |hours: i64, runs: i64| -> usize {
            let at = |n| now() + SignedDuration::from_hours(n * hours);
            (0..runs).flat_map(|n| run(&plan.deletions, 100, at(n), |_| in_use()).0).collect::<BTreeSet<_>>().len()
        };
        let runs = i64::from(count.div_ceil(100));
        let all = 100 + usize::try_from(count).unwrap();
        assert_eq!((asked(24, runs), asked(1, runs + 24)), (all, all), "{count}");
    }
}

#[test]
fn what_is_tagged_as_locked_stays_behind_even_where_no_rule_says_for_how_long() {
    let locked = |shown: Shown| shown.of_policy("retired").tag("snapferry:lock", "locked");
    let shown =
        [locked(copy(1, -60, -30)), copy(2, -50, -20).of_policy("retired"), copy(3, -1, 29).of_policy("retired")];
    let (policies, facts) = (policies(""), facts(&shown));
    let plan = decide(&policies, &facts, LIFTED, now());
    assert_eq!(told(&plan).0, [2, 1]);
}

#[test]
fn what_is_likely_locked_stays_behind_what_is_not() {
    let (policies, facts) = (keeping(0), facts(&due(450)));
    let mut plan = decide(&policies, &facts, LIFTED, now());
    plan.deletions[150..].iter_mut().for_each(|deletion| deletion.likely_locked = true);
    for hour in 0..9 {
        let (tried, _) = run(&plan.deletions, 100, now() + SignedDuration::from_hours(hour), |_| in_use());
        assert!(tried[..150].iter().all(|number| *number <= 150));
        assert!(tried[150..].iter().all(|number| *number > 150));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn whatever_is_refused_all_others_are_deleted_in_the_end_and_no_run_does_too_much(
        refused in prop::collection::vec(prop::bool::weighted(0.97), 1..500), limit in 1_usize..20, first in 0_i64..9000,
    ) {
        let mut shown = due(u32::try_from(refused.len()).unwrap());
        let is_refused = |number: u32| refused[number as usize - 1];
        let takes = refused.iter().filter(|is_refused| !**is_refused).count();
        let policies = keeping(0);
        // Each hour that deletes nothing brings the next hundred; a copy that goes moves the others once.
        let enough = (refused.len() / (FRUITLESS / 2) + 2) * (takes + 1);
        for hour in 0..enough {
            let facts = facts(&shown);
            let plan = decide(&policies, &facts, LIFTED, now());
            let at = now() + SignedDuration::from_hours(first + i64::try_from(hour).unwrap());
            let answer = |number| if is_refused(number) { in_use() } else { Outcome::Deleted };
            let (tried, _) = run(&plan.deletions, limit, at, answer);
            let deleted: Vec<u32> = tried.iter().copied().filter(|number| !is_refused(*number)).collect();
            prop_assert!(deleted.len() <= limit && tried.len() - deleted.len() <= FRUITLESS);
            shown.retain(|snapshot| !deleted.iter().any(|number| snapshot.id == copy(*number, 0, 0).id));
            if shown.len() == refused.len() - takes {
                break;
            }
        }
        prop_assert_eq!(shown.len(), refused.len() - takes);
    }
}
