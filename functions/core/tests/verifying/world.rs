//! A copy, its tags and today's policy in a few words.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use snapferry_core::audit::Record;
use snapferry_core::facts::{DescribedCopy, KeyFact, State};
use snapferry_core::ids::{AccountId, PolicyName, Region, SnapshotId};
use snapferry_core::policy::{self, Policy};
use snapferry_core::tags::ReadTags;
use snapferry_core::verifying::{Decision, Facts, Locking, Outcome, decide, record};

pub(crate) const OURS: &str = "222222222222";
pub(crate) const REGION: &str = "eu-west-1";
pub(crate) const KEY: &str = "arn:aws:kms:eu-west-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab";
pub(crate) const OTHER_KEY: &str = "arn:aws:kms:eu-west-1:222222222222:key/ffffffff-12ab-34cd-56ef-1234567890ab";
pub(crate) const GOVERNANCE: &str =
    ", \"LockRule\": {\"Mode\": \"governance\", \"Interval\": 1, \"IntervalUnit\": \"MONTHS\"}";
pub(crate) const COMPLIANCE: &str =
    ", \"LockRule\": {\"Mode\": \"compliance\", \"Interval\": 10, \"IntervalUnit\": \"DAYS\", \"CoolOffPeriod\": 3}";

pub(crate) fn now() -> Timestamp {
    "2026-01-31T12:00:00Z".parse().unwrap()
}

/// Today's policy `default` with one target; `encryption` and `more` are JSON.
pub(crate) fn policies(encryption: &str, more: &str) -> Vec<Policy> {
    policy::parse(&document(encryption, more)).unwrap().policies
}

pub(crate) fn document(encryption: &str, more: &str) -> String {
    format!(
        "{{\"PolicyType\": \"EVENT_BASED_POLICY\", \"EventSource\": {{\"Type\": \"MANAGED_CWE\", \"Parameters\": \
         {{\"EventType\": \"shareSnapshot\", \"SnapshotOwner\": [\"111111111111\"]}}}}, \"Actions\": [{{\"Name\": \"copy\", \
         \"CrossRegionCopy\": [{{\"Target\": \"{REGION}\", \"EncryptionConfiguration\": {{{encryption}}}{more}}}]}}]}}"
    )
}

pub(crate) fn under_key(more: &str) -> Vec<Policy> {
    policies(&format!("\"Encrypted\": true, \"CmkArn\": \"{KEY}\""), more)
}

pub(crate) type Tags = BTreeMap<&'static str, String>;

/// The tags of a copy under [`KEY`] that was asked for with a lock.
pub(crate) fn tags() -> Tags {
    let tags = [
        ("snapferry:policy", "default"),
        ("snapferry:source-snapshot", "snap-00000001"),
        ("snapferry:source-account", "111111111111"),
        ("snapferry:source-region", "us-east-1"),
        ("snapferry:source-volume", "vol-00000001"),
        ("snapferry:source-size-gib", "8"),
        ("snapferry:source-start-time", "2026-01-31T11:00:00Z"),
        ("snapferry:kms-key", KEY),
        ("snapferry:expire-after", "2026-02-28T11:30:00Z"),
        ("snapferry:status", "copying"),
    ];
    tags.into_iter().map(|(key, value)| (key, value.to_owned())).collect()
}

/// A good, completed copy, started half an hour ago.
pub(crate) fn copy(tags: &Tags) -> DescribedCopy {
    DescribedCopy {
        id: SnapshotId::parse("snap-0000c001").unwrap(),
        owner: AccountId::parse(OURS).ok(),
        state: State::Completed,
        state_message: String::new(),
        encrypted: true,
        kms_key: Some(KEY.to_owned()),
        size_gib: 8,
        start_time: now() - SignedDuration::from_mins(30),
        tags: ReadTags::read(
            &SnapshotId::parse("snap-0000c001").unwrap(),
            tags.iter().map(|(key, value)| (*key, value.as_str())),
        ),
        lock: None,
        description: Box::default(),
        database: None,
    }
}

pub(crate) fn with(key: &'static str, value: &str) -> Tags {
    tags().into_iter().chain([(key, value.to_owned())]).collect()
}

pub(crate) fn without(key: &str) -> Tags {
    tags().into_iter().filter(|(present, _)| *present != key).collect()
}

pub(crate) fn waiting_for_its_lock() -> Tags {
    let mut tags = with("snapferry:lock", "pending");
    tags.insert("snapferry:status", "verified".to_owned());
    tags.insert("snapferry:copy", "snap-0000c001".to_owned());
    tags
}

pub(crate) fn facts(copies: Vec<DescribedCopy>) -> Facts {
    let region = Region::parse(REGION).unwrap();
    let homes = ["us-east-1", "us-east-2"].map(|home| Region::parse(home).unwrap()).into();
    let retired_policies = ["default", "gone"].map(|name| PolicyName::parse(name).unwrap()).into();
    let keys = copies.iter().filter_map(|copy| copy.kms_key.as_deref()).map(|key| (key.into(), KeyFact::Usable));
    Facts {
        account: AccountId::parse(OURS).ok(),
        homes,
        retired_policies,
        keys: keys.collect(),
        regions: [(region, Ok(copies))].into(),
        obligations: Default::default(),
    }
}

/// The record of the only decision when it is carried out, if there is any decision.
pub(crate) fn settled(policies: &[Policy], copy: DescribedCopy) -> Option<Record> {
    let facts = facts(vec![copy]);
    let decisions = decide(policies, &facts, now());
    assert!(decisions.len() < 2);
    let decision = decisions.first()?;
    let outcome = if decision.settlement().is_some() { Outcome::Judged } else { Outcome::Stands };
    Some(record(decision, &outcome, facts.account.as_ref(), now()))
}

/// Event, reason, differences and warnings in one line.
pub(crate) fn told(policies: &[Policy], copy: DescribedCopy) -> String {
    settled(policies, copy).map_or_else(
        || "nothing".to_owned(),
        |record| {
            format!(
                "{} {} {:?} {:?}",
                record.reason.event().name(),
                record.reason.name(),
                record.differences,
                record.warnings
            )
        },
    )
}

pub(crate) fn locking(policies: &[Policy], copy: DescribedCopy) -> Locking {
    let facts = facts(vec![copy]);
    decide(policies, &facts, now()).first().map_or(Locking::None, Decision::lock)
}
