//! An item that somebody edits while EC2 hides the copy that was just asked for.

use jiff::Timestamp;
use snapferry_core::ledger::{End, Obligation, State};

use crate::world::{Call, OWNER, REGIONS, Scripted, setup};

type Edit = fn(&Obligation) -> Option<State>;

const LONG_AGO: Timestamp = Timestamp::UNIX_EPOCH;

/// Each makes the ledger forget that a copy was just asked for; the last one removes the item.
const EDITS: [Edit; 5] = [
    |_| Some(State::Owed),
    |_| Some(State::Asked { at: LONG_AGO }),
    |stands| Some(State::Copying { copy: stands.copy()?.clone(), at: LONG_AGO }),
    |_| Some(State::Ended { at: LONG_AGO, why: End::Protected, copy: None }),
    |_| None,
];

fn edited(edit: Edit) -> Scripted {
    let world = Scripted::default();
    world.share(1, OWNER);
    world.events(&setup(), [1]);
    assert_eq!(copies(&world), REGIONS.len());
    world.obligations.borrow_mut().retain(|_, stands| {
        let state = edit(stands);
        state.map(|state| stands.state = state).is_some()
    });
    world
}

fn copies(world: &Scripted) -> usize {
    world.count(|call| matches!(call, Call::Copy(_)))
}

/// The copies that are asked for within so many minutes.
fn asked_within(world: &Scripted, minutes: i64) -> usize {
    let ticks = (0..minutes).map(|minute| {
        if minute % 3 == 0 {
            world.sweep(&setup())
        } else {
            world.serve(&setup())
        };
        copies(world)
    });
    ticks.sum()
}

#[test]
fn the_process_that_asked_asks_for_no_second_copy_while_ec2_may_hide_the_first() {
    for (number, edit) in EDITS.into_iter().enumerate() {
        let world = edited(edit);
        assert_eq!(asked_within(&world, 9), 0, "edit {number}");
        // Nor is it lost.
        assert_eq!(asked_within(&world, 5), REGIONS.len(), "edit {number}");
    }
}

#[test]
fn a_process_that_does_not_remember_believes_the_ledger() {
    let mut world = edited(EDITS[0]);
    world.dies();
    assert_eq!(asked_within(&world, 2), REGIONS.len());
}
