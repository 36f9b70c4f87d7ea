//! Which shared snapshots a policy wants, and which of them RDS cannot copy as it wants them.

use snapferry_core::copying::{Skip, not_for, takes};
use snapferry_core::facts::{SourceKind, SourceSnapshot};
use snapferry_core::ids::{AccountId, Region};
use snapferry_core::policy::{Policy, PolicyState, SourceType};
use snapferry_core::rds::{Kind, Shared, Uncopyable, is_across_china, uncopyable};

use crate::{Change, encrypted, policy, shared};

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
        (Skip::DescriptionMismatch, |p| {
            p.source_types = [SourceType::EbsSnapshot, SourceType::DbClusterSnapshot].into();
        }),
    ];
    for (expected, change) in of_policy {
        let mut policy = policy(FILTER, &encrypted());
        change(&mut policy);
        assert_eq!(not_for(&policy, &shared().fact()), Some(expected));
    }
    let of_snapshot: [(Skip<'_>, Change<Shared>); 8] = [
        (Skip::DescriptionMismatch, |s| s.engine = "neptune".to_owned()),
        (Skip::DescriptionMismatch, |s| s.engine = "docdb".to_owned()),
        (Skip::DescriptionMismatch, |s| s.engine = "postgres-2".to_owned()),
        (Skip::DescriptionMismatch, |s| s.source.arn.name = "a-nightly".to_owned()),
        (Skip::DescriptionMismatch, |s| s.database = "orders-2".to_owned()),
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
    let under_key = policy("", &encrypted()).targets.remove(0);
    let plain = policy("", r#"{"Encrypted": false}"#).targets.remove(0);
    for (target, kind, encrypted, expected) in [
        (&under_key, Kind::Instance, true, None),
        (&under_key, Kind::Instance, false, None),
        (&under_key, Kind::Cluster, true, None),
        (&under_key, Kind::Cluster, false, Some(Uncopyable::UnencryptedCluster)),
        (&plain, Kind::Instance, true, Some(Uncopyable::NoKey)),
        (&plain, Kind::Cluster, true, Some(Uncopyable::NoKey)),
        (&plain, Kind::Instance, false, None),
        (&plain, Kind::Cluster, false, None),
    ] {
        let mut snapshot = Shared { encrypted, ..shared() };
        snapshot.source.arn.kind = kind;
        assert_eq!(uncopyable(target, &snapshot), expected, "{kind:?} {encrypted}");
    }
    // No document gives a database's policy such a target; the rule holds all the same.
    let mut default_key = under_key.clone();
    default_key.encryption = snapferry_core::policy::Encryption::DefaultKey;
    for encrypted in [true, false] {
        assert_eq!(uncopyable(&default_key, &Shared { encrypted, ..shared() }), Some(Uncopyable::NoKey));
    }
    let mut of_china = shared();
    of_china.source.arn.region = Region::parse("cn-north-1").unwrap();
    assert_eq!(uncopyable(&under_key, &of_china), Some(Uncopyable::AcrossChina));
}

#[test]
fn only_china_keeps_its_regions_apart() {
    for (home, target, expected) in [
        ("cn-north-1", "cn-northwest-1", true),
        ("cn-north-1", "cn-north-1", false),
        ("eu-west-1", "eu-central-1", false),
        ("us-gov-west-1", "us-gov-east-1", false),
    ] {
        let [home, target] = [home, target].map(|region| Region::parse(region).unwrap());
        assert_eq!(is_across_china(&home, &target), expected, "{home} {target}");
    }
}
