//! What the ledger adds: since when a copy is owed and why it waits, what was missed, and what is owed and not to be seen.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use snapferry_core::coverage::{Counts, Coverage, Facts, cover};
use snapferry_core::ids::{PolicyName, Region};
use snapferry_core::ledger::{By, End, Entry, Extract, Identity, Obligation, State};

use crate::world::*;

/// Wanted ten minutes after its source was started.
fn obligation(policy: &str, number: u32, state: State) -> Obligation {
    let identity = Identity {
        policy: PolicyName::parse(policy).unwrap(),
        source: source(number).id,
        region: Region::parse(IRELAND).unwrap(),
    };
    let source = source(number);
    let wanted = source.start_time + SignedDuration::from_mins(10);
    Obligation { state, ..Obligation::new(identity, &source, source.volume.clone(), By::Sweep, wanted) }
}

fn ended(why: End) -> State {
    State::Ended { at: ago(HOUR), why, copy: None }
}

fn extract(obligations: &[Obligation]) -> Option<Extract> {
    let mut extract = Extract::default();
    obligations.iter().for_each(|obligation| extract.add(obligation, now()));
    Some(extract.close())
}

fn told(coverage: &Coverage<'_>) -> Vec<String> {
    let wait = |row: &snapferry_core::coverage::Row<'_>| row.owed().map_or("-", |owed| owed.wait.as_str());
    coverage.rows.iter().map(|row| format!("{} {} {}", row.state(), row.snapshot(), wait(row))).collect()
}

#[test]
fn what_is_owed_missed_and_unseen() {
    let policies = policies(&[nightly("nightly", &[IRELAND])]);
    let delayed = State::Delayed { since: ago(HOUR) };
    let obligations = [
        obligation("nightly", 1, State::Owed),
        obligation("nightly", 2, ended(End::Protected)),
        obligation("nightly", 3, ended(End::Missed)),
        obligation("nightly", 4, ended(End::Missed)),
        obligation("nightly", 5, delayed),
        obligation("nightly", 6, ended(End::Withdrawn)),
        obligation("nightly", 7, ended(End::Missed)),
        obligation("nightly", 8, ended(End::Missed)),
        obligation("other", 9, ended(End::Missed)),
    ];
    // 4 is shared again, of 7 there is a good copy after all, of 8 only one that failed.
    let read = facts(vec![source(1), source(2), source(4)], vec![copy(2, 2), copy(7, 7), failed(8, 8)]);
    let facts = with_ledger(extract(&obligations), read);
    let coverage = cover(&policies, &facts);
    let expected = [
        "missed snap-00000008 missed",
        "missing snap-00000001 in-line",
        "missing snap-00000004 missed",
        "missed snap-00000003 missed",
        "protected snap-00000002 -",
        "owed snap-00000005 delayed",
        "protected snap-00000007 missed",
    ];
    assert_eq!(told(&coverage), expected);
    let counts = Counts { missing: 2, missed: 2, protected: 1, history: 1, unseen: 1, ..Counts::default() };
    assert_eq!(coverage.total(), counts);
    assert_eq!((coverage.total().findings(), coverage.total().shared()), (4, 3));
    assert_eq!(coverage.rows.iter().filter(|row| row.is_finding()).count(), 4);
    let not_named: Vec<_> = coverage.not_named_owed.iter().map(|(policy, count)| (policy.as_str(), *count)).collect();
    assert_eq!(not_named, [("other", 1)]);
    let missed = &coverage.rows[3];
    let source = source(3);
    assert_eq!((missed.account(), missed.lineage()), (Some(OWNER), Some(source.volume.as_str())));
    assert_eq!(missed.started(), Some(source.start_time));
}

#[test]
fn what_is_retired_is_named_and_what_was_started_before_is_left_out() {
    let policies = policies(&[nightly("nightly", &[IRELAND])]);
    let obligations = [obligation("other", 1, ended(End::Missed)), obligation("nightly", 2, State::Owed)];
    let retired = BTreeSet::from([PolicyName::parse("other").unwrap()]);
    let all = Facts { retired_policies: retired, ..with_ledger(extract(&obligations), facts(vec![], vec![])) };
    assert_eq!(told(&cover(&policies, &all)), ["missed snap-00000001 missed", "owed snap-00000002 in-line"]);
    let since = Some(source(1).start_time);
    assert_eq!(cover(&policies, &Facts { since, ..all }).rows.len(), 2);
    let later = Some(source(1).start_time + SignedDuration::from_secs(1));
    let retired = BTreeSet::from([PolicyName::parse("other").unwrap()]);
    let read = with_ledger(extract(&obligations), facts(vec![], vec![]));
    let left_out = Facts { since: later, retired_policies: retired, ..read };
    // What an event asked for is owed whatever its age.
    assert_eq!(told(&cover(&policies, &left_out)), ["owed snap-00000002 in-line"]);
}

#[test]
fn the_time_to_protect_counts_from_when_the_copy_was_wanted() {
    let policies = policies(&[nightly("nightly", &[IRELAND])]);
    let settled = copy(1, 1).settled_at.get().unwrap();
    let again = Obligation { wanted: settled + SignedDuration::from_secs(1), ..obligation("nightly", 1, State::Owed) };
    for (stands, minutes) in [
        (None, 60),
        (Some(obligation("nightly", 1, ended(End::Protected))), 50),
        // The verifier's word has not reached the ledger yet.
        (Some(obligation("nightly", 1, State::Copying { copy: copy(1, 1).id, at: ago(2 * DAY - 60) })), 50),
        (Some(again), 60),
    ] {
        let facts = with_ledger(extract(stands.as_slice()), facts(vec![source(1)], vec![copy(1, 1)]));
        let coverage = cover(&policies, &facts);
        assert_eq!(coverage.rows[0].time_to_protect(), Some(SignedDuration::from_mins(minutes)), "{stands:?}");
        let since = stands.map_or(source(1).start_time, |stands| stands.wanted);
        assert_eq!(coverage.rows[0].since(), Some(since));
    }
}

#[test]
fn without_a_ledger_nothing_is_said_of_it() {
    let policies = policies(&[nightly("nightly", &[IRELAND])]);
    let facts = facts(vec![source(1)], vec![]);
    let coverage = cover(&policies, &facts);
    assert!(coverage.ledgers.is_none() && coverage.rows.iter().all(|row| row.entry.is_none()));
    let read = self::facts(vec![source(1)], vec![]);
    let read = with_ledger(extract(&[obligation("nightly", 1, State::Owed)]), read);
    let coverage = cover(&policies, &read);
    assert!(matches!(coverage.rows[0].entry, Some(Entry::Owed(_))));
}
