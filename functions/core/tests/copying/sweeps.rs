//! Sweeps: what is well is only counted, what is not has a decision.

use std::sync::Arc;

use insta::assert_snapshot;
use serde_json::json;
use snapferry_core::copying::{Scope, decide};
use snapferry_core::facts::{Copy, Origin, SourceSnapshot, State, TamperedCopy};
use snapferry_core::ids::{AccountId, PolicyName, VolumeId};
use snapferry_core::tags::{self, Lock, Status, TagProblem};

use crate::world::{
    DAY, HOUR, IRELAND, OHIO, OTHER, OWNER, ago, copy, copy_id, error, like_nightly, nightly, now, region, source,
    sweep, world,
};

#[test]
fn only_what_is_to_be_done_is_said() {
    let other_owner = SourceSnapshot { owner: AccountId::parse(OTHER).unwrap(), ..source(3) };
    let pending = SourceSnapshot { state: State::Pending, ..source(4) };
    let in_flight = Copy { state: State::Pending, status: Some(Status::Copying), ..copy(2, 1) };
    let waits_for_its_lock = Copy { lock: Some(Lock::Pending), ..copy(3, 2) };
    let mut world = sweep();
    world.shows([source(1), source(2), other_owner, pending]);
    world.has(IRELAND, [copy(1, 1), waits_for_its_lock]).has(OHIO, [in_flight]);
    assert_snapshot!(world.plan(), @r"
    copy nightly snap-00000002 -> us-east-2
    = 4 shared, 2 matching, 1 protected, 3 in flight, 1 started
    ");
}

#[test]
fn what_an_event_named_is_said_too() {
    let mut world = sweep();
    world.name(1).name(9).shows([source(1), source(2)]);
    let copies = [copy(1, 1), copy(2, 2)];
    assert_snapshot!(world.has(IRELAND, copies.clone()).has(OHIO, copies).plan(), @r"
    defer * snap-00000009 -> *: not-visible-yet
    skip nightly snap-00000001 -> eu-west-1: already-copied snap-c0000001
    skip nightly snap-00000001 -> us-east-2: already-copied snap-c0000001
    = 2 shared, 2 matching, 4 protected
    ");
}

#[test]
fn snapshots_before_sweep_since_are_left_unless_an_event_names_them() {
    let started = |number, seconds| SourceSnapshot { start_time: ago(seconds), ..source(number) };
    let mut world = world(Scope::Sweep { since: Some(ago(DAY)) }, &[nightly()]);
    world.name(2).shows([started(1, DAY + 1), started(2, DAY + 1), started(3, DAY)]);
    assert_snapshot!(world.plan(), @r"
    copy nightly snap-00000002 -> eu-west-1
    copy nightly snap-00000002 -> us-east-2
    copy nightly snap-00000003 -> eu-west-1
    copy nightly snap-00000003 -> us-east-2
    = 2 shared, 1 before since, 2 matching, 4 in flight, 4 started
    ");
}

#[test]
fn an_unread_region_is_one_decision_and_holds_up_no_other() {
    let mut world = sweep();
    world.name(2).shows([source(1), source(2), source(3)]);
    world.facts.regions.insert(region(IRELAND), Err(error("Timeout")));
    assert_snapshot!(world.plan(), @r"
    copy nightly snap-00000001 -> us-east-2
    defer nightly snap-00000002 -> eu-west-1: region-unread (Timeout)
    copy nightly snap-00000002 -> us-east-2
    copy nightly snap-00000003 -> us-east-2
    defer * * -> eu-west-1: region-unread (Timeout)
    = 3 shared, 3 matching, 3 in flight, 3 started, 3 unknown
    ");
}

#[test]
fn a_region_that_is_not_enabled_is_told_apart() {
    let mut world = sweep();
    world.shows([source(1)]).has(OHIO, [copy(1, 1)]);
    for code in ["AuthFailure", "OptInRequired", "InvalidRegion"] {
        world.facts.regions.insert(region(IRELAND), Err(error(code)));
        let expected = format!(
            "defer * * -> eu-west-1: region-not-enabled ({code})\n= 1 shared, 1 matching, 1 protected, 1 unknown"
        );
        assert_eq!(world.plan(), expected);
    }
}

#[test]
fn unread_sources_are_said_once_and_for_each_event() {
    let mut world = sweep();
    world.name(1).facts.snapshots = Err(error("Timeout"));
    assert_snapshot!(world.plan(), @r"
    defer * snap-00000001 -> *: sources-unread (Timeout)
    defer * * -> *: sources-unread (Timeout)
    =
    ");
}

#[test]
fn two_policies_want_the_same_snapshot() {
    let weekly = like_nightly(
        "weekly",
        &[
            ("/Actions/0/CrossRegionCopy/0/Target", json!("us-east-1")),
            ("/Actions/0/CrossRegionCopy/0/EncryptionConfiguration", json!({"Encrypted": true})),
        ],
    );
    let mut world = world(Scope::Sweep { since: None }, &[nightly(), weekly]);
    world.facts.regions.insert(region("us-east-1"), Ok(Default::default()));
    assert_snapshot!(world.shows([source(1)]).has(OHIO, [copy(1, 1)]).plan(), @r"
    copy nightly snap-00000001 -> eu-west-1
    copy weekly snap-00000001 -> us-east-1
    copy weekly snap-00000001 -> us-east-2
    = 1 shared, 1 matching, 1 protected, 3 in flight, 3 started
    ");
}

#[test]
fn edited_tags_are_reported_once_a_day_with_the_copy() {
    let problems = vec![
        TagProblem { key: tags::SOURCE_SNAPSHOT, found: None },
        TagProblem { key: tags::EXPIRE_AFTER, found: Some("never\\u{a}".to_owned()) },
    ];
    let mut world = sweep();
    world.shows([source(1)]).has(IRELAND, [copy(1, 1)]).has(OHIO, [copy(2, 1)]);
    world.region(IRELAND).tampered.push(TamperedCopy {
        id: copy_id(7),
        source_region: None,
        start_time: now(),
        problems,
    });
    assert_snapshot!(world.plan(), @r"
    refuse * * -> eu-west-1: malformed-tags snap-c0000007 snapferry:source-snapshot snapferry:expire-after
    = 1 shared, 1 matching, 2 protected
    ");
    noticed(&mut world);
    assert_snapshot!(world.plan(), @"= 1 shared, 1 matching, 2 protected");
}

#[test]
fn duplicates_are_reported_once_a_day_and_counted_once() {
    let mut world = sweep();
    world.shows([source(1)]).has(IRELAND, [copy(1, 1), copy(2, 1)]).has(OHIO, [copy(3, 1)]);
    assert_snapshot!(world.plan(), @r"
    skip nightly snap-00000001 -> eu-west-1: duplicate snap-c0000002 snap-c0000001
    = 1 shared, 1 matching, 2 protected
    ");
    noticed(&mut world);
    assert_snapshot!(world.plan(), @"= 1 shared, 1 matching, 2 protected");
    // An event's snapshot is answered for all the same.
    assert!(world.name(1).plan().contains("duplicate"));
}

#[test]
fn a_good_copy_protects_also_when_another_one_is_under_way() {
    for (good, young) in [(1, 2), (2, 1)] {
        let mut world = sweep();
        let young =
            Copy { state: State::Pending, status: Some(Status::Copying), start_time: ago(HOUR), ..copy(young, 1) };
        world.shows([source(1)]).has(IRELAND, [copy(good, 1), young]).has(OHIO, [copy(3, 1)]);
        let plan = world.plan();
        assert!(plan.contains(&format!("duplicate {}", copy_id(good))), "{plan}");
        assert!(plan.ends_with("= 1 shared, 1 matching, 2 protected"), "{plan}");
    }
}

/// Remembers what this sweep says, as a warm environment does.
pub(crate) fn noticed(world: &mut crate::world::World) {
    let plan = decide(&world.policies, &world.facts, now());
    let noticed = plan.decisions.iter().filter_map(|decision| decision.notice()).collect();
    drop(plan);
    world.facts.noticed = noticed;
}

/// A copy of a snapshot of this owner, by its tags.
fn made_of(copy: Copy, owner: &str) -> Copy {
    let origin = Origin { account: AccountId::parse(owner).ok(), ..(*copy.origin).clone() };
    Copy { origin: Arc::new(origin), lineage: VolumeId::parse("vol-00000001").ok(), ..copy }
}

#[test]
fn an_owner_that_shares_nothing_any_more_was_last_heard_when_its_newest_live_copy_was_started() {
    let from = |owner: &str, number, start_time| Copy { start_time, ..made_of(copy(number, number), owner) };
    let both = like_nightly("nightly", &[("/EventSource/Parameters/SnapshotOwner", json!([OWNER, OTHER]))]);
    let mut world = world(Scope::Sweep { since: None }, &[both]);
    let failed = Copy { state: State::Error, ..from(OTHER, 5, ago(1)) };
    world.has(
        IRELAND,
        [from(OTHER, 1, ago(3 * DAY)), from(OTHER, 2, ago(2 * DAY)), from(OTHER, 3, ago(4 * DAY)), failed],
    );
    let heard = |world: &crate::world::World| {
        let tally = decide(&world.policies, &world.facts, now()).tally;
        [OWNER, OTHER].map(|owner| tally.last_heard()[&AccountId::parse(owner).unwrap()])
    };
    assert_eq!(heard(&world), [None, Some(ago(2 * DAY))]);
    // What nobody's policy asked for does not count, unless that policy is a retired one.
    let of_policy = |name: &str, copy: Copy| {
        let origin = Origin { policy: PolicyName::parse(name).unwrap(), ..(*copy.origin).clone() };
        Copy { origin: Arc::new(origin), ..copy }
    };
    world.has(IRELAND, [of_policy("unnamed", from(OTHER, 6, ago(1)))]);
    assert_eq!(heard(&world), [None, Some(ago(2 * DAY))]);
    world.facts.retired_policies.insert(PolicyName::parse("unnamed").unwrap());
    assert_eq!(heard(&world), [None, Some(ago(1))]);
    // What it shares counts before what was copied.
    let shared = SourceSnapshot { owner: AccountId::parse(OTHER).unwrap(), start_time: ago(5 * DAY), ..source(9) };
    assert_eq!(heard(world.shows([shared])), [None, Some(ago(5 * DAY))]);
}
