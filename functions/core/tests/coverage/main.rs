//! What is protected: each standing by example, and laws over random accounts.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails, in its helpers too")]

mod ledger;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};
use snapferry_core::audit::CopyFailed;
use snapferry_core::copying::{self, Outcome, Scope, Skip, Verdict, decide};
use snapferry_core::coverage::{Counts, Coverage, Facts, Standing, cover, expiries, time_to_protect};
use snapferry_core::event::ShareEvent;
use snapferry_core::facts::{CallError, Copies, Copy, KeyFact, KeyLife, Moment, Origin, SourceSnapshot, State};
use snapferry_core::ids::{AccountId, PolicyName, Region, SnapshotId, VolumeId};
use snapferry_core::policy::{self, Policy, RetainRule};
use snapferry_core::retention::{Interval, IntervalUnit};
use snapferry_core::tags::{Lock, Status};

const OWNER: &str = "111111111111";
const OTHER: &str = "133333333333";
const ACCOUNT: &str = "222222222222";
const IRELAND: &str = "eu-west-1";
const OHIO: &str = "us-east-2";
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

fn now() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

fn ago(seconds: i64) -> Timestamp {
    now() - SignedDuration::from_secs(seconds)
}

fn nightly(name: &str, regions: &[&str]) -> Value {
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

fn policies(documents: &[Value]) -> Vec<Policy> {
    policy::parse(&Value::from(documents.to_vec()).to_string()).unwrap().policies
}

fn source(number: u32) -> SourceSnapshot {
    SourceSnapshot {
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
fn copy(number: u32, of: u32) -> Copy {
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

fn of_policy(copy: &mut Copy, policy: &str) {
    copy.origin = Arc::new(Origin { policy: PolicyName::parse(policy).unwrap(), ..(*copy.origin).clone() });
}

fn read(copies: &[Copy]) -> Copies {
    Copies { copies: copies.to_vec(), ..Copies::default() }
}

fn failed(number: u32, of: u32) -> Copy {
    let mut copy = copy(number, of);
    (copy.state, copy.status) = (State::Error, Some(Status::Failed));
    copy
}

fn facts(snapshots: Vec<SourceSnapshot>, ireland: Vec<Copy>) -> Facts {
    Facts {
        account: AccountId::parse(ACCOUNT).unwrap(),
        homes: BTreeSet::from([Region::parse("eu-central-1").unwrap()]),
        retired_policies: BTreeSet::new(),
        since: None,
        now: now(),
        snapshots,
        regions: BTreeMap::from([(Region::parse(IRELAND).unwrap(), read(&ireland))]),
        locks: HashMap::new(),
        ledger: None,
    }
}

fn lines(coverage: &Coverage<'_>) -> Vec<String> {
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
    facts.homes = BTreeSet::from([Region::parse("eu-west-3").unwrap()]);
    assert_eq!(lines(&cover(&policies, &facts)), ["missing snap-00000001 eu-west-1 -"]);
    facts.homes.insert(Region::parse("us-east-1").unwrap());
    assert_eq!(lines(&cover(&policies, &facts)), ["protected snap-00000001 eu-west-1 snap-c0000002"]);
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

/// A source or copy by numbers that proptest chooses.
fn any_source() -> impl Strategy<Value = SourceSnapshot> {
    (1..12u32, 0..4u8, any::<bool>(), any::<bool>(), 0..9i64).prop_map(|(number, owner, nightly, completed, days)| {
        SourceSnapshot {
            owner: AccountId::parse(match owner {
                0 => OTHER,
                1 => ACCOUNT,
                _ => OWNER,
            })
            .unwrap(),
            description: if nightly { "nightly" } else { "weekly" }.into(),
            state: if completed { State::Completed } else { State::Pending },
            start_time: ago(days * DAY),
            ..source(number)
        }
    })
}

fn any_copy() -> impl Strategy<Value = Copy> {
    let status = prop_oneof![
        Just(None),
        Just(Some(Status::Copying)),
        Just(Some(Status::Verified)),
        Just(Some(Status::Failed)),
        Just(Some(Status::Rejected)),
    ];
    let state = prop_oneof![Just(State::Pending), Just(State::Completed), Just(State::Error), Just(State::Other)];
    (1..99u32, 1..14u32, 0..3u8, state, status, any::<bool>()).prop_map(
        |(number, of, policy, state, status, locked)| {
            let mut made = copy(number, of);
            of_policy(&mut made, ["nightly", "second", "of-yesterday"][usize::from(policy)]);
            (made.state, made.status, made.lock) = (state, status, (!locked).then_some(Lock::Pending));
            made
        },
    )
}

fn unique<T>(items: Vec<T>, id: impl Fn(&T) -> SnapshotId) -> Vec<T> {
    let mut seen = HashSet::new();
    items.into_iter().filter(|item| seen.insert(id(item))).collect()
}

proptest! {
    /// The rows of shared snapshots are exactly the identities for which the copier would copy, or has copied.
    #[test]
    fn coverage_and_copier_agree(
        snapshots in proptest::collection::vec(any_source(), 0..10),
        ireland in proptest::collection::vec(any_copy(), 0..20),
        ohio in proptest::collection::vec(any_copy(), 0..20),
        since in proptest::option::of(0..9i64),
        retain in proptest::option::of((1..6u32, 0..2u32)),
    ) {
        let mut policies = policies(&[nightly("nightly", &[IRELAND, OHIO]), nightly("second", &[OHIO])]);
        for target in policies.iter_mut().flat_map(|policy| &mut policy.targets) {
            let interval = |count| Interval { count, unit: IntervalUnit::Days };
            target.retain = retain.map(|(days, keep_at_least)| RetainRule { interval: interval(days), keep_at_least });
        }
        let (ireland, ohio) = (unique(ireland, |copy| copy.id.clone()), unique(ohio, |copy| copy.id.clone()));
        let snapshots = unique(snapshots, |snapshot| snapshot.id.clone());
        let since = since.map(|days| ago(days * DAY));
        let named = snapshots.iter().map(|snapshot| event(&snapshot.id)).collect();
        let asked = copying::Facts {
            account: AccountId::parse(ACCOUNT).ok(),
            home: Region::parse("eu-central-1").unwrap(),
            scope: Scope::Sweep { since },
            named,
            snapshots: Ok(snapshots.clone()),
            regions: BTreeMap::from([
                (Region::parse(IRELAND).unwrap(), Ok(read(&ireland))),
                (Region::parse(OHIO).unwrap(), Ok(read(&ohio))),
            ]),
            retired_policies: Default::default(),
            keys: BTreeMap::<_, KeyFact>::new(),
            obligations: BTreeMap::new(),
            noticed: HashSet::new(),
        };
        let plan = decide(&policies, &asked, now());
        let mut facts = Facts { since, ..facts(snapshots, ireland) };
        facts.regions.insert(Region::parse(OHIO).unwrap(), read(&ohio));
        let coverage = cover(&policies, &facts);
        let rows: BTreeMap<(String, String, String), bool> = coverage
            .rows
            .iter()
            .filter(|row| row.is_shared())
            .map(|row| {
                let identity = (row.policy.to_string(), row.snapshot().to_owned(), row.region.to_string());
                (identity, row.is_finding())
            })
            .collect();
        let mut decided = BTreeMap::new();
        for decision in &plan.decisions {
            let (Some(policy), copying::Subject::Seen(source), Some(region)) =
                (decision.policy, decision.subject, decision.region)
            else {
                continue;
            };
            // Events name what `since` leaves out; coverage looks as the sweep does.
            if since.is_some_and(|since| source.start_time < since) {
                continue;
            }
            let live = matches!(decision.verdict, Verdict::Skip(Skip::AlreadyCopied(_) | Skip::Duplicate(_)));
            decided.insert((policy.to_string(), source.id.to_string(), region.to_string()), !live);
        }
        // What an event names is wanted whatever its age.
        prop_assert!(retain.is_some() || rows == decided, "{:?} {:?}", rows, decided);

        // A sweep's counts are the same account: what would be copied is missing where EC2 refuses to.
        let asked = copying::Facts { named: Vec::new(), ..asked };
        let mut plan = decide(&policies, &asked, now());
        plan.settle(&asked);
        prop_assert_eq!(plan.tally.over_retention, u64::try_from(coverage.over_retention).unwrap());
        let mut tally = plan.tally;
        for decision in &plan.decisions {
            tally.add(decision, &if matches!(decision.verdict, Verdict::Copy(_)) { refused() } else { Outcome::Stands });
        }
        for (region, told) in &tally.regions {
            let counts = coverage.counts.iter().filter(|((_, there), _)| *there == region).map(|(_, counts)| counts);
            let add = |(protected, in_flight, missing), counts: &Counts| {
                (protected + counts.protected, in_flight + counts.in_flight, missing + counts.findings())
            };
            let counted = counts.fold((0, 0, 0), add);
            let told = [told.protected, told.in_flight, told.missing].map(|count| usize::try_from(count).unwrap());
            prop_assert_eq!((told[0], told[1], told[2]), counted, "{}", region);
        }

        // Each copy of a known policy is spoken of by exactly one row's identity, and nothing is counted twice.
        let identities: BTreeSet<_> = coverage.rows.iter().map(|row| (row.policy, row.snapshot(), row.region)).collect();
        prop_assert_eq!(identities.len(), coverage.rows.len());
        let summed: usize = coverage.counts.values().map(|c| c.shared() + c.history + c.lost).sum();
        prop_assert_eq!(summed, coverage.rows.len());
        let protected = coverage.rows.iter().filter(|row| row.standing == Standing::Protected);
        prop_assert!(protected.into_iter().all(|row| row.copy.is_some_and(|copy| copy.is_protection())));
    }
}

fn refused() -> Outcome {
    Outcome::Failed { reason: CopyFailed::CallRefused, remedy: "", error: CallError::not_read() }
}

fn event(id: &SnapshotId) -> ShareEvent {
    ShareEvent::naming("an event", id.clone())
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
