//! The guard against mass expiry and a wrong clock.

use snapferry_core::expiring::{Alarm, Limits, decide};

use crate::world::*;

/// A volume with so many expired copies, and another with so many that are not.
fn crowd(expired: u32, fresh: u32) -> Vec<Shown> {
    let expired = (1..=expired).map(|number| copy(number, -40, -10).of_source(number));
    expired.chain((0..fresh).map(|number| copy(1000 + number, -1, 29).volume(1))).collect()
}

#[test]
fn more_than_half_at_once_raises_the_alarm() {
    for (expired, fresh, is_alarm) in [
        (11, 10, true),
        (11, 11, false),
        (12, 11, true),
        (10, 1, false),
        (12, 0, true),
        (11, 0, false),
        (500, 500, false),
    ] {
        let facts = facts(&crowd(expired, fresh));
        let plan = decide(&policies(""), &facts, LIMITS, now());
        assert_eq!(plan.alarm.is_some(), is_alarm, "{expired} of {}", expired + fresh);
        assert_eq!(plan.deletions.is_empty(), is_alarm);
        let lifted = decide(&policies(""), &facts, Limits { allow_mass_expiry: true, ..LIMITS }, now());
        assert_eq!(lifted.alarm, None);
        assert_eq!(lifted.deletions.len(), expired as usize - usize::from(fresh == 0));
    }
}

#[test]
fn the_alarm_counts_all_that_is_due_before_any_limit() {
    let facts = facts(&crowd(300, 100));
    let plan = decide(&policies(""), &facts, Limits { max_deletes: 5, allow_mass_expiry: false }, now());
    assert_eq!(plan.alarm, Some(Alarm::MassExpiry { expiring: 300, verified: 400, deletions: 300 }));
}

#[test]
fn volumes_that_went_silent_long_ago_do_not_stop_the_others() {
    let silent = (1..=50).map(|number| copy(number, -400, -370).volume(number));
    let live = (0..40).map(|number| copy(1000 + number, i64::from(number) - 40, i64::from(number) - 12).volume(999));
    let plan_facts = facts(&silent.chain(live).collect::<Vec<_>>());
    let plan = decide(&policies(""), &plan_facts, LIMITS, now());
    assert_eq!((plan.alarm, plan.deletions.len(), plan.kept.len()), (None, 12, 50));
    // Nor do they hide how much of the others goes.
    let silent = (1..=50).map(|number| copy(number, -400, -370).volume(number));
    let plan_facts =
        facts(&silent.chain((1000..1013).map(|number| copy(number, -40, -10).volume(999))).collect::<Vec<_>>());
    let plan = decide(&policies(""), &plan_facts, LIMITS, now());
    assert_eq!(plan.alarm, Some(Alarm::MassExpiry { expiring: 12, verified: 13, deletions: 12 }));
}

#[test]
fn retention_by_count_is_no_mass_expiry() {
    // A day's retention and KeepAtLeast 7: of eight daily copies of each volume seven are due, and one goes.
    let daily = |volume: u32| {
        (0..8).map(move |age| copy(volume * 10 + age, -i64::from(age), 1 - i64::from(age)).volume(volume))
    };
    let plan_facts = facts(&(1..=40).flat_map(daily).collect::<Vec<_>>());
    let plan = decide(&keeping(7), &plan_facts, LIMITS, now() + jiff::SignedDuration::from_hours(1));
    assert_eq!((plan.alarm, plan.deletions.len(), plan.kept.len()), (None, 40, 240));
    // The same vault, when the rule keeps one only: nearly all goes at once.
    let plan = decide(&keeping(1), &plan_facts, LIMITS, now() + jiff::SignedDuration::from_hours(1));
    assert_eq!(plan.alarm, Some(Alarm::MassExpiry { expiring: 280, verified: 320, deletions: 280 }));
}

#[test]
fn a_clock_years_ahead_deletes_nothing() {
    let copies: Vec<Shown> =
        (1..=60).map(|number| copy(number, -i64::from(number / 2), 30).volume(1 + number % 20)).collect();
    let plan_facts = facts(&copies);
    let plan = decide(&policies(""), &plan_facts, LIMITS, day(3000));
    assert_eq!(plan.alarm.unwrap().reason().name(), "mass-expiry");
    assert!(plan.deletions.is_empty());
}

#[test]
fn a_clock_behind_the_newest_copy_deletes_nothing() {
    for newest in [copy(3, 1, 31), copy(3, 1, 31).judged("failed", 1), copy(3, 1, 31).without("snapferry:policy")] {
        let plan_facts = facts(&[copy(1, -40, -10), copy(2, -1, 29), newest]);
        let plan = decide(&policies(""), &plan_facts, LIMITS, now());
        assert_eq!(plan.alarm, Some(Alarm::ClockBehind { newest: day(1), deletions: 1 }));
        assert!(plan.deletions.is_empty());
        let lifted = Limits { allow_mass_expiry: true, ..LIMITS };
        assert_eq!(told(&decide(&policies(""), &plan_facts, lifted, now())).0, vec![1]);
    }
}

#[test]
fn copies_that_are_not_decided_on_say_nothing_of_the_clock() {
    let later = copy(3, 1, 31);
    for later in [later.clone().of_policy("unnamed"), later.tag("snapferry:source-region", "eu-central-1")] {
        let plan_facts = facts(&[copy(1, -40, -10), copy(2, -1, 29), later]);
        let plan = decide(&policies(""), &plan_facts, LIMITS, now());
        assert_eq!((plan.alarm, plan.deletions.len()), (None, 1));
    }
}

#[test]
fn a_clock_behind_by_minutes_is_no_alarm() {
    for (seconds, is_alarm) in [(1, false), (900, false), (901, true), (7200, true)] {
        let mut newest = copy(2, 0, 30);
        newest.start = now() + jiff::SignedDuration::from_secs(seconds);
        let plan_facts = facts(&[copy(1, -40, -10), newest]);
        let plan = decide(&policies(""), &plan_facts, LIMITS, now());
        assert_eq!(plan.alarm.map(|alarm| alarm.reason().name()), is_alarm.then_some("clock-behind"), "{seconds}");
    }
}
