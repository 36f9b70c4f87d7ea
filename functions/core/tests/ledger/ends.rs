//! Whatever steps follow each other: each generation ends once, and nothing is lost from sight.

use proptest::prelude::*;
use snapferry_core::copying::step;
use snapferry_core::copying::{Deferral, Outcome};
use snapferry_core::ledger::{By, End, Obligation, State, place};

use crate::world::{MINUTE, at, id, owed};

/// One step at random, as `(which, minutes later)`.
fn taken(which: u8, before: &Obligation, now: i64) -> Option<Obligation> {
    let now = at(now);
    let ask = || before.asked(now);
    match which {
        0 => ask(),
        1 => before.renewed(now),
        2 => before.copying(id(9), now),
        3 => before.not_now(&owed()),
        4 => before.refused(now),
        5 => before.failed(&id(9), now),
        6 => before.vanished(now),
        7 => before.ended(End::Protected, now),
        8 => before.ended(End::Missed, now),
        9 => before.ended(End::Withdrawn, now),
        10 => before.gone_in(&format!("round {}", now.as_second() / 900))?.ok(),
        11 => before.seen(),
        12 => before.wanted_again(By::Sweep, now),
        13 => before.kept(now),
        14 => before.put_off(now),
        15 => before.ending(End::Missed, now),
        _ => step(before, &ask()?, &Outcome::Deferred(Deferral::OutOfTime), now),
    }
}

proptest! {
    #[test]
    fn each_generation_ends_once_and_only_a_new_one_follows(steps in prop::collection::vec((0u8..17, 0i64..20), 1..200)) {
        let (mut obligation, mut now) = (owed(), 0);
        let mut ended: Vec<u32> = Vec::new();
        for (which, minutes) in steps {
            now += minutes * MINUTE;
            let Some(after) = taken(which, &obligation, now) else { continue };
            prop_assert!(after.revision > obligation.revision, "each write is the next");
            if obligation.has_ended() {
                prop_assert_eq!((after.generation, &after.state), (obligation.generation + 1, &State::Owed));
            } else {
                prop_assert_eq!(after.generation, obligation.generation);
            }
            if after.has_ended() {
                ended.push(after.generation);
            }
            // What waits stands in a line; what is under way or over does not.
            prop_assert_eq!(place(&after).is_some(), after.due().is_some());
            prop_assert!(after.due().is_some() || after.has_ended() || after.copy().is_some());
            obligation = after;
        }
        let mut once = ended.clone();
        once.dedup();
        prop_assert_eq!(ended, once);
    }
}
