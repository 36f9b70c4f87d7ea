//! One of each thing that a decision is about.

use jiff::Timestamp;
use serde_json::{Value, json};
use snapferry_core::facts::{CallError, SourceSnapshot, State, TamperedCopy};
use snapferry_core::ids::{AccountId, KeyArn, PolicyName, Region, SnapshotId, VolumeId};
use snapferry_core::policy::{self, Policy};
use snapferry_core::tags::TagProblem;

pub(crate) const SOURCE: &str = "111111111111";
pub(crate) const OURS: &str = "222222222222";
pub(crate) const KEY: &str = "arn:aws:kms:eu-west-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab";

/// A list of one value for each variant of an enum. A variant that is not in it does not compile.
macro_rules! every {
    ($type:ty; $($pattern:pat => $value:expr),+ $(,)?) => {{
        fn listed(value: &$type) {
            match value {
                $($pattern => {})+
            }
        }
        let all: Vec<$type> = vec![$($value),+];
        all.iter().for_each(listed);
        all
    }};
}
pub(crate) use every;

pub(crate) fn now() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn home() -> Region {
    Region::parse("us-east-1").unwrap()
}

pub(crate) fn region() -> Region {
    Region::parse("eu-west-1").unwrap()
}

pub(crate) fn account(id: &str) -> AccountId {
    AccountId::parse(id).unwrap()
}

pub(crate) fn snapshot(number: u32) -> SnapshotId {
    SnapshotId::parse(&format!("snap-{number:017x}")).unwrap()
}

pub(crate) fn key() -> KeyArn {
    KeyArn::parse(KEY).unwrap()
}

pub(crate) fn name() -> PolicyName {
    PolicyName::parse("nightly").unwrap()
}

pub(crate) fn error() -> CallError {
    CallError {
        code: "SomethingRefused".to_owned(),
        message: "so says the service".to_owned(),
        request_id: Some("6f0b0b1e-0000-4000-8000-000000000000".to_owned()),
    }
}

/// A shared snapshot with a description of its sender's choice.
pub(crate) fn source(description: &str) -> SourceSnapshot {
    SourceSnapshot {
        kind: snapferry_core::facts::SourceKind::Volume,
        id: snapshot(1),
        owner: account(SOURCE),
        volume: VolumeId::parse("vol-0123456789abcdef0").unwrap(),
        size_gib: 8,
        state: State::Completed,
        start_time: at("2026-11-22T09:00:00.25Z"),
        encrypted: true,
        storage: snapferry_core::facts::Storage::Standard,
        description: description.into(),
    }
}

/// The policy `nightly`: to eu-west-1 under [`KEY`], with retention and a lock.
pub(crate) fn policies() -> Vec<Policy> {
    policy::parse(&document().to_string()).unwrap().policies
}

pub(crate) fn document() -> Value {
    json!({"Policy": {"PolicyId": "nightly", "PolicyDetails": {
        "PolicyType": "EVENT_BASED_POLICY",
        "EventSource": {"Type": "MANAGED_CWE", "Parameters": {
            "EventType": "shareSnapshot", "SnapshotOwner": [SOURCE], "DescriptionRegex": ".*"}},
        "Actions": [{"Name": "copy", "CrossRegionCopy": [{
            "Target": "eu-west-1",
            "EncryptionConfiguration": {"Encrypted": true, "CmkArn": KEY},
            "RetainRule": {"Interval": 1, "IntervalUnit": "MONTHS"},
            "LockRule": {"Mode": "compliance", "Interval": 7, "IntervalUnit": "DAYS", "CoolOffPeriod": 3}}]}]}}})
}

/// Snapferry's tags on a copy of [`source`].
pub(crate) fn tags() -> Vec<(&'static str, String)> {
    let tags = [
        ("snapferry:policy", "nightly"),
        ("snapferry:source-snapshot", "snap-00000000000000001"),
        ("snapferry:source-account", SOURCE),
        ("snapferry:source-region", "us-east-1"),
        ("snapferry:source-volume", "vol-0123456789abcdef0"),
        ("snapferry:source-size-gib", "8"),
        ("snapferry:source-start-time", "2026-11-22T09:00:00.25Z"),
        ("snapferry:kms-key", KEY),
        ("snapferry:expire-after", "2026-12-22T10:00:00Z"),
        ("snapferry:status", "copying"),
        ("snapferry:lock", "pending"),
    ];
    tags.into_iter().map(|(key, value)| (key, value.to_owned())).collect()
}

pub(crate) fn tampered() -> TamperedCopy {
    let problems = vec![
        TagProblem { key: "snapferry:source-region", found: None },
        TagProblem { key: "snapferry:expire-after", found: Some("next\\u{a}year".to_owned()) },
    ];
    TamperedCopy { id: snapshot(9), source_region: None, start_time: now(), problems }
}
