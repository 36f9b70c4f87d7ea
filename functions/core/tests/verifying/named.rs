//! The ledger names one copy of an identity: no other is verified, and what the verdict makes of the obligation.

use jiff::Timestamp;
use snapferry_core::facts::SourceSnapshot;
use snapferry_core::facts::State as Ec2State;
use snapferry_core::ids::{AccountId, Region, SnapshotId, VolumeId};
use snapferry_core::ledger::{By, End, Obligation, State};
use snapferry_core::verifying::{Decision, Facts, Outcome, Verdict, decide, is_told, record, step};

use crate::world::*;

const THIS: &str = "snap-0000c001";
const OTHER: &str = "snap-0000c0de";

fn id(text: &str) -> SnapshotId {
    SnapshotId::parse(text).unwrap()
}

/// The obligation of the world's copy, in this state.
fn obligation(state: State) -> Obligation {
    let copy = copy(&tags());
    let identity = Facts::identity_of(&Region::parse(REGION).unwrap(), &copy).unwrap();
    let source = SourceSnapshot {
        kind: snapferry_core::facts::SourceKind::Volume,
        id: identity.source.clone(),
        owner: AccountId::parse(OURS).unwrap(),
        volume: VolumeId::parse("vol-0123456789abcdef0").unwrap(),
        size_gib: 8,
        state: Ec2State::Completed,
        start_time: now(),
        encrypted: true,
        storage: snapferry_core::facts::Storage::Standard,
        description: Box::default(),
    };
    let owed = Obligation::new(identity, &source, source.volume.clone(), By::Event, wanted());
    Obligation { state, ..owed }
}

/// The world's copy's tags, some of them edited.
fn edited(edits: &[(&'static str, &str)]) -> Tags {
    tags().into_iter().chain(edits.iter().map(|(key, value)| (*key, (*value).to_owned()))).collect()
}

fn wanted() -> Timestamp {
    now() - jiff::SignedDuration::from_mins(7)
}

fn copying(copy: &str) -> State {
    State::Copying { copy: id(copy), at: now() }
}

fn over(why: End, copy: Option<&str>) -> State {
    State::Ended { at: now(), why, copy: copy.map(id) }
}

/// What is done about the world's copy while the ledger holds this.
fn judged<T>(state: State, look: impl Fn(&Decision<'_>, &Obligation) -> T) -> T {
    let obligation = obligation(state);
    let mut facts = facts(vec![copy(&tags())]);
    facts.obligations = [(obligation.identity.clone(), obligation.clone())].into();
    let policies = under_key("");
    let decisions = decide(&policies, &facts, now());
    look(decisions.first().unwrap(), &obligation)
}

#[test]
fn only_the_copy_that_the_ledger_names_is_verified() {
    let others = [copying(OTHER), over(End::Protected, Some(OTHER))];
    for state in others {
        judged(state.clone(), |decision, _| {
            assert_eq!(decision.verdict, Verdict::AnotherNamed(&id(OTHER)), "{state:?}");
            assert_eq!(decision.settlement(), None);
            let record = record(decision, &Outcome::Stands, None, now());
            assert_eq!(record.reason.name(), "another-named");
            let message = record.message.unwrap();
            assert!(message.contains(OTHER) && message.contains(THIS), "{message}");
            assert!(decision.notice(&Outcome::Stands).is_some());
        });
    }
}

#[test]
fn where_the_ledger_names_none_or_this_one_it_is_verified() {
    let asked = State::Asked { at: now() };
    let delayed = State::Delayed { since: now() };
    let none = [State::Owed, delayed, asked, over(End::Missed, None), over(End::Withdrawn, None)];
    for state in none.into_iter().chain([copying(THIS), over(End::Protected, Some(THIS))]) {
        judged(state.clone(), |decision, _| {
            assert!(matches!(decision.verdict, Verdict::Verify { .. }), "{state:?}: {:?}", decision.verdict);
        });
    }
}

#[test]
fn the_time_to_protect_counts_from_when_it_was_wanted() {
    judged(copying(THIS), |decision, _| {
        let copy = record(decision, &Outcome::Judged, None, now()).copy.unwrap();
        assert_eq!(copy.seconds_since_wanted, Some(7 * 60));
    });
}

#[test]
fn a_verdict_ends_the_obligation_of_this_copy_in_one_write() {
    for state in [State::Owed, State::Asked { at: now() }, copying(THIS)] {
        judged(state.clone(), |decision, obligation| {
            let next = step(decision, obligation, now()).unwrap();
            assert_eq!(next.state, over(End::Protected, Some(THIS)), "{state:?}");
            assert_eq!(next.revision, obligation.revision + 1);
        });
    }
    judged(over(End::Protected, Some(THIS)), |decision, obligation| {
        assert_eq!(step(decision, obligation, now()), None);
    });
    judged(copying(OTHER), |decision, obligation| assert_eq!(step(decision, obligation, now()), None));
}

#[test]
fn a_copy_that_failed_delays_its_own_obligation_only() {
    for (state, is_delayed) in [(copying(THIS), true), (copying(OTHER), false), (State::Owed, false)] {
        let obligation = obligation(state);
        let failed = snapferry_core::facts::DescribedCopy { state: Ec2State::Error, ..copy(&tags()) };
        let facts = facts(vec![failed]);
        let policies = under_key("");
        let decisions = decide(&policies, &facts, now());
        let next = step(decisions.first().unwrap(), &obligation, now());
        assert_eq!(next.is_some(), is_delayed);
        assert!(next.is_none_or(|next| next.failed == 1 && next.state == State::Delayed { since: now() }));
    }
}

#[test]
fn an_end_that_is_told_with_this_very_copy_is_not_told_again() {
    for (state, expected) in [
        (over(End::Protected, Some(THIS)), true),
        // Whose end was told with no copy, or otherwise, was told without this one.
        (over(End::Protected, None), false),
        (over(End::Missed, None), false),
        (over(End::Withdrawn, None), false),
        (copying(THIS), false),
        (State::Owed, false),
    ] {
        judged(state.clone(), |decision, obligation| assert_eq!(is_told(decision, obligation), expected, "{state:?}"));
    }
    // A verdict that does not name its copy is given anew, and that is told.
    let unbound = [("snapferry:status", "verified")];
    let facts = facts(vec![copy(&edited(&unbound))]);
    let policies = under_key("");
    let decisions = decide(&policies, &facts, now());
    assert!(matches!(decisions[0].verdict, Verdict::Verify { .. }));
    assert!(!is_told(&decisions[0], &obligation(over(End::Protected, Some(THIS)))));
}

#[test]
fn the_ledger_is_asked_of_what_may_get_a_verdict_and_of_nothing_else() {
    let verdict = [("snapferry:status", "verified"), ("snapferry:copy", THIS)];
    let unbound = [("snapferry:status", "verified")];
    let rejected = [("snapferry:status", "rejected")];
    for (state, edits, is_asked) in [
        (Ec2State::Completed, &[][..], true),
        (Ec2State::Error, &[], true),
        (Ec2State::Pending, &[], false),
        (Ec2State::Completed, &unbound, true),
        (Ec2State::Completed, &verdict, false),
        (Ec2State::Completed, &rejected, false),
    ] {
        let seen = snapferry_core::facts::DescribedCopy { state, ..copy(&edited(edits)) };
        let asked = facts(vec![seen]).to_be_judged();
        assert_eq!(asked.contains(&obligation(State::Owed).identity), is_asked, "{state:?} {edits:?}");
    }
}

#[test]
fn what_is_over_stays_as_long_as_something_passes_for_its_copy() {
    let day = jiff::SignedDuration::from_hours(24);
    let ended = |at, copy| State::Ended { at, why: End::Protected, copy: Some(id(copy)) };
    for (state, expected) in [
        (ended(now() - day, OTHER), Some(ended(now(), OTHER))),
        (ended(now() - day * 6, OTHER), Some(ended(now(), OTHER))),
        (ended(now() - day + jiff::SignedDuration::from_secs(1), OTHER), None),
        // From the future: it stays by itself.
        (ended(Timestamp::MAX, OTHER), None),
        (copying(OTHER), None),
        // Nothing passes for it.
        (ended(now() - day, THIS), None),
    ] {
        judged(state.clone(), |decision, obligation| {
            let next = step(decision, obligation, now());
            assert_eq!(next.as_ref().map(|next| &next.state), expected.as_ref(), "{state:?}");
            assert!(next.is_none_or(|next| next.revision == obligation.revision + 1));
        });
    }
}
