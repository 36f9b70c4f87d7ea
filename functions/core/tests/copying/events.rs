//! Events: a decision for each policy and target, whatever it is.

use insta::assert_snapshot;
use serde_json::json;
use snapferry_core::copying::Scope;
use snapferry_core::event::ShareEvent;
use snapferry_core::facts::{Copy, KeyFact, KeyProblem, SourceSnapshot, State, Storage};
use snapferry_core::ids::{AccountId, Region};
use snapferry_core::ledger::{self, End, Identity, Obligation};
use snapferry_core::tags::Status;

use crate::world::{
    ACCOUNT, IRELAND, OHIO, OTHER, ago, asked, copy, copying, error, event, like_nightly, name, nightly, of_policy,
    owed, region, source, world,
};

#[test]
fn a_matching_snapshot_is_copied_to_every_target() {
    assert_snapshot!(event().shows([source(1)]).plan(), @r"
    copy nightly snap-00000001 -> eu-west-1
    copy nightly snap-00000001 -> us-east-2
    ");
}

#[test]
fn what_is_not_for_the_policy_is_skipped() {
    let owned_by = |owner: &str| SourceSnapshot { owner: AccountId::parse(owner).unwrap(), ..source(1) };
    assert_snapshot!(event().shows([owned_by(OTHER)]).plan(), @"skip nightly snap-00000001 -> *: owner-not-listed");
    assert_snapshot!(event().shows([owned_by(ACCOUNT)]).plan(), @"skip * snap-00000001 -> *: own-snapshot");
    let described = SourceSnapshot { description: "a nightly".into(), ..source(1) };
    assert_snapshot!(event().shows([described]).plan(), @"skip nightly snap-00000001 -> *: description-mismatch");
    let pending = SourceSnapshot { state: State::Pending, ..source(1) };
    assert_snapshot!(event().shows([pending]).plan(), @"skip nightly snap-00000001 -> *: not-completed");
    assert_snapshot!(event().plan(), @"defer * snap-00000001 -> *: not-visible-yet");
}

#[test]
fn what_ec2_cannot_copy_is_refused_without_a_call() {
    let kept = |storage| SourceSnapshot { storage, ..source(1) };
    assert_snapshot!(event().shows([kept(Storage::Archive)]).plan(), @r"
    refuse nightly snap-00000001 -> eu-west-1: source-archived
    refuse nightly snap-00000001 -> us-east-2: source-archived
    ");
    assert_snapshot!(event().shows([kept(Storage::Outpost)]).plan(), @r"
    refuse nightly snap-00000001 -> eu-west-1: source-on-outpost
    refuse nightly snap-00000001 -> us-east-2: source-on-outpost
    ");
    // A copy that is there counts, wherever its source has gone since.
    assert_snapshot!(event().shows([kept(Storage::LocalZone)]).has(OHIO, [copy(1, 1)]).plan(), @r"
    refuse nightly snap-00000001 -> eu-west-1: source-in-local-zone
    skip nightly snap-00000001 -> us-east-2: already-copied snap-c0000001
    ");
}

#[test]
fn a_disabled_policy_copies_nothing_and_another_still_does() {
    let mut off = like_nightly("off", &[]);
    off["Policy"]["State"] = json!("DISABLED");
    let ohio = like_nightly(
        "weekly",
        &[
            ("/Actions/0/CrossRegionCopy/0/Target", json!("eu-west-2")),
            ("/Actions/0/CrossRegionCopy/0/EncryptionConfiguration", json!({"Encrypted": true})),
        ],
    );
    let mut world = world(Scope::Events, &[off, nightly(), ohio]);
    // Each policy has a copy of its own, and a Region that nobody has read is not taken for empty.
    assert_snapshot!(world.name(1).shows([source(1)]).has(OHIO, [copy(1, 1)]).plan(), @r"
    skip off snap-00000001 -> *: policy-disabled
    copy nightly snap-00000001 -> eu-west-1
    skip nightly snap-00000001 -> us-east-2: already-copied snap-c0000001
    defer weekly snap-00000001 -> eu-west-2: region-unread (NotRead)
    copy weekly snap-00000001 -> us-east-2
    ");
}

#[test]
fn a_live_copy_is_enough_whatever_its_tags_say() {
    let copies = [
        ("pending", State::Pending, Some(Status::Copying)),
        ("not yet judged", State::Completed, Some(Status::Copying)),
        ("status edited", State::Completed, None),
        ("in the recycle bin", State::Other, Some(Status::Verified)),
    ];
    for (what, state, status) in copies {
        let plan = event().shows([source(1)]).has(IRELAND, [Copy { state, status, ..copy(1, 1) }]).plan();
        let first = plan.lines().next().unwrap();
        assert!(first.starts_with("skip nightly snap-00000001 -> eu-west-1: already-copied"), "{what}: {plan}");
    }
}

#[test]
fn copies_of_others_do_not_count() {
    let other_policy = of_policy(copy(1, 1), "weekly");
    let failed = Copy { state: State::Error, ..copy(3, 1) };
    let rejected = Copy { status: Some(Status::Rejected), ..copy(4, 1) };
    assert_snapshot!(event().shows([source(1)]).has(IRELAND, [other_policy, copy(2, 2), failed, rejected]).plan(), @r"
    copy nightly snap-00000001 -> eu-west-1
    copy nightly snap-00000001 -> us-east-2
    ");
}

#[test]
fn several_live_copies_are_reported() {
    assert_snapshot!(event().shows([source(1)]).has(IRELAND, [copy(1, 1), copy(2, 1), copy(3, 1)]).plan(), @r"
    skip nightly snap-00000001 -> eu-west-1: duplicate snap-c0000003 snap-c0000002 snap-c0000001
    copy nightly snap-00000001 -> us-east-2
    ");
}

#[test]
fn what_could_not_be_read_is_deferred() {
    let mut world = event();
    world.shows([source(1)]).facts.regions.insert(region(IRELAND), Err(error("Timeout")));
    assert_snapshot!(world.plan(), @r"
    defer nightly snap-00000001 -> eu-west-1: region-unread (Timeout)
    copy nightly snap-00000001 -> us-east-2
    ");
    world.facts.regions.remove(IRELAND);
    assert_snapshot!(world.plan(), @r"
    defer nightly snap-00000001 -> eu-west-1: region-unread (NotRead)
    copy nightly snap-00000001 -> us-east-2
    ");
    world.facts.snapshots = Err(error("ConnectionFailed"));
    assert_snapshot!(world.plan(), @"defer * snap-00000001 -> *: sources-unread (ConnectionFailed)");
}

#[test]
fn a_key_decides_for_its_own_copies_only() {
    let facts = [
        KeyFact::Unread(error("Timeout")),
        KeyFact::Unusable(KeyProblem::Disabled),
        KeyFact::Unusable(KeyProblem::PendingDeletion),
        KeyFact::Unusable(KeyProblem::NotReady("Creating".to_owned())),
        KeyFact::Unusable(KeyProblem::NotFound(error("NotFoundException"))),
        KeyFact::Unusable(KeyProblem::AccessDenied(error("AccessDeniedException"))),
        KeyFact::Unusable(KeyProblem::AwsManaged),
        KeyFact::Unusable(KeyProblem::NotSymmetric("RSA_2048 SIGN_VERIFY".to_owned())),
        KeyFact::Unusable(KeyProblem::OtherKey("arn:aws:kms:eu-west-1:222222222222:key/other".to_owned())),
    ];
    let plans: Vec<String> = facts.into_iter().map(|fact| event().shows([source(1)]).key(fact).plan()).collect();
    assert!(plans.iter().all(|plan| plan.ends_with("\ncopy nightly snap-00000001 -> us-east-2")));
    let first: Vec<&str> = plans.iter().filter_map(|plan| plan.lines().next()).collect();
    assert_snapshot!(first.join("\n"), @r"
    defer nightly snap-00000001 -> eu-west-1: key-unread (Timeout)
    refuse nightly snap-00000001 -> eu-west-1: key-disabled eu-west-1
    refuse nightly snap-00000001 -> eu-west-1: key-pending-deletion eu-west-1
    refuse nightly snap-00000001 -> eu-west-1: key-not-ready eu-west-1
    refuse nightly snap-00000001 -> eu-west-1: key-not-found eu-west-1
    refuse nightly snap-00000001 -> eu-west-1: key-access-denied eu-west-1
    refuse nightly snap-00000001 -> eu-west-1: key-aws-managed eu-west-1
    refuse nightly snap-00000001 -> eu-west-1: key-not-symmetric eu-west-1
    refuse nightly snap-00000001 -> eu-west-1: key-not-the-configured-one eu-west-1
    ");
    let mut world = event();
    world.shows([source(1)]).facts.keys.clear();
    assert_snapshot!(world.plan(), @r"
    defer nightly snap-00000001 -> eu-west-1: key-unread (NotRead)
    copy nightly snap-00000001 -> us-east-2
    ");
}

type Change = fn(&mut ShareEvent);

#[test]
fn what_an_event_claims_excludes_its_snapshot_and_includes_none() {
    let event_with = |change: Change| {
        let mut world = event();
        change(&mut world.facts.named[0]);
        world.shows([source(1)]).plan()
    };
    let copied = "copy nightly snap-00000001 -> eu-west-1\ncopy nightly snap-00000001 -> us-east-2";
    let cases: [(Change, &str); 5] = [
        (|event| event.region = Region::parse("eu-west-1").ok(), "skip * snap-00000001 -> *: other-region"),
        (|event| event.region = None, copied),
        (|event| event.claimed_owner = AccountId::parse(OTHER).ok(), "skip * snap-00000001 -> *: owner-not-listed"),
        (|event| event.claimed_owner = AccountId::parse(ACCOUNT).ok(), "skip * snap-00000001 -> *: owner-not-listed"),
        (|event| event.claimed_owner = None, copied),
    ];
    for (change, expected) in cases {
        assert_eq!(event_with(change), expected);
    }
    // The claim of an owner who is listed proves nothing.
    let others = SourceSnapshot { owner: AccountId::parse(OTHER).unwrap(), ..source(1) };
    assert_snapshot!(event().shows([others]).plan(), @"skip nightly snap-00000001 -> *: owner-not-listed");
    // Where only disabled policies list the owner, that is why.
    let mut off = like_nightly("off", &[]);
    off["Policy"]["State"] = json!("DISABLED");
    assert_snapshot!(world(Scope::Events, &[off]).name(1).plan(), @"skip * snap-00000001 -> *: policy-disabled");
}

#[test]
fn a_copy_that_ec2_named_is_believed_in() {
    // Not shown yet, or not any more: for ten minutes.
    for (seconds, first) in [(-3600, "skip"), (0, "skip"), (599, "skip"), (600, "copy")] {
        let plan = event().shows([source(1)]).owes(copying(1, 1, seconds)).plan();
        assert!(plan.lines().any(|line| line.starts_with(first) && line.contains(IRELAND)), "{seconds} s: {plan}");
    }
    let mut world = event();
    world.shows([source(1)]).owes(copying(1, 1, 5));
    assert_snapshot!(world.plan(), @r"
    skip nightly snap-00000001 -> eu-west-1: already-copied snap-c0000001
    copy nightly snap-00000001 -> us-east-2
    ");
    // It has failed already: EC2's word counts.
    world.has(IRELAND, [Copy { state: State::Error, ..copy(1, 1) }]);
    assert_snapshot!(world.plan(), @r"
    copy nightly snap-00000001 -> eu-west-1
    copy nightly snap-00000001 -> us-east-2
    ");
    // Another one has failed: that says nothing of this one.
    let mut world = event();
    world.shows([source(1)]).owes(copying(1, 1, 5)).has(IRELAND, [Copy { state: State::Error, ..copy(2, 1) }]);
    assert!(world.plan().starts_with("skip nightly snap-00000001 -> eu-west-1: already-copied snap-c0000001"));
}

#[test]
fn a_request_that_may_have_been_carried_out_is_not_repeated_within_its_hold() {
    for (seconds, first) in [(-3600, "defer"), (0, "defer"), (599, "defer"), (600, "copy")] {
        let plan = event().shows([source(1)]).owes(asked(1, seconds)).plan();
        assert!(plan.lines().any(|line| line.starts_with(first) && line.contains(IRELAND)), "{seconds} s: {plan}");
    }
    let mut world = event();
    world.shows([source(1)]).owes(asked(1, 5));
    assert_snapshot!(world.plan(), @r"
    defer nightly snap-00000001 -> eu-west-1: answer-lost
    copy nightly snap-00000001 -> us-east-2
    ");
    // It shows now: no more doubt.
    assert_snapshot!(world.has(IRELAND, [copy(1, 1)]).plan(), @r"
    skip nightly snap-00000001 -> eu-west-1: already-copied snap-c0000001
    copy nightly snap-00000001 -> us-east-2
    ");
    // What is asked for another snapshot, for another policy or in another Region holds nothing up.
    let mut world = event();
    world.shows([source(1)]).owes(asked(2, 5));
    for identity in [
        Identity { policy: name("weekly"), ..owed(1).identity },
        Identity { region: region("eu-west-3"), ..owed(1).identity },
    ] {
        world.owes(Obligation { identity, ..asked(1, 5) });
    }
    assert_snapshot!(world.plan(), @r"
    copy nightly snap-00000001 -> eu-west-1
    copy nightly snap-00000001 -> us-east-2
    ");
}

#[test]
fn what_was_verified_a_moment_ago_is_not_asked_for_because_ec2_hides_it() {
    let ended =
        |why, seconds| Obligation { state: ledger::State::Ended { at: ago(seconds), why, copy: None }, ..owed(1) };
    for (why, seconds, first) in [
        (End::Protected, 0, "skip nightly snap-00000001 -> eu-west-1: already-copied"),
        (End::Protected, 599, "skip nightly snap-00000001 -> eu-west-1: already-copied"),
        (End::Protected, 600, "copy nightly snap-00000001 -> eu-west-1"),
        (End::Missed, 0, "copy nightly snap-00000001 -> eu-west-1"),
        (End::Withdrawn, 0, "copy nightly snap-00000001 -> eu-west-1"),
    ] {
        let plan = event().shows([source(1)]).owes(ended(why, seconds)).plan();
        assert_eq!(plan.lines().next(), Some(first), "{why:?} {seconds}");
    }
    // EC2 shows that it is lost.
    let mut world = event();
    world.shows([source(1)]).owes(ended(End::Protected, 5)).has(IRELAND, [Copy { state: State::Error, ..copy(1, 1) }]);
    assert!(world.plan().starts_with("copy nightly snap-00000001 -> eu-west-1"));
}
