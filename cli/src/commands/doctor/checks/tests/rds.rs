//! What is shared of databases, and the room for their copies.

use std::collections::BTreeSet;

use snapferry_core::facts::{Database, SourceKind};
use snapferry_core::ids::{AccountId, VolumeId};
use snapferry_core::policy::{RetainRule, SourceType};
use snapferry_core::rds::{Kind, Usage};
use snapferry_core::retention::{Interval, IntervalUnit};

use super::*;
use crate::commands::doctor::facts::{Rds, Room};

/// A snapshot of an instance or a cluster.
fn shared(number: u32, is_cluster: bool, encrypted: bool) -> SourceSnapshot {
    let database = Box::new(Database {
        arn: format!("arn:aws:rds:us-east-1:111111111111:snapshot:night-{number}"),
        snapshot: format!("night-{number}"),
        database: "orders".to_owned(),
        engine: "postgres".to_owned(),
        option_group: None,
        has_tde: false,
    });
    SourceSnapshot {
        kind: if is_cluster { SourceKind::Cluster(database) } else { SourceKind::Instance(database) },
        id: id(number),
        owner: AccountId::parse("111111111111").unwrap(),
        volume: VolumeId::of_database("db-A"),
        size_gib: 20,
        state: snapferry_core::facts::State::Completed,
        storage: snapferry_core::facts::Storage::Standard,
        start_time: jiff::Timestamp::UNIX_EPOCH,
        encrypted,
        description: "".into(),
    }
}

fn id(number: u32) -> SnapshotId {
    SnapshotId::of_any_kind(&format!("db-{number:052x}")).unwrap()
}

/// What is found besides what is always found, with so many snapshots of the quota's 100 there and these shared, of which the first
/// has a copy.
fn of(shared: Result<Vec<SourceSnapshot>, CallError>, used: u64) -> Vec<String> {
    of_kept(shared, used, None)
}

/// The same where copies are kept for so many days.
fn of_kept(shared: Result<Vec<SourceSnapshot>, CallError>, used: u64, days: Option<u32>) -> Vec<String> {
    let mut policies = policies("");
    policies[0].targets[0].retain = days.map(|count| {
        let interval = Interval { count, unit: IntervalUnit::Days };
        RetainRule { interval, keep_at_least: 1 }
    });
    policies[0].source_types = [SourceType::DbSnapshot, SourceType::DbClusterSnapshot].into();
    let region = policies[0].targets[0].region.clone();
    let copied = BTreeSet::from([(policies[0].name.clone(), id(1))]);
    let room = Room { usage: Usage { used, max: 100 }, copied };
    let rds = Rds { shared, rooms: [((region, Kind::Instance), Ok(room))].into() };
    let mut found = findings(&Facts { rds: Some(rds), ..facts() }, &policies);
    found.retain(|finding| finding.contains(" database-"));
    found
}

/// What is said of the options of three instances' snapshots that are wanted in eu-west-2 and in their own Region.
fn options(change: impl Fn(&mut Database)) -> Vec<String> {
    let mut policies = policies(&format!(
        r#", {{"Target": "us-east-1", "EncryptionConfiguration": {{"Encrypted": true, "CmkArn": "{SOURCE_KEY}"}}}}"#
    ));
    policies[0].source_types = [SourceType::DbSnapshot].into();
    let changed = |number| {
        let mut source = shared(number, false, true);
        if let SourceKind::Instance(database) = &mut source.kind {
            change(database);
        }
        source
    };
    let rds = Rds { shared: Ok((1..=3).map(changed).collect()), rooms: BTreeMap::new() };
    let checks = checks(&Facts { rds: Some(rds), ..facts() }, &policies);
    let of_options = checks.iter().filter(|check| ["database-options", "database-tde"].contains(&check.check));
    of_options.map(|check| format!("{:?} {}: {}", check.verdict, check.subject, check.message)).collect()
}

#[test]
fn what_a_copy_does_not_take_along_is_told_of() {
    assert_eq!(
        options(|_| {}),
        ["Pass us-east-1: no instance's snapshot that is wanted has TDE or an option group of its own"]
    );
    let left_behind = options(|database| {
        let is_third = database.snapshot == "night-3";
        database.option_group = Some(if is_third { "audited" } else { "oracle-options" }.to_owned());
    });
    let then = "RDS does not copy it, so what is restored from the copies in eu-west-2, us-east-1 gets the engine's default group, \
                without these options";
    let night = "arn:aws:rds:us-east-1:111111111111:snapshot:night";
    assert_eq!(
        left_behind,
        [
            format!("Unknown 111111111111 audited: the option group of {night}-3: {then}"),
            format!(
                "Unknown 111111111111 oracle-options: the option group of 2 snapshots that are wanted, such as {night}-2: {then}"
            ),
        ]
    );
}

#[test]
fn tde_keeps_a_snapshot_in_its_region() {
    let found = options(|database| {
        database.has_tde = database.snapshot == "night-2";
        database.option_group = database.has_tde.then(|| "tde".to_owned());
    });
    let [fail, home] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(
        fail,
        "Fail : arn:aws:rds:us-east-1:111111111111:snapshot:night-2 has TDE: RDS copies that to another Region only with an option \
         group that the request names, and Snapferry names none, so RDS refuses the copy to eu-west-2"
    );
    assert!(
        home.ends_with("restored from the copies in us-east-1 gets the engine's default group, without these options")
    );
}

const ALWAYS: &str = "Unknown database-copy ";

#[test]
fn a_quota_is_told_of_before_it_is_used_up() {
    let all = || Ok(vec![shared(1, false, true), shared(2, false, true), shared(3, false, true)]);
    let quota = |verdict: &str| [format!("{verdict} database-quota eu-west-2 DB snapshots"), ALWAYS.to_owned()];
    assert_eq!(of(all(), 89), [ALWAYS]);
    assert_eq!(of(all(), 90), quota("Unknown"));
    assert_eq!(of(all(), 98), quota("Unknown"));
    assert_eq!(of(all(), 99), quota("Fail"), "two have no copy");
    assert_eq!(of(all(), u64::MAX), quota("Fail"));
    // What is too old is not copied.
    assert_eq!(of_kept(all(), 99, Some(30)), quota("Unknown"));
    assert_eq!(of_kept(all(), 99, Some(36_500)), quota("Fail"));
}

#[test]
fn what_rds_cannot_copy_as_wanted_is_told_of() {
    let both = || vec![shared(1, false, false), shared(2, true, false), shared(3, true, false)];
    assert_eq!(of(Ok(both()), 0), ["Fail database-copyable eu-west-2", ALWAYS]);
}

#[test]
fn nothing_shared_and_nothing_read_are_no_pass() {
    assert_eq!(of(Ok(Vec::new()), 0), ["Unknown database-share us-east-1", ALWAYS]);
    let mut of_another_engine = shared(1, false, true);
    if let SourceKind::Instance(database) = &mut of_another_engine.kind {
        database.engine = "docdb".to_owned();
    }
    assert_eq!(of(Ok(vec![of_another_engine]), 0), ["Unknown database-share us-east-1", ALWAYS]);
    assert_eq!(of(Err(CallError::not_read()), 0), ["Unknown database-share us-east-1", ALWAYS]);
}

#[test]
fn where_no_policy_names_databases_nothing_is_said_of_them() {
    let found = findings(&facts(), &policies(""));
    assert!(found.iter().all(|finding| !finding.contains(" database-")), "{found:?}");
}
