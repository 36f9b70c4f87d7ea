//! Where an obligation stands in line.

use proptest::prelude::*;
use snapferry_core::ids::{SnapshotId, VolumeId};
use snapferry_core::ledger::{End, Obligation, Place, State, place};

use crate::world::{MINUTE, at, id, owed, volume, with};

fn placed(obligation: &Obligation) -> (String, String) {
    let place = place(obligation).unwrap();
    (place.line, place.order)
}

#[test]
fn each_state_has_its_line() {
    let delayed = Obligation { refused: 1, ..with(State::Delayed { since: at(0) }) };
    for (obligation, line) in [
        (owed(), Place::fresh(&owed().identity.region, &owed().account, &owed().identity.policy)),
        (delayed, Place::delayed(&owed().identity.region, &owed().account, &owed().identity.policy)),
        (with(State::Asked { at: at(0) }), Place::asked(&owed().identity.region)),
    ] {
        assert_eq!(placed(&obligation).0, line);
    }
    let over = State::Ended { at: at(0), why: End::Missed, copy: None };
    assert_eq!([State::Copying { copy: id(9), at: at(0) }, over].map(|state| place(&with(state))), [None, None]);
}

#[test]
fn in_a_fresh_line_lineages_stand_together_and_the_newest_of_each_comes_first() {
    let of = |number: u32, lineage: u32, seconds| {
        let mut obligation = Obligation { lineage: volume(lineage), start: at(seconds), ..owed() };
        obligation.identity.source = id(number);
        obligation
    };
    let mut line = [of(1, 2, 0), of(2, 1, 0), of(3, 1, 50), of(4, 2, 99), of(5, u32::MAX, 7), of(6, u32::MAX, 9)];
    line.sort_by_key(|obligation| placed(obligation).1);
    let order: Vec<_> = line.iter().map(|obligation| obligation.identity.source.clone()).collect();
    // Whose volume nobody names is a lineage of its own.
    assert_eq!(order, [5, 6, 3, 2, 4, 1].map(id));
    let behind = Place::behind(Place::lineage(&line[2]));
    assert!(placed(&line[3]).1 < behind && behind < placed(&line[4]).1);
}

/// Its copies are increments of those before.
#[test]
fn in_a_fresh_line_the_oldest_of_each_instance_comes_first_and_the_newest_of_each_cluster() {
    let of = |number: u32, lineage: &str, seconds| {
        let lineage = VolumeId::of_any_kind(lineage).unwrap();
        let mut obligation = Obligation { lineage, start: at(seconds), ..owed() };
        obligation.identity.source = SnapshotId::of_any_kind(&format!("db-{number:052x}")).unwrap();
        obligation
    };
    let mut line = [of(1, "cluster-B", 9), of(2, "db-A", 50), of(3, "db-A", 0), of(4, "cluster-B", 5)];
    line.sort_by_key(|obligation| placed(obligation).1);
    assert_eq!(line.map(|obligation| obligation.start), [9, 5, 0, 50].map(at));
}

proptest! {
    #[test]
    fn what_is_due_stands_before_what_is_not(refused in 0u32..9, failed in 0u32..9, since in -9999i64..9999, now in -9999i64..9999) {
        for state in [State::Delayed { since: at(since) }, State::Asked { at: at(since) }] {
            let obligation = Obligation { refused, failed, ..with(state) };
            let is_due = obligation.asked(at(now)).is_some();
            prop_assert_eq!(placed(&obligation).1 < Place::due_at(at(now)), is_due);
        }
    }

    #[test]
    fn times_before_and_after_all_have_places_too(at in prop_oneof![Just(jiff::Timestamp::MIN), Just(jiff::Timestamp::MAX)]) {
        for obligation in [
            Obligation { start: at, wanted: at, ..owed() },
            Obligation { refused: u32::MAX, ..with(State::Delayed { since: at }) },
            with(State::Asked { at }),
        ] {
            prop_assert!(place(&obligation).is_some());
        }
    }
}

#[test]
fn a_place_is_due_to_the_second() {
    let obligation = with(State::Asked { at: at(0) });
    for (seconds, is_due) in [(10 * MINUTE - 1, false), (10 * MINUTE, true)] {
        assert_eq!(placed(&obligation).1 < Place::due_at(at(seconds)), is_due);
    }
}
