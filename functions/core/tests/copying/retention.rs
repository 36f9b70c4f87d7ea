//! What a sweep owes of sources that are older than their retention, and what is counted of it.

use std::sync::Arc;

use insta::assert_snapshot;
use serde_json::{Value, json};
use snapferry_core::copying::{Plan, Scope, decide};
use snapferry_core::facts::{Copy, KeyFact, KeyLife, KeyProblem, Origin, SourceSnapshot, State};
use snapferry_core::ids::{AccountId, VolumeId};
use snapferry_core::ledger::{self, By, End, Obligation};
use snapferry_core::tags::Status;

use crate::world::{DAY, HOUR, IRELAND, OWNER, World, ago, copy, id, now, owed, source, world};

/// The example policy: to Ireland alone, for three days.
fn three_days(keep_at_least: u32) -> Value {
    let mut document = crate::world::nightly();
    let target = json!({"Target": IRELAND, "EncryptionConfiguration": {"Encrypted": false},
        "RetainRule": {"Interval": 3, "IntervalUnit": "DAYS", "KeepAtLeast": keep_at_least}});
    document["Policy"]["PolicyDetails"]["Actions"][0]["CrossRegionCopy"] = json!([target]);
    document
}

fn sweep(keep_at_least: u32) -> World {
    world(Scope::Sweep { since: None }, &[three_days(keep_at_least)])
}

/// A source so many days and an hour old.
fn aged(number: u32, days: i64) -> SourceSnapshot {
    SourceSnapshot { start_time: ago(days * DAY + HOUR), ..source(number) }
}

/// A copy of the volume that all sources here are of.
fn of_volume(number: u32, of: u32) -> Copy {
    let origin = Origin { account: AccountId::parse(OWNER).ok(), ..(*copy(1, 1).origin).clone() };
    Copy { lineage: VolumeId::parse("vol-00000001").ok(), origin: Arc::new(origin), ..copy(number, of) }
}

fn week() -> impl Iterator<Item = SourceSnapshot> {
    (0..7).map(|days| aged(u32::try_from(days).unwrap() + 1, days))
}

#[test]
fn of_a_week_of_sources_those_within_three_days_are_copied_and_the_rest_is_kept_by_their_copies() {
    let mut world = sweep(1);
    world.shows(week()).has(IRELAND, [of_volume(2, 2)]);
    assert_snapshot!(world.plan(), @r"
    copy nightly snap-00000001 -> eu-west-1
    copy nightly snap-00000003 -> eu-west-1
    = 7 shared, 7 matching, 4 over retention, 1 protected, 2 in flight, 2 started
    ");
}

#[test]
fn a_lineage_without_a_copy_gets_one_of_its_newest() {
    let mut world = sweep(1);
    let other = SourceSnapshot { volume: VolumeId::parse("vol-00000002").unwrap(), ..aged(8, 5) };
    world.shows(week().skip(3).chain([other]));
    assert_snapshot!(world.plan(), @r"
    copy nightly snap-00000004 -> eu-west-1
    copy nightly snap-00000008 -> eu-west-1
    = 5 shared, 5 matching, 3 over retention, 2 in flight, 2 started
    ");
}

#[test]
fn nothing_is_owed_beside_a_copy_under_way_or_what_stands_in_the_ledger() {
    let pending = Copy { state: State::Pending, status: Some(Status::Copying), ..of_volume(4, 4) };
    let mut world = sweep(1);
    assert!(world.shows(week().skip(3)).has(IRELAND, [pending]).plan().starts_with("= 4 shared, 4 matching, 3 over"));
    // What stands is owed, however old.
    let mut world = sweep(1);
    assert_snapshot!(world.shows(week().skip(3)).owes(owed(5)).plan(), @r"
    copy nightly snap-00000005 -> eu-west-1
    = 4 shared, 4 matching, 3 over retention, 1 in flight, 1 started
    ");
    // What stands in vain leaves its lineage to the newest of the others, and what is over to all.
    for in_vain in [Obligation { failed: 5, ..owed(5) }, Obligation { refused: 24, ..owed(5) }] {
        let mut world = sweep(1);
        let plan = world.shows(week().skip(3)).owes(in_vain).plan();
        assert!(plan.contains("copy nightly snap-00000005") && plan.contains("copy nightly snap-00000004"), "{plan}");
    }
    let unseen = Obligation { put_off: 99, ..owed(5) };
    assert!(!sweep(1).shows(week().skip(3)).owes(unseen).plan().contains("copy nightly snap-00000004"));
    let over = ledger::State::Ended { at: ago(DAY), why: End::Protected, copy: None };
    let mut world = sweep(1);
    let plan = world.shows(week().skip(3)).owes(Obligation { state: over, ..owed(4) }).plan();
    assert!(plan.starts_with("copy nightly snap-00000004"), "{plan}");
}

#[test]
fn the_newest_that_is_exhausted_is_left_to_the_next() {
    let failed = (10..15).map(|number| Copy { state: State::Error, start_time: ago(HOUR), ..of_volume(number, 4) });
    let mut world = sweep(1);
    let plan = world.shows(week().skip(3)).has(IRELAND, failed).plan();
    assert!(plan.contains("refuse nightly snap-00000004 -> eu-west-1: attempts-exhausted"), "{plan}");
    assert!(plan.contains("copy nightly snap-00000005 -> eu-west-1"), "{plan}");
    assert!(plan.contains("2 over retention"), "{plan}");
}

#[test]
fn copies_under_a_doomed_key_and_of_others_keep_nothing() {
    let with = |copy: Copy, change: fn(&mut Origin)| {
        let mut origin = (*copy.origin).clone();
        change(&mut origin);
        Copy { origin: Arc::new(origin), ..copy }
    };
    let kept = of_volume(20, 99);
    let others = [
        with(kept.clone(), |origin| origin.life = KeyLife::Doomed),
        with(kept.clone(), |origin| origin.policy = crate::world::name("weekly")),
        with(kept.clone(), |origin| origin.account = AccountId::parse("999999999999").ok()),
        Copy { lineage: VolumeId::parse("vol-00000002").ok(), ..kept.clone() },
        Copy { status: Some(Status::Rejected), ..kept.clone() },
    ];
    for other in others {
        let mut world = sweep(1);
        let plan = world.shows([aged(4, 3)]).has(IRELAND, [other.clone()]).plan();
        assert!(plan.contains("copy nightly snap-00000004"), "{other:?}: {plan}");
    }
    let mut world = sweep(1);
    assert_snapshot!(world.shows([aged(4, 3)]).has(IRELAND, [kept]).plan(), @"= 1 shared, 1 matching, 1 over retention");
}

#[test]
fn without_keep_at_least_nothing_old_is_owed_and_without_a_volume_all_is() {
    let filler =
        |number, days| SourceSnapshot { volume: VolumeId::parse("vol-ffffffff").unwrap(), ..aged(number, days) };
    let mut world = sweep(0);
    assert_snapshot!(world.shows([aged(1, 2), aged(4, 3), filler(5, 4)]).plan(), @r"
    copy nightly snap-00000001 -> eu-west-1
    = 3 shared, 3 matching, 2 over retention, 1 in flight, 1 started
    ");
    let mut world = sweep(1);
    assert_snapshot!(world.shows([filler(4, 3), filler(5, 4)]).has(IRELAND, [of_volume(2, 2)]).plan(), @r"
    copy nightly snap-00000004 -> eu-west-1
    copy nightly snap-00000005 -> eu-west-1
    = 2 shared, 2 matching, 2 in flight, 2 started
    ");
}

#[test]
fn the_interval_ends_to_the_second_and_events_are_owed_whatever_their_age() {
    let at = |seconds| SourceSnapshot { start_time: ago(seconds), ..source(1) };
    for (seconds, owed) in [(3 * DAY - 1, true), (3 * DAY, false)] {
        let plan = sweep(1).shows([at(seconds)]).has(IRELAND, [of_volume(2, 2)]).plan();
        assert_eq!(plan.contains("copy nightly"), owed, "{seconds} s: {plan}");
    }
    let mut world = sweep(1);
    let plan = world.name(1).shows([at(30 * DAY)]).has(IRELAND, [of_volume(2, 2)]).plan();
    assert!(plan.contains("copy nightly snap-00000001"), "{plan}");
    let mut by_event = sweep(1);
    let plan =
        by_event.shows([at(30 * DAY)]).has(IRELAND, [of_volume(2, 2)]).owes(Obligation { by: By::Event, ..owed(1) });
    assert!(plan.plan().contains("copy nightly snap-00000001"), "what stands is owed");
}

#[test]
fn a_key_is_told_of_for_the_one_that_is_owed_alone() {
    let mut document = three_days(1);
    document["Policy"]["PolicyDetails"]["Actions"][0]["CrossRegionCopy"][0]["EncryptionConfiguration"] =
        json!({"Encrypted": true, "CmkArn": crate::world::KEY});
    let mut world = world(Scope::Sweep { since: None }, &[document]);
    world.shows(week().skip(3)).key(KeyFact::Unusable(KeyProblem::Disabled));
    assert_snapshot!(world.plan(), @r"
    refuse nightly snap-00000004 -> eu-west-1: key-disabled eu-west-1
    = 4 shared, 4 matching, 3 over retention, 1 missing
    = oldest missing: 2026-11-19T11:00:00Z
    ");
    assert!(world.has(IRELAND, [of_volume(2, 99)]).plan().starts_with("= 4 shared, 4 matching, 4 over retention"));
}

/// Read in parts, the parts' candidates are compared by whoever reads them.
#[test]
fn candidates_of_a_part_are_set_aside_and_counted() {
    let mut world = sweep(1);
    world.shows(week().skip(3));
    let mut plan: Plan<'_> = decide(&world.policies, &world.facts, now());
    assert_eq!(plan.tally.over_retention, 3);
    let candidates = plan.set_aside();
    let (lineage, decision) = candidates.first_key_value().unwrap();
    assert_eq!((candidates.len(), lineage.lineage.as_str()), (1, "vol-00000001"));
    assert_eq!(plan.tally.over_retention, 4);
    assert!(plan.candidates.is_empty() && plan.decisions.is_empty());
    assert!(matches!(decision.subject, snapferry_core::copying::Subject::Seen(seen) if seen.id == id(4)));
}
