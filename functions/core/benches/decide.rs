//! What the decisions cost without any I/O: `cargo bench -p snapferry-core`.

#![allow(missing_docs, clippy::unwrap_used)]

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use divan::{Bencher, black_box};
use jiff::Timestamp;
use snapferry_core::copying::{Facts, Scope, decide};
use snapferry_core::event;
use snapferry_core::facts::{Copies, Copy, KeyFact, KeyLife, Moment, Origin, SourceSnapshot, State};
use snapferry_core::ids::{AccountId, KeyArn, PolicyName, Region, SnapshotId, VolumeId};
use snapferry_core::policy::{self, Policy};
use snapferry_core::tags::Status;

const SNAPSHOTS: u32 = 100_000;
const OWNER: &str = "111111111111";
const ACCOUNT: &str = "222222222222";
const TARGETS: [&str; 3] = ["ap-southeast-2", "eu-central-1", "eu-west-1"];

fn main() {
    divan::main();
}

fn key(region: &str) -> String {
    format!("arn:aws:kms:{region}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab")
}

fn document() -> String {
    let copies = TARGETS.map(|target| {
        let (key, retain) = (key(target), r#"{"Interval": 30, "IntervalUnit": "DAYS"}"#);
        let encryption = format!(r#"{{"Encrypted": true, "CmkArn": "{key}"}}"#);
        format!(r#"{{"Target": "{target}", "EncryptionConfiguration": {encryption}, "RetainRule": {retain}}}"#)
    });
    let filter =
        format!(r#"{{"EventType": "shareSnapshot", "SnapshotOwner": ["{OWNER}"], "DescriptionRegex": ".*policy-.*"}}"#);
    format!(
        r#"{{"PolicyType": "EVENT_BASED_POLICY", "EventSource": {{"Type": "MANAGED_CWE", "Parameters": {filter}}},
            "Actions": [{{"Name": "copy", "CrossRegionCopy": [{}]}}]}}"#,
        copies.join(", ")
    )
}

fn policies() -> Vec<Policy> {
    policy::parse(&document()).unwrap().policies
}

fn source(number: u32, now: Timestamp) -> SourceSnapshot {
    SourceSnapshot {
        kind: snapferry_core::facts::SourceKind::Volume,
        id: SnapshotId::parse(&format!("snap-0{number:016x}")).unwrap(),
        owner: AccountId::parse(OWNER).unwrap(),
        volume: VolumeId::parse(&format!("vol-0{:016x}", number / 20)).unwrap(),
        size_gib: 8,
        state: State::Completed,
        start_time: now,
        encrypted: true,
        storage: snapferry_core::facts::Storage::Standard,
        description: format!("Created for policy: policy-0123456789abcdef0 schedule: Default Schedule {number}").into(),
    }
}

fn copy(number: u32, origin: &Arc<Origin>, now: Timestamp) -> Copy {
    Copy {
        id: SnapshotId::parse(&format!("snap-f{number:016x}")).unwrap(),
        source: SnapshotId::parse(&format!("snap-0{number:016x}")).unwrap(),
        lineage: VolumeId::parse(&format!("vol-0{:016x}", number / 20)).ok(),
        origin: Arc::clone(origin),
        start_time: now,
        source_start_time: Moment::NEVER,
        settled_at: Moment::NEVER,
        expire_after: Moment::NEVER,
        state: State::Completed,
        status: Some(Status::Verified),
        is_bound: true,
        lock: None,
        is_tampered: false,
    }
}

/// A sweep's facts: all snapshots shared, the first `copied` of them copied into every Region.
fn facts(copied: u32) -> (Facts, Timestamp) {
    let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
    let origin = Arc::new(Origin {
        owner: AccountId::parse(ACCOUNT).ok(),
        policy: PolicyName::parse("default").unwrap(),
        account: AccountId::parse(OWNER).ok(),
        region: Region::parse("us-east-1").ok(),
        key: None,
        life: KeyLife::Alive,
    });
    let region = |target: &str| {
        let copies = (0..copied).map(|number| copy(number, &origin, now)).collect();
        (Region::parse(target).unwrap(), Ok(Copies { copies, ..Copies::default() }))
    };
    let facts = Facts {
        account: AccountId::parse(ACCOUNT).ok(),
        home: Region::parse("us-east-1").unwrap(),
        scope: Scope::Sweep { since: None },
        named: Vec::new(),
        snapshots: Ok((0..SNAPSHOTS).map(|number| source(number, now)).collect()),
        regions: TARGETS.into_iter().map(region).collect(),
        retired_policies: Default::default(),
        keys: TARGETS
            .map(|target| (KeyArn::parse(&key(target)).unwrap(), KeyFact::Usable))
            .into_iter()
            .collect::<BTreeMap<_, _>>(),
        obligations: BTreeMap::new(),
        noticed: HashSet::new(),
    };
    (facts, now)
}

/// Everything is copied, as nearly always.
#[divan::bench(sample_count = 20)]
fn sweep_100_000(bencher: Bencher<'_, '_>) {
    let ((facts, now), policies) = (facts(SNAPSHOTS), policies());
    bencher.bench_local(|| decide(black_box(&policies), black_box(&facts), now));
}

/// Nothing is copied: the first sweep over a long history.
#[divan::bench(sample_count = 10)]
fn first_sweep_of_100_000(bencher: Bencher<'_, '_>) {
    let ((facts, now), policies) = (facts(0), policies());
    bencher.bench_local(|| decide(black_box(&policies), black_box(&facts), now));
}

#[divan::bench]
fn policy_document(bencher: Bencher<'_, '_>) {
    let document = document();
    bencher.bench_local(|| policy::parse(black_box(&document)).unwrap());
}

#[divan::bench]
fn share_event(bencher: Bencher<'_, '_>) {
    let body = r#"{"version": "0", "id": "01234567-0123-0123-0123-0123456789ab", "detail-type": "EBS Snapshot Notification",
        "source": "aws.ec2", "account": "222222222222", "time": "2026-11-22T12:00:00Z", "region": "us-east-1",
        "resources": ["arn:aws:ec2::us-east-1:snapshot/snap-01234567"], "detail": {"event": "shareSnapshot",
        "result": "succeeded", "cause": "", "request-id": "", "source": "111111111111",
        "snapshot_id": "arn:aws:ec2::us-east-1:snapshot/snap-01234567"}}"#;
    bencher.bench_local(|| event::parse(black_box(body)).unwrap());
}
