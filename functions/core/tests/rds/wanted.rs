//! Which shared snapshots a policy wants, and which of them RDS cannot copy as it wants them.

use snapferry_core::copying::{CopyRequest, Obstacle, Refusal, Skip, Verdict, judge, not_for, takes};
use snapferry_core::facts::{KeyFact, SourceKind, SourceSnapshot};
use snapferry_core::ids::{AccountId, Region};
use snapferry_core::policy::{Encryption, Policy, PolicyState, SourceType, of_kind};
use snapferry_core::rds::{Kind, Shared};

use crate::{Change, encrypted, key, policy, shared};

const FILTER: &str =
    r#""DatabaseFilter": {"SnapshotRegex": "night.*", "DatabaseRegex": "orders|users", "Engines": ["postgres"]},"#;

#[test]
fn what_passes_every_member_is_wanted() {
    for parameters in ["", FILTER] {
        assert_eq!(not_for(&policy(parameters, &encrypted()), &shared().fact()), None, "{parameters}");
    }
}

#[test]
fn each_member_keeps_something_out() {
    let of_policy: [(Skip<'_>, Change<Policy>); 3] = [
        (Skip::PolicyDisabled, |p| p.state = PolicyState::Disabled),
        (Skip::OwnerNotListed, |p| p.owners = [AccountId::parse("999999999999").unwrap()].into()),
        (Skip::LeftOut, |p| {
            p.source_types = [SourceType::EbsSnapshot, SourceType::DbClusterSnapshot].into();
        }),
    ];
    for (expected, change) in of_policy {
        let mut policy = policy(FILTER, &encrypted());
        change(&mut policy);
        assert_eq!(not_for(&policy, &shared().fact()), Some(expected));
    }
    let of_snapshot: [(Skip<'_>, Change<Shared>); 8] = [
        (Skip::LeftOut, |s| s.engine = "neptune".to_owned()),
        (Skip::LeftOut, |s| s.engine = "docdb".to_owned()),
        (Skip::LeftOut, |s| s.engine = "postgres-2".to_owned()),
        (Skip::LeftOut, |s| s.source.arn.name = "a-nightly".to_owned()),
        (Skip::LeftOut, |s| s.database = "orders-2".to_owned()),
        (Skip::NotCompleted, |s| s.status = "creating".to_owned()),
        (Skip::NotCompleted, |s| s.status = "failed".to_owned()),
        (Skip::NotCompleted, |s| s.status = String::new()),
    ];
    for (expected, change) in of_snapshot {
        let mut snapshot = shared();
        change(&mut snapshot);
        assert_eq!(not_for(&policy(FILTER, &encrypted()), &snapshot.fact()), Some(expected), "{snapshot:?}");
    }
}

/// Neptune and DocumentDB answer RDS's API, and nobody has tried to copy their snapshots across accounts.
#[test]
fn untried_engines_are_left_out_without_a_filter_too() {
    let policy = policy("", &encrypted());
    for (engine, is_taken) in [("mysql", true), ("aurora-mysql", true), ("neptune", false), ("docdb", false)] {
        assert_eq!(takes(&policy, &Shared { engine: engine.to_owned(), ..shared() }.fact()), is_taken, "{engine}");
    }
}

/// Whatever its filter lets through, a policy of databases has nothing to do with volumes.
#[test]
fn a_policy_of_databases_takes_no_volume() {
    let mut policy = policy("", &encrypted());
    let volume = SourceSnapshot { kind: SourceKind::Volume, ..shared().fact() };
    assert!(!takes(&policy, &volume));
    policy.source_types.insert(SourceType::EbsSnapshot);
    assert!(takes(&policy, &volume));
}

/// Nothing leaves in the clear where the policy says Encrypted, and what RDS would refuse is not asked for.
#[test]
fn what_rds_cannot_copy_as_wanted_is_not_asked_for() {
    let under_key = || policy("", &encrypted());
    let plain = || policy("", r#"{"Encrypted": false}"#);
    // No document gives a database's policy such a target; the rule holds all the same.
    let default_key = || {
        let mut policy = policy("", &encrypted());
        policy.targets[0].encryption = Encryption::DefaultKey;
        policy
    };
    for (policy, kind, encrypted, expected) in [
        (under_key(), Kind::Instance, true, None),
        (under_key(), Kind::Instance, false, None),
        (under_key(), Kind::Cluster, true, None),
        (under_key(), Kind::Cluster, false, Some(Obstacle::UnencryptedCluster)),
        (plain(), Kind::Instance, true, Some(Obstacle::NoKey)),
        (plain(), Kind::Cluster, true, Some(Obstacle::NoKey)),
        (plain(), Kind::Instance, false, None),
        (plain(), Kind::Cluster, false, None),
        (default_key(), Kind::Instance, true, Some(Obstacle::NoKey)),
        (default_key(), Kind::Instance, false, Some(Obstacle::NoKey)),
    ] {
        let mut snapshot = Shared { encrypted, ..shared() };
        snapshot.source.arn.kind = kind;
        assert_eq!(in_the_way(&policy, &snapshot, "eu-west-1"), expected, "{kind:?} {encrypted}");
    }
}

#[test]
fn only_china_keeps_its_regions_apart() {
    for (home, target, expected) in [
        ("cn-north-1", "cn-northwest-1", Some(Obstacle::AcrossChina)),
        ("cn-north-1", "cn-north-1", None),
        ("eu-west-1", "eu-central-1", None),
        ("us-gov-west-1", "us-gov-east-1", None),
    ] {
        let mut policy = policy("", &encrypted());
        policy.targets[0].region = Region::parse(target).unwrap();
        assert_eq!(in_the_way(&policy, &shared(), home), expected, "{home} {target}");
    }
}

/// What the judgement of a snapshot that has no copy says of the obstacle, with a key that is usable.
fn in_the_way(policy: &Policy, snapshot: &Shared, home: &str) -> Option<Obstacle> {
    let (source, home) = (snapshot.fact(), Region::parse(home).unwrap());
    let request = CopyRequest {
        policy: &policy.name,
        filter: &policy.description,
        source: &source,
        home: &home,
        target: &policy.targets[0],
    };
    let keys = [(key(1), KeyFact::Usable)].into();
    match judge(request, std::iter::empty(), None, &keys, source.start_time).0 {
        Verdict::Copy(_) => None,
        Verdict::Refuse(Refusal::Source(_, obstacle)) => Some(obstacle),
        other => panic!("{other:?}"),
    }
}

/// For the functions and the command that are about one kind, an owner of a policy of other kinds shares nothing and is not silent.
#[test]
fn a_policy_of_other_kinds_copies_nothing_of_this_one() {
    let policies = [policy("", &encrypted())];
    let state = |kind| of_kind(&policies, kind)[0].state;
    assert_eq!(state(SourceType::EbsSnapshot), PolicyState::Disabled);
    assert_eq!(state(SourceType::DbSnapshot), PolicyState::Enabled);
    assert_eq!(of_kind(&policies, SourceType::DbClusterSnapshot), policies);
}
