//! Copies that failed: how often they are tried again.

use insta::assert_snapshot;
use snapferry_core::copying::MAX_ATTEMPTS;
use snapferry_core::facts::{Copy, State};
use snapferry_core::tags::Status;

use crate::sweeps::noticed;
use crate::world::{DAY, HOUR, IRELAND, OHIO, ago, copy, event, id, of_policy, source, sweep};

/// A copy of snapshot 1 that failed.
fn failed(number: u32, seconds_ago: i64) -> Copy {
    let start_time = ago(seconds_ago);
    match number % 3 {
        0 => Copy { state: State::Error, status: Some(Status::Copying), start_time, ..copy(number, 1) },
        1 => Copy { state: State::Error, status: Some(Status::Failed), start_time, ..copy(number, 1) },
        _ => Copy { status: Some(Status::Rejected), start_time, ..copy(number, 1) },
    }
}

fn five(oldest: i64) -> impl Iterator<Item = Copy> {
    let ages = [oldest, 4 * HOUR, 3 * HOUR, 2 * HOUR, HOUR];
    assert_eq!(ages.len(), MAX_ATTEMPTS);
    (1..).zip(ages).map(|(number, age)| failed(number, age))
}

#[test]
fn four_failures_are_not_the_end() {
    assert_snapshot!(event().shows([source(1)]).has(IRELAND, five(5 * HOUR).skip(1)).plan(), @r"
    copy nightly snap-00000001 -> eu-west-1
    copy nightly snap-00000001 -> us-east-2
    ");
}

#[test]
fn five_failures_within_a_day_are_refused_until_the_first_is_a_day_old() {
    assert_snapshot!(event().shows([source(1)]).has(IRELAND, five(DAY - 1)).plan(), @r"
    refuse nightly snap-00000001 -> eu-west-1: attempts-exhausted 5, snap-c0000005 last, again from 2026-11-22T12:00:01Z on
    copy nightly snap-00000001 -> us-east-2
    ");
    assert_snapshot!(event().shows([source(1)]).has(IRELAND, five(DAY)).plan(), @r"
    copy nightly snap-00000001 -> eu-west-1
    copy nightly snap-00000001 -> us-east-2
    ");
}

#[test]
fn failures_of_other_identities_do_not_count() {
    let mut copies: Vec<Copy> = five(5 * HOUR).collect();
    copies[0] = of_policy(copies[0].clone(), "weekly");
    copies[1].source = id(2);
    assert_snapshot!(event().shows([source(1)]).has(IRELAND, copies.clone()).has(OHIO, copies).plan(), @r"
    copy nightly snap-00000001 -> eu-west-1
    copy nightly snap-00000001 -> us-east-2
    ");
}

#[test]
fn a_live_copy_ends_the_matter() {
    let copies = five(5 * HOUR).chain([copy(9, 1)]);
    let plan = event().shows([source(1)]).has(IRELAND, copies).plan();
    assert!(plan.starts_with("skip nightly snap-00000001 -> eu-west-1: already-copied"), "{plan}");
}

#[test]
fn a_sweep_says_it_once_a_day_and_counts_it_always() {
    let mut world = sweep();
    world.shows([source(1)]).has(IRELAND, five(5 * HOUR)).has(OHIO, [copy(8, 1)]);
    assert_snapshot!(world.plan(), @r"
    refuse nightly snap-00000001 -> eu-west-1: attempts-exhausted 5, snap-c0000005 last, again from 2026-11-23T07:00:00Z on
    = 1 shared, 1 matching, 1 protected, 1 missing
    = oldest missing: 2026-11-22T11:00:00Z
    ");
    noticed(&mut world);
    assert_snapshot!(world.plan(), @r"
    = 1 shared, 1 matching, 1 protected, 1 missing
    = oldest missing: 2026-11-22T11:00:00Z
    ");
    // One more failure is news again.
    world.has(IRELAND, [failed(6, HOUR / 2)]);
    assert_snapshot!(world.plan(), @r"
    refuse nightly snap-00000001 -> eu-west-1: attempts-exhausted 6, snap-c0000006 last, again from 2026-11-23T07:00:00Z on
    = 1 shared, 1 matching, 1 protected, 1 missing
    = oldest missing: 2026-11-22T11:00:00Z
    ");
}
