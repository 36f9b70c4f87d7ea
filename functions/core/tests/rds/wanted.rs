//! Which shared snapshots a policy wants, and which of them RDS cannot copy as it wants them.

use snapferry_core::ids::{AccountId, Region};
use snapferry_core::policy::{Policy, PolicyState, SourceType};
use snapferry_core::rds::{Kind, Shared, Uncopyable, Unwanted, is_across_china, uncopyable, unwanted};

use crate::{Change, encrypted, policy, shared};

const FILTER: &str =
    r#""DatabaseFilter": {"SnapshotRegex": "night.*", "DatabaseRegex": "orders|users", "Engines": ["postgres"]},"#;

#[test]
fn what_passes_every_member_is_wanted() {
    for parameters in ["", FILTER] {
        assert_eq!(unwanted(&policy(parameters, &encrypted()), &shared()), None, "{parameters}");
    }
}

#[test]
fn each_member_keeps_something_out() {
    let of_policy: [(Unwanted, Change<Policy>); 3] = [
        (Unwanted::PolicyDisabled, |p| p.state = PolicyState::Disabled),
        (Unwanted::OwnerNotListed, |p| p.owners = [AccountId::parse("999999999999").unwrap()].into()),
        (Unwanted::TypeNotListed, |p| {
            p.source_types = [SourceType::EbsSnapshot, SourceType::DbClusterSnapshot].into();
        }),
    ];
    for (expected, change) in of_policy {
        let mut policy = policy(FILTER, &encrypted());
        change(&mut policy);
        assert_eq!(unwanted(&policy, &shared()), Some(expected));
    }
    let of_snapshot: [(Unwanted, Change<Shared>); 7] = [
        (Unwanted::EngineUntried, |s| s.engine = "neptune".to_owned()),
        (Unwanted::EngineUntried, |s| s.engine = "docdb".to_owned()),
        (Unwanted::EngineNotListed, |s| s.engine = "postgres-2".to_owned()),
        (Unwanted::SnapshotMismatch, |s| s.source.arn.name = "a-nightly".to_owned()),
        (Unwanted::DatabaseMismatch, |s| s.database = "orders-2".to_owned()),
        (Unwanted::NotAvailable, |s| s.status = "creating".to_owned()),
        (Unwanted::NotAvailable, |s| s.status = String::new()),
    ];
    for (expected, change) in of_snapshot {
        let mut snapshot = shared();
        change(&mut snapshot);
        assert_eq!(unwanted(&policy(FILTER, &encrypted()), &snapshot), Some(expected), "{snapshot:?}");
    }
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
