//! What the records of ends say, and how often they say it.

use snapferry_core::copying::CopyFailure;
use snapferry_core::ledger::Obligation;

use snapferry_flow::{Setup, World as _};

use crate::ways::{WAYS, Way, everywhere, owed, round, share, world};
use crate::world::{Call, OWNER, REGIONS, Scripted, error, id};

/// Snapshots that a round put in line in each Region and that are gone since another one.
fn gone(way: Way, numbers: std::ops::Range<usize>) -> (Scripted, Setup) {
    let (world, setup) = world(way);
    numbers.clone().for_each(|number| share(&world, number, OWNER, number, 5));
    round(&world, &setup);
    world.sources.borrow_mut().clear();
    round(&world, &setup);
    assert_eq!(owed(&world), everywhere(numbers));
    (world, setup)
}

/// How often the last invocation told of one as missed.
fn told(world: &Scripted) -> usize {
    world.reasons().iter().filter(|reason| **reason == "source-gone").count()
}

/// What is said of a missed one.
fn message(world: &Scripted) -> Option<String> {
    let said = world.said.borrow();
    said.iter().find(|record| record.reason.name() == "source-gone").map(|record| record.message.clone().unwrap())
}

#[test]
fn a_look_that_saw_nothing_is_no_refusal() {
    let (world, mut setup) = world(Way::InOne);
    setup.policies[0].targets.truncate(1);
    share(&world, 1, OWNER, 1, 5);
    *world.answers.borrow_mut() = vec![error(CopyFailure::RegionFull)];
    round(&world, &setup);
    world.sources.borrow_mut().clear();
    for _ in 0..600 {
        world.serve(&setup);
        assert_eq!(world.count(|call| matches!(call, Call::Copy(_))), 0);
    }
    let stands: Vec<Obligation> = world.obligations.borrow().values().cloned().collect();
    assert_eq!((stands.len(), stands[0].refused, stands[0].is_in_vain()), (1, 0, false));
    world.sweep(&setup);
    world.sweep(&setup);
    let message = message(&world).expect("gone in two rounds");
    assert!(message.contains("The last 0 tries were refused"), "{message}");
    assert!(message.contains("15 times in a row"), "{message}");
    assert!(owed(&world).is_empty());
    assert!(world.obligations.borrow().values().all(|stands| stands.identity.source == id(1)));
}

#[test]
fn what_is_gone_is_told_once_also_while_its_end_cannot_be_written() {
    for dies in [false, true] {
        let (mut world, setup) = gone(Way::InOne, 1..2);
        world.is_endless.set(true);
        let mut count = 0;
        for _ in 0..9 {
            world.sweep(&setup);
            count += told(&world);
            if dies {
                world.dies();
            }
        }
        assert_eq!((count, owed(&world).len()), (REGIONS.len(), REGIONS.len()), "{dies}");
        world.is_endless.set(false);
        // A process that remembers writes what it told; another does not know whether it was, and tells it again.
        world.sweep(&setup);
        assert_eq!((told(&world), owed(&world).is_empty()), (0, !dies));
        world.clock.set(world.clock.get() + 600);
        world.sweep(&setup);
        assert_eq!((told(&world), owed(&world).len()), (if dies { REGIONS.len() } else { 0 }, 0));
    }
}

#[test]
fn an_end_that_cannot_be_written_is_not_told_and_holds_up_no_other_nor_the_round() {
    for way in WAYS {
        let (world, setup) = gone(way, 1..240);
        world.unwritable.borrow_mut().insert(id(1));
        let (said, _) = round(&world, &setup);
        let count = |reason| said.iter().filter(|record| record.reason.name() == reason).count();
        assert_eq!(count("source-gone"), 238 * REGIONS.len(), "{way:?}");
        assert_eq!(owed(&world), everywhere(1..2), "{way:?}");
        assert!(count("ledger-unread") >= 1, "{way:?}");
        world.sweep(&setup);
        assert_eq!(
            (told(&world), world.reasons().iter().filter(|r| **r == "ledger-unread").count()),
            (0, 1),
            "{way:?}"
        );
        world.unwritable.borrow_mut().clear();
        let (said, _) = round(&world, &setup);
        let count = said.iter().filter(|record| record.reason.name() == "source-gone").count();
        assert_eq!((count, owed(&world).len()), (REGIONS.len(), 0), "{way:?}");
    }
}

#[test]
fn of_two_that_come_upon_an_end_at_once_one_tells_it() {
    let (world, setup) = gone(Way::InOne, 1..2);
    world.is_doubled.set(true);
    world.sweep(&setup);
    assert_eq!((told(&world), owed(&world).len()), (REGIONS.len(), 0));
    // Nor does one that was killed before it told leave it untold.
    let (mut world, setup) = gone(Way::InOne, 1..2);
    let now = world.now();
    world.obligations.borrow_mut().values_mut().for_each(|stands| stands.ending = Some(now));
    world.dies();
    for _ in 0..9 {
        world.sweep(&setup);
        assert_eq!(told(&world), 0);
    }
    world.sweep(&setup);
    assert_eq!((told(&world), owed(&world).len()), (REGIONS.len(), 0));
}

#[test]
fn what_is_missed_again_after_its_item_was_lost_is_told_again() {
    let (world, setup) = world(Way::InOne);
    for _ in 0..2 {
        share(&world, 1, OWNER, 1, 5);
        round(&world, &setup);
        world.sources.borrow_mut().clear();
        let times: usize = (0..3)
            .map(|_| {
                world.sweep(&setup);
                told(&world)
            })
            .sum();
        assert_eq!(times, REGIONS.len());
        world.obligations.borrow_mut().clear();
    }
}
