//! What is shared of databases, and the room for their copies.

use std::collections::BTreeSet;

use snapferry_core::facts::{Database, SourceKind};
use snapferry_core::ids::{AccountId, VolumeId};
use snapferry_core::policy::SourceType;
use snapferry_core::rds::{Kind, Usage};

use super::*;
use crate::commands::doctor::facts::{Rds, Room};

/// A snapshot of an instance or a cluster.
fn shared(number: u32, is_cluster: bool, encrypted: bool) -> SourceSnapshot {
    let database = Box::new(Database {
        arn: format!("arn:aws:rds:us-east-1:111111111111:snapshot:night-{number}"),
        snapshot: format!("night-{number}"),
        database: "orders".to_owned(),
        engine: "postgres".to_owned(),
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
    let mut policies = policies("");
    policies[0].source_types = [SourceType::DbSnapshot, SourceType::DbClusterSnapshot].into();
    let region = policies[0].targets[0].region.clone();
    let copied = BTreeSet::from([(policies[0].name.clone(), id(1))]);
    let room = Room { usage: Usage { used, max: 100 }, copied };
    let rds = Rds { shared, rooms: [((region, Kind::Instance), Ok(room))].into() };
    let mut found = findings(&Facts { rds: Some(rds), ..facts() }, &policies);
    found.retain(|finding| finding.contains(" database-"));
    found
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
}

#[test]
fn what_rds_cannot_copy_as_wanted_is_told_of() {
    let both = || vec![shared(1, false, false), shared(2, true, false), shared(3, true, false)];
    assert_eq!(of(Ok(both()), 0), ["Fail database-copyable eu-west-2", ALWAYS]);
}

#[test]
fn nothing_shared_and_nothing_read_are_no_pass() {
    assert_eq!(of(Ok(Vec::new()), 0), ["Unknown database-share us-east-1", ALWAYS]);
    assert_eq!(of(Err(CallError::not_read()), 0), ["Unknown database-share us-east-1", ALWAYS]);
}

#[test]
fn where_no_policy_names_databases_nothing_is_said_of_them() {
    let found = findings(&facts(), &policies(""));
    assert!(found.iter().all(|finding| !finding.contains(" database-")), "{found:?}");
}
