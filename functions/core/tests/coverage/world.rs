//! An account and its copies.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use snapferry_core::coverage::{Coverage, Facts, Home};
use snapferry_core::facts::{Copies, Copy, KeyLife, Origin, SourceSnapshot, State};
use snapferry_core::ids::{AccountId, PolicyName, Region, SnapshotId, VolumeId};
use snapferry_core::ledger::Extract;
use snapferry_core::policy::{self, Policy};
use snapferry_core::tags::Status;

pub(crate) const OWNER: &str = "111111111111";
pub(crate) const OTHER: &str = "133333333333";
pub(crate) const ACCOUNT: &str = "222222222222";
pub(crate) const IRELAND: &str = "eu-west-1";
pub(crate) const OHIO: &str = "us-east-2";
pub(crate) const HOUR: i64 = 3600;
pub(crate) const DAY: i64 = 24 * HOUR;

pub(crate) fn now() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

pub(crate) fn ago(seconds: i64) -> Timestamp {
    now() - SignedDuration::from_secs(seconds)
}

pub(crate) fn nightly(name: &str, regions: &[&str]) -> Value {
    let copies: Vec<Value> = regions
        .iter()
        .map(|region| json!({"Target": region, "EncryptionConfiguration": {"Encrypted": false}}))
        .collect();
    json!({"Policy": {"PolicyId": name, "PolicyDetails": {
        "PolicyType": "EVENT_BASED_POLICY",
        "EventSource": {"Type": "MANAGED_CWE", "Parameters": {
            "EventType": "shareSnapshot", "SnapshotOwner": [OWNER], "DescriptionRegex": "nightly.*"}},
        "Actions": [{"Name": "copy", "CrossRegionCopy": copies}],
    }}})
}

pub(crate) fn policies(documents: &[Value]) -> Vec<Policy> {
    policy::parse(&Value::from(documents.to_vec()).to_string()).unwrap().policies
}

pub(crate) fn source(number: u32) -> SourceSnapshot {
    SourceSnapshot {
        kind: snapferry_core::facts::SourceKind::Volume,
        id: SnapshotId::parse(&format!("snap-{number:08x}")).unwrap(),
        owner: AccountId::parse(OWNER).unwrap(),
        volume: VolumeId::parse("vol-00000001").unwrap(),
        size_gib: 8,
        state: State::Completed,
        start_time: ago(2 * DAY),
        encrypted: true,
        storage: snapferry_core::facts::Storage::Standard,
        description: "nightly".into(),
    }
}

/// A verified copy of a source, settled an hour after the source was started.
pub(crate) fn copy(number: u32, of: u32) -> Copy {
    Copy {
        id: SnapshotId::parse(&format!("snap-c{number:07x}")).unwrap(),
        source: source(of).id,
        lineage: Some(source(of).volume),
        origin: Arc::new(Origin {
            owner: None,
            policy: PolicyName::parse("nightly").unwrap(),
            account: Some(source(of).owner),
            region: None,
            key: None,
            life: KeyLife::Alive,
        }),
        start_time: ago(2 * DAY - 60),
        source_start_time: Some(ago(2 * DAY)).into(),
        settled_at: Some(ago(2 * DAY - HOUR)).into(),
        expire_after: Some(now() + SignedDuration::from_secs(3 * DAY)).into(),
        state: State::Completed,
        status: Some(Status::Verified),
        lock: None,
        is_bound: true,
        is_tampered: false,
    }
}

pub(crate) fn of_policy(copy: &mut Copy, policy: &str) {
    copy.origin = Arc::new(Origin { policy: PolicyName::parse(policy).unwrap(), ..(*copy.origin).clone() });
}

pub(crate) fn read(copies: &[Copy]) -> Copies {
    Copies { copies: copies.to_vec(), ..Copies::default() }
}

pub(crate) fn failed(number: u32, of: u32) -> Copy {
    let mut copy = copy(number, of);
    (copy.state, copy.status) = (State::Error, Some(Status::Failed));
    copy
}

pub(crate) fn facts(snapshots: Vec<SourceSnapshot>, ireland: Vec<Copy>) -> Facts {
    Facts {
        account: AccountId::parse(ACCOUNT).unwrap(),
        homes: vec![home("eu-central-1", snapshots, None)],
        retired_policies: BTreeSet::new(),
        since: None,
        now: now(),
        regions: BTreeMap::from([(Region::parse(IRELAND).unwrap(), read(&ireland))]),
        locks: HashMap::new(),
        proofs: HashMap::new(),
    }
}

pub(crate) fn home(region: &str, snapshots: Vec<SourceSnapshot>, ledger: Option<Extract>) -> Home {
    Home { region: Region::parse(region).unwrap(), retired: BTreeSet::new(), snapshots, ledger }
}

pub(crate) fn with_ledger(ledger: Option<Extract>, mut facts: Facts) -> Facts {
    facts.homes[0].ledger = ledger;
    facts
}

pub(crate) fn lines(coverage: &Coverage<'_>) -> Vec<String> {
    coverage
        .rows
        .iter()
        .map(|row| {
            let copy = row.copy.map_or("-", |copy| copy.id.as_str());
            let shared = if row.is_shared() { "" } else { " history" };
            format!("{} {} {} {copy}{shared}", row.standing.as_str(), row.snapshot(), row.region)
        })
        .collect()
}
