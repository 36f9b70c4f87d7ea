//! What is protected: each standing by example, and laws over random accounts.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails, in its helpers too")]

mod laws;
mod ledger;
mod proofs;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use snapferry_core::coverage::{Row, cover, expiries, time_to_protect};
use snapferry_core::facts::{Copy, Moment, Origin, SourceSnapshot, State};
use snapferry_core::ids::{AccountId, PolicyName, Region, VolumeId};
use snapferry_core::ledger::Extract;
use snapferry_core::policy::RetainRule;
use snapferry_core::retention::{Interval, IntervalUnit};
use snapferry_core::tags::{Lock, Status};

use crate::world::*;

#[test]
fn every_standing() {
    let pending = {
        let mut copy = copy(3, 3);
        (copy.state, copy.status) = (State::Pending, Some(Status::Copying));
        copy
    };
    let unlocked = {
        let mut copy = copy(4, 4);
        copy.lock = Some(Lock::Pending);
        copy
    };
    let rejected = {
        let mut copy = copy(5, 5);
        copy.status = Some(Status::Rejected);
        copy
    };
    let facts = facts(
        (1..=7).map(source).collect(),
        // The sixth failed first and is good now, of the seventh two failed.
        vec![
            copy(2, 2),
            pending,
            unlocked,
            rejected,
            failed(6, 6),
            copy(16, 6),
            failed(7, 7),
            failed(17, 7),
            copy(8, 8),
        ],
    );
    let policies = policies(&[nightly("nightly", &[IRELAND])]);
    let coverage = cover(&policies, &facts);
    assert_eq!(
        lines(&coverage),
        [
            "failed snap-00000005 eu-west-1 snap-c0000005",
            "failed snap-00000007 eu-west-1 snap-c0000011",
            "missing snap-00000001 eu-west-1 -",
            "in-flight snap-00000003 eu-west-1 snap-c0000003",
            "in-flight snap-00000004 eu-west-1 snap-c0000004",
            "protected snap-00000002 eu-west-1 snap-c0000002",
            "protected snap-00000006 eu-west-1 snap-c0000010",
            "protected snap-00000008 eu-west-1 snap-c0000008 history",
        ]
    );
    let total = coverage.total();
    assert_eq!((total.failed, total.missing, total.in_flight, total.protected), (2, 1, 2, 2));
    assert_eq!((total.history, total.lost, total.findings(), total.shared()), (1, 0, 3, 7));
    assert_eq!(coverage.rows[4].lineage(), Some("vol-00000001"));
    assert_eq!(coverage.rows[7].started(), Some(ago(2 * DAY)));
}

#[test]
fn other_homes_copies_are_counted_and_protect_nothing_here() {
    let of = |home: &str, number| {
        let copy = copy(number, 1);
        let origin = Origin { region: Region::parse(home).ok(), ..(*copy.origin).clone() };
        Copy { origin: Arc::new(origin), ..copy }
    };
    let mut facts = facts(vec![source(1)], vec![of("us-east-1", 1), of("us-east-1", 2), of("eu-central-1", 3)]);
    let policies = policies(&[nightly("nightly", &[IRELAND])]);
    let coverage = cover(&policies, &facts);
    assert_eq!(lines(&coverage), ["protected snap-00000001 eu-west-1 snap-c0000003"]);
    assert_eq!(coverage.other_homes, BTreeMap::from([(&Region::parse("us-east-1").unwrap(), 2)]));
    facts.homes[0].region = Region::parse("eu-west-3").unwrap();
    assert_eq!(lines(&cover(&policies, &facts)), ["missing snap-00000001 eu-west-1 -"]);
    facts.homes[0].retired.insert(Region::parse("us-east-1").unwrap());
    assert_eq!(lines(&cover(&policies, &facts)), ["protected snap-00000001 eu-west-1 snap-c0000002"]);
}

#[test]
fn several_homes_are_one_account_and_each_row_says_whose() {
    let of = |home: &str, copy: Copy| {
        let origin = Origin { region: Region::parse(home).ok(), ..(*copy.origin).clone() };
        Copy { origin: Arc::new(origin), ..copy }
    };
    let copies =
        vec![of("eu-central-1", copy(1, 1)), of("us-east-1", copy(2, 2)), of("us-east-1", copy(3, 3)), copy(4, 9)];
    let mut facts = facts(vec![source(1)], copies);
    facts.homes.push(home("us-east-1", vec![source(2), source(5)], None));
    let policies = policies(&[nightly("nightly", &[IRELAND])]);
    let coverage = cover(&policies, &facts);
    let told = |row: &Row<'_>| format!("{} {} {} {}", row.home, row.state(), row.snapshot(), row.is_shared());
    let rows: Vec<String> = coverage.rows.iter().map(told).collect();
    let expected = [
        "us-east-1 missing snap-00000005 true",
        "eu-central-1 protected snap-00000001 true",
        "us-east-1 protected snap-00000002 true",
        "eu-central-1 protected snap-00000009 false",
        "us-east-1 protected snap-00000003 false",
    ];
    assert_eq!(BTreeSet::from_iter(&rows), BTreeSet::from_iter(&expected.map(str::to_owned)), "{rows:?}");
    let counted: Vec<_> =
        coverage.counts.iter().map(|((home, ..), c)| (home.as_str(), c.protected, c.history)).collect();
    assert_eq!(counted, [("eu-central-1", 1, 1), ("us-east-1", 1, 1)]);
    assert_eq!((coverage.shared, coverage.matching, coverage.total().missing), (3, 3, 1));
    assert!(coverage.other_homes.is_empty() && coverage.ledgers.is_none());
    // A ledger that one home lacks leaves what is owed unknown, and does not hide what another one tells.
    facts.homes[0].ledger = Some(Extract::default());
    assert!(cover(&policies, &facts).ledgers.is_none());
    facts.homes[1].ledger = Some(Extract::default());
    assert_eq!(cover(&policies, &facts).ledgers.map(|ledgers| ledgers.len()), Some(2));
}

#[test]
fn what_nobody_wants_is_no_finding() {
    let stranger = SourceSnapshot { owner: AccountId::parse(OTHER).unwrap(), ..source(1) };
    let own = SourceSnapshot { owner: AccountId::parse(ACCOUNT).unwrap(), ..source(2) };
    let weekly = SourceSnapshot { description: "weekly".into(), ..source(3) };
    let pending = SourceSnapshot { state: State::Pending, ..source(4) };
    let old = SourceSnapshot { start_time: ago(30 * DAY), ..source(5) };
    let old_copy = Copy { source_start_time: Some(ago(30 * DAY)).into(), ..copy(5, 5) };
    let mut foreign = copy(6, 6);
    of_policy(&mut foreign, "of-yesterday");
    let mut facts = facts(vec![stranger, own, weekly, pending, old], vec![old_copy, foreign, failed(7, 7)]);
    facts.since = Some(ago(10 * DAY));
    let policies = policies(&[nightly("nightly", &[IRELAND])]);
    let coverage = cover(&policies, &facts);
    assert_eq!(lines(&coverage), ["failed snap-00000007 eu-west-1 snap-c0000007 history"]);
    assert_eq!((coverage.shared, coverage.matching), (4, 0));
    assert_eq!((coverage.not_completed, coverage.before_since), (1, 1));
    assert_eq!(coverage.not_named, BTreeMap::from([(&PolicyName::parse("of-yesterday").unwrap(), 1)]));
    assert_eq!((coverage.total().findings(), coverage.total().lost), (0, 1));
    // A target without anything is there all the same.
    assert_eq!(coverage.counts.len(), 1);
    facts.retired_policies.insert(PolicyName::parse("of-yesterday").unwrap());
    let coverage = cover(&policies, &facts);
    assert!(lines(&coverage).contains(&"protected snap-00000006 eu-west-1 snap-c0000006 history".to_owned()));
    assert!(coverage.not_named.is_empty());
}

#[test]
fn a_target_that_was_not_read_is_no_protection() {
    let facts = facts(vec![source(1)], vec![copy(1, 1)]);
    let policies = policies(&[nightly("nightly", &[IRELAND, OHIO])]);
    let coverage = cover(&policies, &facts);
    assert_eq!(coverage.total().missing, 1);
}

#[test]
fn distributions() {
    let never = Copy { expire_after: Moment::NEVER, ..copy(2, 2) };
    let due = Copy { expire_after: Some(ago(1)).into(), settled_at: Some(ago(0)).into(), ..copy(3, 3) };
    let facts = facts((1..=3).map(source).collect(), vec![copy(1, 1), never, due]);
    let policies = policies(&[nightly("nightly", &[IRELAND])]);
    let coverage = cover(&policies, &facts);
    let told = |buckets: Vec<snapferry_core::coverage::Bucket>| {
        let some = buckets.into_iter().filter(|bucket| bucket.count > 0);
        some.map(|bucket| format!("{} {}", bucket.label, bucket.count)).collect::<Vec<_>>()
    };
    assert_eq!(told(time_to_protect(&coverage)), ["1 to 4 h 2", "over a day 1"]);
    assert_eq!(told(expiries(&coverage, now())), ["due 1", "within a week 1", "never 1"]);
}

#[test]
fn copies_of_unknown_volumes_are_counted_where_last_ones_are_kept() {
    let unnamed = |number| Copy { lineage: VolumeId::parse("vol-ffffffff").ok(), ..copy(number, number) };
    let facts = facts(Vec::new(), vec![unnamed(1), copy(2, 2), Copy { is_tampered: true, ..unnamed(3) }]);
    for (keep_at_least, expected) in [(1, 1), (0, 0)] {
        let mut policies = policies(&[nightly("nightly", &[IRELAND])]);
        let interval = Interval { count: 1, unit: IntervalUnit::Days };
        policies[0].targets[0].retain = Some(RetainRule { interval, keep_at_least });
        assert_eq!(cover(&policies, &facts).lineage_unknown, expected, "KeepAtLeast {keep_at_least}");
    }
}
