//! Snapshots of RDS: which are wanted, the copies' names and tags, who holds one, why RDS takes no more, and what a copy has
//! to be.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic is how a test fails, in its helpers too"
)]

mod attempts;
mod errors;
mod facts;
mod held;
mod names;
mod quotas;
mod requests;
mod verdicts;
mod wanted;

use snapferry_core::ids::KeyArn;
use snapferry_core::policy::{Policy, parse};
use snapferry_core::rds::{Own, Shared, SnapshotArn, Source};

const SOURCE: &str = "arn:aws:rds:eu-west-1:111122223333:snapshot:nightly";

type Change<T> = fn(&mut T);

fn key(id: u8) -> KeyArn {
    KeyArn::parse(&format!("arn:aws:kms:eu-central-1:444455556666:key/00000000-0000-0000-0000-0000000000{id:02}"))
        .unwrap()
}

fn source() -> Source {
    Source {
        arn: SnapshotArn::parse(SOURCE).unwrap(),
        created: "2026-11-22T03:00:00.123Z".parse().unwrap(),
        resource_id: "db-ABCDEFGHIJKLMNOPQRSTUVWXYZ".to_owned(),
    }
}

fn shared() -> Shared {
    Shared {
        source: source(),
        database: "orders".to_owned(),
        status: "available".to_owned(),
        encrypted: true,
        engine: "postgres".to_owned(),
        engine_version: Some("16.4".to_owned()),
        allocated_storage: 20,
        option_group: None,
        has_tde: false,
    }
}

/// A snapshot of which nothing is said but its name.
fn own() -> Own {
    Own {
        arn: SnapshotArn::parse("arn:aws:rds:eu-central-1:444455556666:snapshot:copy").unwrap(),
        database: None,
        status: String::new(),
        tags: Vec::new(),
        source_arn: None,
        encrypted: false,
        key: None,
        engine: None,
        engine_version: None,
        allocated_storage: None,
        resource_id: None,
        created: None,
        original: None,
    }
}

/// A policy of both kinds for the owner of [`SOURCE`], with `parameters` besides, into eu-central-1, encrypted as said.
fn policy(parameters: &str, encryption: &str) -> Policy {
    let document = format!(
        r#"{{"PolicyType": "EVENT_BASED_POLICY",
            "EventSource": {{"Type": "MANAGED_CWE", "Parameters": {{"EventType": "shareSnapshot", {parameters}
                "SnapshotOwner": ["111122223333"], "SourceTypes": ["DB_SNAPSHOT", "DB_CLUSTER_SNAPSHOT"]}}}},
            "Actions": [{{"Name": "copy", "CrossRegionCopy": [{{"Target": "eu-central-1",
                "EncryptionConfiguration": {encryption}, "RetainRule": {{"Interval": 1, "IntervalUnit": "MONTHS"}},
                "TagsToAdd": [{{"Key": "team", "Value": "a"}}]}}]}}]}}"#
    );
    parse(&document).unwrap().policies.remove(0)
}

fn encrypted() -> String {
    format!(r#"{{"Encrypted": true, "CmkArn": "{}"}}"#, key(1))
}
