//! A copy's name says which copy it is, and is one that RDS takes.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use snapferry_core::ids::{KeyArn, PolicyName, Region};
use snapferry_core::rds::{CopyName, Kind, SnapshotArn, Source, copy_name};

use crate::{key, source};

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
        source: source(),
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
        |r| r.source.arn.kind = Kind::Cluster,
        |r| r.source.arn.name.push('2'),
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

#[test]
fn only_what_snapferry_calls_so_is_a_copys_name() {
    assert_eq!(CopyName::parse(NAME), Some(request().name()));
    for other in ["", "snapferry-", "nightly", &NAME[1..], &NAME[..61], &format!("{NAME}0"), &NAME.to_uppercase()] {
        assert_eq!(CopyName::parse(other), None, "{other}");
    }
    let no_hash = format!("snapferry-{}", "g".repeat(52));
    assert_eq!(CopyName::parse(&no_hash), None);
}

#[test]
fn an_arn_is_read_as_rds_writes_it() {
    for text in [
        "arn:aws:rds:eu-west-1:111122223333:snapshot:nightly",
        "arn:aws-cn:rds:cn-north-1:111122223333:cluster-snapshot:nightly",
        "arn:aws:rds:eu-west-1:111122223333:snapshot:awsbackup:job-1",
    ] {
        assert_eq!(SnapshotArn::parse(text).unwrap().to_string(), text);
    }
    for text in [
        "",
        "nightly",
        "arn:aws:rds:eu-west-1:111122223333:db:nightly",
        "arn:aws:rds:eu-west-1:111122223333:snapshot:",
        "arn:aws:rds:eu-west-1:111122223333:snapshot",
        "arn:aws:ec2:eu-west-1:111122223333:snapshot:nightly",
        "arn:aws:rds::111122223333:snapshot:nightly",
        "arn:aws:rds:eu-west-1::snapshot:nightly",
        "arn:awsx:rds:eu-west-1:111122223333:snapshot:nightly",
    ] {
        assert!(SnapshotArn::parse(text).is_err(), "{text}");
    }
    let aws_backups = SnapshotArn::parse("arn:aws:rds:eu-west-1:111122223333:snapshot:awsbackup:job-1").unwrap();
    assert_eq!((aws_backups.kind, aws_backups.name.as_str()), (Kind::Instance, "awsbackup:job-1"));
}

/// What ends one part cannot begin the next.
#[test]
fn parts_do_not_run_into_each_other() {
    let moved = |name: &str, resource_id: &str| {
        let mut request = request();
        (request.source.arn.name, request.source.resource_id) = (name.to_owned(), resource_id.to_owned());
        request.name()
    };
    assert_ne!(moved("ab", "c"), moved("a", "bc"));
}

proptest! {
    #[test]
    fn rds_takes_every_name(name in ".*", resource_id in ".*", seconds in any::<i32>(), attempt in any::<u32>()) {
        let mut request = request();
        request.source.created = Timestamp::from_second(i64::from(seconds)).unwrap();
        (request.source.arn.name, request.source.resource_id, request.attempt) = (name, resource_id, attempt);
        prop_assert!(is_taken_by_rds(request.name().as_str()));
    }
}
