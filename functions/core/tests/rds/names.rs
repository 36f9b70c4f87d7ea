//! A copy's name says which copy it is, and is one that RDS takes.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use snapferry_core::ids::{KeyArn, PolicyName, Region};
use snapferry_core::rds::{CopyName, Kind, Source, copy_name};

use crate::{SOURCE, key};

#[derive(Clone)]
struct Request {
    policy: PolicyName,
    source: Source,
    region: Region,
    key: Option<KeyArn>,
    attempt: u32,
}

impl Request {
    fn name(&self) -> CopyName {
        copy_name(&self.policy, &self.source, &self.region, self.key.as_ref(), self.attempt)
    }
}

fn request() -> Request {
    Request {
        policy: PolicyName::parse("policy-1").unwrap(),
        source: Source {
            kind: Kind::Instance,
            arn: SOURCE.to_owned(),
            created: "2026-11-22T03:00:00.123Z".parse().unwrap(),
            resource_id: "db-ABCDEFGHIJKLMNOPQRSTUVWXYZ".to_owned(),
        },
        region: Region::parse("eu-central-1").unwrap(),
        key: Some(key(1)),
        attempt: 1,
    }
}

/// RDS API reference, `CopyDBClusterSnapshot`, `TargetDBClusterSnapshotIdentifier`: the narrower of the two kinds.
fn is_taken_by_rds(name: &str) -> bool {
    (1..=63).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !name.ends_with('-')
        && !name.contains("--")
}

/// A name that changed with a version would let the next version copy everything again.
#[test]
fn a_requests_name_is_the_same_in_every_version() {
    let name = request().name();
    assert_eq!(name.to_string(), NAME);
    assert_eq!(name.as_str(), NAME);
    assert_eq!(request().name(), name);
}

const NAME: &str = "snapferry-c49903a3bf124b16b991ea8a4d10c133b4d82902520d2fac8736";

#[test]
fn every_part_of_a_request_is_in_its_name() {
    let changes: [fn(&mut Request); 9] = [
        |_| {},
        |r| r.policy = PolicyName::parse("policy-2").unwrap(),
        |r| r.source.kind = Kind::Cluster,
        |r| r.source.arn.push('2'),
        |r| r.source.created += SignedDuration::from_millis(1),
        |r| r.source.resource_id.push('2'),
        |r| r.region = Region::parse("eu-central-2").unwrap(),
        |r| r.key = Some(key(2)),
        |r| r.attempt = 2,
    ];
    let mut names: BTreeSet<CopyName> = BTreeSet::new();
    for change in changes {
        let mut changed = request();
        change(&mut changed);
        names.insert(changed.name());
    }
    names.insert(Request { key: None, ..request() }.name());
    assert_eq!(names.len(), changes.len() + 1);
}

/// What ends one part cannot begin the next.
#[test]
fn parts_do_not_run_into_each_other() {
    let moved = |arn: &str, resource_id: &str| {
        let mut request = request();
        (request.source.arn, request.source.resource_id) = (arn.to_owned(), resource_id.to_owned());
        request.name()
    };
    assert_ne!(moved("ab", "c"), moved("a", "bc"));
}

proptest! {
    #[test]
    fn rds_takes_every_name(arn in ".*", resource_id in ".*", seconds in any::<i32>(), attempt in any::<u32>()) {
        let mut request = request();
        request.source.created = Timestamp::from_second(i64::from(seconds)).unwrap();
        (request.source.arn, request.source.resource_id, request.attempt) = (arn, resource_id, attempt);
        prop_assert!(is_taken_by_rds(request.name().as_str()));
    }
}
