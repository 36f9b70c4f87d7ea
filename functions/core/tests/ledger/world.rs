//! One identity, its obligation, its copies and its clock.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use snapferry_core::copying::{CopyRequest, Verdict, judge};
use snapferry_core::facts::{Copy, KeyLife, Moment, Origin, SourceSnapshot};
use snapferry_core::ids::{AccountId, PolicyName, Region, SnapshotId, VolumeId};
use snapferry_core::ledger::{By, Identity, Obligation, State};
use snapferry_core::policy::{self, Policy};
use snapferry_core::tags::Status;

pub(crate) const MINUTE: i64 = 60;
pub(crate) const HOUR: i64 = 60 * MINUTE;

/// So many seconds after the beginning of all.
pub(crate) fn at(seconds: i64) -> Timestamp {
    let begin: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
    begin + SignedDuration::from_secs(seconds)
}

pub(crate) fn id(number: u32) -> SnapshotId {
    SnapshotId::parse(&format!("snap-{number:08x}")).unwrap()
}

pub(crate) fn account(number: u32) -> AccountId {
    AccountId::parse(&format!("{number:012}")).unwrap()
}

pub(crate) fn volume(number: u32) -> VolumeId {
    VolumeId::parse(&format!("vol-{number:08x}")).unwrap()
}

pub(crate) fn region() -> Region {
    Region::parse("eu-west-1").unwrap()
}

/// Snapshot 1, started an hour before the beginning.
pub(crate) fn source() -> SourceSnapshot {
    SourceSnapshot {
        kind: snapferry_core::facts::SourceKind::Volume,
        id: id(1),
        owner: account(1),
        volume: volume(1),
        size_gib: 8,
        state: snapferry_core::facts::State::Completed,
        start_time: at(-HOUR),
        encrypted: false,
        storage: snapferry_core::facts::Storage::Standard,
        description: "nightly".into(),
    }
}

/// Owed since the beginning.
pub(crate) fn owed() -> Obligation {
    let identity = Identity { policy: PolicyName::parse("nightly").unwrap(), source: id(1), region: region() };
    Obligation::new(identity, &source(), volume(1), By::Sweep, at(0))
}

pub(crate) fn with(state: State) -> Obligation {
    Obligation { state, ..owed() }
}

/// A live copy of snapshot 1 that is not judged yet.
pub(crate) fn copy(number: u32) -> Copy {
    Copy {
        id: id(number),
        source: id(1),
        lineage: Some(volume(1)),
        origin: Arc::new(Origin {
            owner: None,
            policy: PolicyName::parse("nightly").unwrap(),
            account: Some(account(1)),
            region: None,
            key: None,
            life: KeyLife::Alive,
        }),
        start_time: at(0),
        source_start_time: Moment::NEVER,
        settled_at: Moment::NEVER,
        expire_after: Moment::NEVER,
        state: snapferry_core::facts::State::Pending,
        status: Some(Status::Copying),
        is_bound: true,
        lock: None,
        is_tampered: false,
    }
}

/// The policy, and what it asks for.
pub(crate) struct Wish {
    policy: Policy,
    source: SourceSnapshot,
    home: Region,
}

/// What is to be done, in a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Do {
    Ask,
    Wait,
    Believe(SnapshotId),
}

impl Wish {
    pub(crate) fn new() -> Self {
        let document = json!({"Policy": {"PolicyId": "nightly", "PolicyDetails": {
            "PolicyType": "EVENT_BASED_POLICY",
            "EventSource": {"Type": "MANAGED_CWE", "Parameters": {
                "EventType": "shareSnapshot", "SnapshotOwner": ["000000000001"], "DescriptionRegex": ".*"}},
            "Actions": [{"Name": "copy", "CrossRegionCopy": [
                {"Target": "eu-west-1", "EncryptionConfiguration": {"Encrypted": false}}]}]}}});
        let policy = policy::parse(&document.to_string()).unwrap().policies.remove(0);
        Self { policy, source: source(), home: Region::parse("us-east-1").unwrap() }
    }

    /// What the copier's own judgement says, with these copies to be seen.
    pub(crate) fn judge(&self, copies: &[Copy], obligation: Option<&Obligation>, now: Timestamp) -> Do {
        let Policy { name, description, targets, .. } = &self.policy;
        let (source, home, target) = (&self.source, &self.home, &targets[0]);
        let request = CopyRequest { policy: name, filter: description, source, home, target };
        let keys = BTreeMap::new();
        match judge(request, copies.iter(), obligation, &keys, now).0 {
            Verdict::Copy(_) => Do::Ask,
            Verdict::Skip(snapferry_core::copying::Skip::AlreadyCopied(copy)) => Do::Believe(copy.clone()),
            Verdict::Skip(_) | Verdict::Defer(_) | Verdict::Refuse(_) => Do::Wait,
        }
    }
}
