//! What a sweep says at its end: how the Regions, the owners and the keys stand.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};
use snapferry_core::copying::{Facts, Outcome, Ran, Scope, decide, summary};
use snapferry_core::facts::{
    CallError, Copies, Copy, KeyFact, KeyLife, KeyProblem, Moment, Origin, SourceSnapshot, State,
};
use snapferry_core::ids::{SnapshotId, VolumeId};
use snapferry_core::policy;
use snapferry_core::tags::{Lock, Status};

use crate::world::*;

fn sweep(snapshots: Vec<SourceSnapshot>, copies: Result<Copies, CallError>) -> Facts {
    Facts {
        account: Some(account(OURS)),
        home: home(),
        scope: Scope::Sweep { since: None },
        named: Vec::new(),
        snapshots: Ok(snapshots),
        regions: [(region(), copies)].into(),
        retired_policies: Default::default(),
        keys: [(key(), KeyFact::Usable)].into(),
        obligations: BTreeMap::new(),
        noticed: Default::default(),
    }
}

fn shared(id: SnapshotId, start_time: &str) -> SourceSnapshot {
    SourceSnapshot { id, start_time: at(start_time), ..source("nightly") }
}

fn copied(source: SnapshotId, start_time: &str, status: Status) -> Copy {
    Copy {
        id: snapshot(77),
        source,
        lineage: VolumeId::parse("vol-00000001").ok(),
        origin: Arc::new(Origin {
            owner: None,
            policy: name(),
            account: Some(account(SOURCE)),
            region: None,
            key: None,
            life: KeyLife::Alive,
        }),
        start_time: at(start_time),
        source_start_time: Moment::NEVER,
        settled_at: Moment::NEVER,
        expire_after: Moment::NEVER,
        state: State::Completed,
        status: Some(status),
        lock: None,
        is_bound: true,
        is_tampered: false,
    }
}

fn held(copies: Vec<Copy>) -> Result<Copies, CallError> {
    Ok(Copies { copies, ..Copies::default() })
}

/// The lines of the sweep at [`now`], in which nothing that is to be started is, by event.
fn told(facts: &Facts) -> BTreeMap<String, Value> {
    let policies = policies();
    let plan = decide(&policies, facts, now());
    let mut tally = plan.tally;
    let full = Outcome::Deferred(snapferry_core::copying::Deferral::RegionFull(error()));
    plan.decisions.iter().for_each(|decision| tally.add(decision, &full));
    let ran = Ran {
        id: "t",
        duration_ms: 1,
        calls: 1,
        policies: &policies,
        silent_after_hours: 48,
        unheard: &BTreeMap::new(),
        unserved: &[],
    };
    let lines = summary(&tally, ran, now()).into_iter().map(|record| {
        let line: Value = serde_json::from_str(&record.to_line()).unwrap();
        (line["event"].as_str().unwrap().to_owned(), line)
    });
    lines.collect()
}

fn hours(facts: &Facts) -> f64 {
    let told = told(facts);
    let everywhere = told["sweep.completed"]["OldestUnprotectedHours"].as_f64();
    assert_eq!(told["sweep.region"]["OldestUnprotectedHours"].as_f64(), everywhere);
    everywhere.unwrap()
}

#[test]
fn what_is_not_proven_is_unprotected_since_its_first_copy_or_else_its_source_was_started() {
    let old = || vec![shared(snapshot(1), "2026-11-20T12:00:00Z")];
    let lock_pending =
        Copy { lock: Some(Lock::Pending), ..copied(snapshot(1), "2026-11-22T09:00:00Z", Status::Verified) };
    let pending = Copy { state: State::Pending, ..copied(snapshot(1), "2026-11-22T11:30:00Z", Status::Copying) };
    let pending_again = Copy { id: snapshot(78), ..pending.clone() };
    let failed = copied(snapshot(1), "2026-11-22T10:00:00Z", Status::Failed);
    for (what, copies, expected) in [
        ("no copy: since the source was started", held(Vec::new()), 48.0),
        ("pending: since the copy was started", held(vec![pending]), 0.5),
        ("not judged", held(vec![copied(snapshot(1), "2026-11-22T10:00:00Z", Status::Copying)]), 2.0),
        ("not locked", held(vec![lock_pending]), 3.0),
        ("pending after a failure: since the source was started", held(vec![pending_again, failed]), 48.0),
        ("failed", held(vec![copied(snapshot(1), "2026-11-22T10:00:00Z", Status::Failed)]), 48.0),
        ("rejected", held(vec![copied(snapshot(1), "2026-11-22T10:00:00Z", Status::Rejected)]), 48.0),
        ("nobody knows", Err(error()), 48.0),
        ("protected", held(vec![copied(snapshot(1), "2026-11-22T10:00:00Z", Status::Verified)]), 0.0),
    ] {
        assert!((hours(&sweep(old(), copies)) - expected).abs() < f64::EPSILON, "{what}");
    }
}

#[test]
fn a_copy_that_is_started_again_and_again_does_not_make_its_source_look_fresh() {
    let policies = policies();
    for (earlier, expected) in [(None, 0.0), (Some(Status::Failed), 48.0), (Some(Status::Rejected), 48.0)] {
        let copies = earlier.map(|status| copied(snapshot(1), "2026-11-22T10:00:00Z", status)).into_iter().collect();
        let facts = sweep(vec![shared(snapshot(1), "2026-11-20T12:00:00Z")], held(copies));
        let plan = decide(&policies, &facts, now());
        let mut tally = plan.tally;
        tally.add(&plan.decisions[0], &Outcome::Started { copy: snapshot(90), at: now() });
        let since = tally.total().unprotected_since.unwrap();
        assert!((now().duration_since(since).as_secs_f64() / 3600.0 - expected).abs() < f64::EPSILON, "{earlier:?}");
    }
}

#[test]
fn a_sweep_that_finds_nothing_says_zeros() {
    let told = told(&sweep(Vec::new(), held(Vec::new())));
    for metric in ["Protected", "InFlight", "Unprotected", "OldestUnprotectedHours"] {
        for event in ["sweep.region", "sweep.completed"] {
            assert_eq!(told[event][metric].as_f64(), Some(0.0), "{event} {metric}");
        }
    }
    for metric in ["KeysUnusable", "AttemptsExhausted", "TagsMalformed"] {
        assert_eq!(told["sweep.completed"][metric].as_f64(), Some(0.0), "{metric}");
    }
}

#[test]
fn an_owner_is_silent_since_its_newest_wanted_snapshot_or_copy() {
    let at = |time: &str| shared(snapshot(1), time);
    let other = SourceSnapshot { owner: account("333333333333"), ..at("2026-11-22T11:00:00Z") };
    let copies = held(vec![copied(snapshot(8), "2026-11-21T12:00:00Z", Status::Verified)]);
    let dead = held(vec![copied(snapshot(8), "2026-11-21T12:00:00Z", Status::Failed)]);
    for (what, facts, reason, expected) in [
        ("one shared", sweep(vec![at("2026-11-22T06:00:00Z")], held(Vec::new())), "seen", 6.0),
        ("just not silent", sweep(vec![at("2026-11-20T12:00:00Z")], held(Vec::new())), "seen", 48.0),
        ("one a minute too old", sweep(vec![at("2026-11-20T11:59:00Z")], held(Vec::new())), "seen", 48.01),
        (
            "pending",
            sweep(vec![SourceSnapshot { state: State::Pending, ..at("2026-11-22T06:00:00Z") }], held(Vec::new())),
            "seen",
            6.0,
        ),
        ("somebody else's", sweep(vec![other], held(Vec::new())), "never-seen", 87_600.0),
        ("deleted since, but copied", sweep(Vec::new(), copies), "seen", 24.0),
        ("deleted since, and its copy failed", sweep(Vec::new(), dead), "never-seen", 87_600.0),
        ("nothing at all", sweep(Vec::new(), held(Vec::new())), "never-seen", 87_600.0),
    ] {
        let told = told(&facts);
        assert_eq!(told["sweep.owner"]["reason"], reason, "{what}");
        assert_eq!(told["sweep.owner"]["HoursSinceLastShare"].as_f64(), Some(expected), "{what}");
        let silent: &[&str] = if expected > 48.0 { &["111111111111"] } else { &[] };
        assert_eq!(told["sweep.owner"]["owner"]["silent"], !silent.is_empty(), "{what}");
        assert_eq!(told["sweep.completed"]["sweep"]["silentOwners"], json!(silent), "{what}");
        assert_eq!(told["sweep.completed"]["SilentOwners"], silent.len(), "{what}");
    }
}

/// Owner 1 shares each week, 2 was given up, 3 was heard of an hour ago, 4 three days ago, 5 never.
#[test]
fn each_owner_is_silent_by_its_own_hours_and_none_hides_another() {
    let owner = |number: u32| format!("{number}11111111111");
    let mut document = document();
    let parameters = &mut document["Policy"]["PolicyDetails"]["EventSource"]["Parameters"];
    parameters["SnapshotOwner"] = (1..=5).map(owner).collect();
    parameters["SilentAfterHours"] = json!({owner(1): 200, owner(2): 0});
    let policies = policy::parse(&document.to_string()).unwrap().policies;
    let start = [(1, "2026-11-17T12:00:00Z"), (3, "2026-11-22T11:00:00Z"), (4, "2026-11-19T12:00:00Z")];
    let snapshots = start
        .map(|(number, time)| SourceSnapshot { owner: account(&owner(number)), ..shared(snapshot(number), time) })
        .to_vec();
    let tally = decide(&policies, &sweep(snapshots, held(Vec::new())), now()).tally;
    let silent = |hours| {
        let ran = Ran {
            id: "t",
            duration_ms: 1,
            calls: 1,
            policies: &policies,
            silent_after_hours: hours,
            unheard: &BTreeMap::new(),
            unserved: &[],
        };
        let completed = summary(&tally, ran, now()).pop().unwrap();
        completed.sweep.unwrap().silent_owners
    };
    assert_eq!(silent(48), [owner(4), owner(5)]);
    assert_eq!(silent(96), [owner(5)]);
    assert_eq!(silent(0), Vec::<String>::new());
}

#[test]
fn the_newest_of_many_snapshots_counts_although_it_is_older_than_the_sweep_looks() {
    let mut facts = sweep(
        vec![shared(snapshot(1), "2026-11-20T12:00:00Z"), shared(snapshot(2), "2026-11-21T12:00:00Z")],
        held(Vec::new()),
    );
    facts.scope = Scope::Sweep { since: Some(now()) };
    assert_eq!(told(&facts)["sweep.owner"]["HoursSinceLastShare"].as_f64(), Some(24.0));
}

#[test]
fn a_clock_behind_ec2s_makes_nothing_younger_than_now() {
    let later: Timestamp = at("2026-11-22T12:00:05Z");
    let facts = sweep(
        vec![SourceSnapshot { start_time: later, ..shared(snapshot(1), "2026-11-22T06:00:00Z") }],
        held(Vec::new()),
    );
    assert_eq!(told(&facts)["sweep.owner"]["owner"]["secondsSinceNewest"], 0);
}

#[test]
fn an_unusable_key_is_told_before_anything_needs_it() {
    let mut facts = sweep(Vec::new(), held(Vec::new()));
    facts.keys.insert(key(), KeyFact::Unusable(KeyProblem::PendingDeletion));
    let told = told(&facts);
    assert_eq!(told["sweep.completed"]["KeysUnusable"], 1);
    assert_eq!(told["sweep.completed"]["sweep"]["unusableKeys"][KEY], "key-pending-deletion");
}

#[test]
fn what_was_told_within_the_last_day_still_counts() {
    let failed = |number, time| Copy { id: snapshot(number), ..copied(snapshot(1), time, Status::Failed) };
    let failed = (20..25).map(|number| failed(number, "2026-11-22T10:00:00Z")).collect();
    let found = Copies { copies: failed, tampered: vec![tampered()], ..Copies::default() };
    let mut facts = sweep(vec![shared(snapshot(1), "2026-11-22T06:00:00Z")], Ok(found));
    let (policies, mut noticed) = (policies(), Vec::new());
    for decision in decide(&policies, &facts, now()).decisions {
        noticed.extend(decision.notice());
    }
    assert_eq!(noticed.len(), 2);
    for said in [Vec::new(), noticed] {
        facts.noticed = said.into_iter().collect();
        let told = told(&facts);
        let completed = &told["sweep.completed"];
        assert_eq!((&completed["AttemptsExhausted"], &completed["TagsMalformed"]), (&1.into(), &1.into()));
        assert_eq!((&completed["Unprotected"], completed["OldestUnprotectedHours"].as_f64()), (&1.into(), Some(6.0)));
    }
}
