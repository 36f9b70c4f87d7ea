//! What was asked for and is no longer wanted where it was asked for: each obligation ends, and is told of once.

use snapferry_core::audit::{Event, Record};
use snapferry_core::copying::CopyFailure;
use snapferry_core::ids::PolicyName;
use snapferry_core::ledger::State;
use snapferry_core::policy::PolicyState;
use snapferry_core::tags::Status;
use snapferry_flow::Setup;

use crate::ways::{WAYS, Way, copied, owed, round, share, world};
use crate::world::{OWNER, REGIONS, Scripted, error};

const DAY: i64 = 24 * 3600;

/// A snapshot that was asked for in the last Region, and is `asked` or `copying` there.
fn asked_for(way: Way, is_copying: bool) -> (Scripted, Setup) {
    let (world, mut setup) = world(way);
    setup.policies[0].targets.reverse();
    let kept = setup.policies[0].targets.split_off(1);
    *world.answers.borrow_mut() = if is_copying { vec![] } else { vec![error(CopyFailure::Silence)] };
    // A sweep of some size, so that it may be read in each way.
    share(&world, 1, OWNER, 1, 1);
    world.events(&setup, [1]);
    let stands = world.obligations.borrow().values().all(|stands| matches!(stands.state, State::Copying { .. }));
    assert_eq!(stands, is_copying);
    (2..240).for_each(|number| share(&world, number, OWNER, number, 1));
    *world.answers.borrow_mut() = vec![error(CopyFailure::RegionFull); 1000];
    if is_copying {
        copied(&world, &setup, 1, Status::Copying);
        let copy = world.copies.borrow()[0].1.id.clone();
        for stands in world.obligations.borrow_mut().values_mut() {
            if let State::Copying { copy: named, .. } = &mut stands.state {
                named.clone_from(&copy);
            }
        }
    }
    setup.policies[0].targets = kept;
    (world, setup)
}

/// How often it is told of as withdrawn in a round, so many seconds later.
fn withdrawn(world: &Scripted, setup: &Setup, seconds: i64) -> usize {
    world.clock.set(world.clock.get() + seconds);
    let (said, _) = round(world, setup);
    said.iter().filter(|record| record.reason.event() == Event::CopyWithdrawn).count()
}

fn stands(world: &Scripted) -> bool {
    owed(world).iter().any(|(_, region)| region.as_str() == REGIONS[2])
}

#[test]
fn what_was_asked_for_in_a_region_that_is_no_target_ends_when_no_copy_can_come() {
    for way in WAYS {
        let (world, setup) = asked_for(way, false);
        assert_eq!((withdrawn(&world, &setup, 5 * 60), stands(&world)), (0, true), "{way:?}: EC2 may hide its copy");
        assert_eq!((withdrawn(&world, &setup, 10 * 60), stands(&world)), (1, false), "{way:?}");
        // Where the Region cannot be read any more, as long as a copy may run.
        let (world, setup) = asked_for(way, false);
        world.unread.borrow_mut().insert(REGIONS[2].to_owned());
        assert_eq!((withdrawn(&world, &setup, 6 * DAY), stands(&world)), (0, true), "{way:?}");
        assert_eq!((withdrawn(&world, &setup, DAY), stands(&world)), (1, false), "{way:?}");
    }
}

#[test]
fn a_copy_in_a_region_that_is_no_target_is_waited_for_as_long_as_it_may_run() {
    for way in WAYS {
        let (world, setup) = asked_for(way, true);
        assert_eq!((withdrawn(&world, &setup, 6 * DAY), stands(&world)), (0, true), "{way:?}");
        assert_eq!((withdrawn(&world, &setup, DAY), stands(&world)), (1, false), "{way:?}");
        assert_eq!(world.copies.borrow().len(), 1);
        // One that is gone needs no waiting for.
        let (world, setup) = asked_for(way, true);
        world.copies.borrow_mut().clear();
        assert_eq!((withdrawn(&world, &setup, 60 * 60), stands(&world)), (1, false), "{way:?}");
    }
}

#[test]
fn what_was_asked_for_by_a_policy_that_is_gone_ends_too() {
    for way in WAYS {
        let (world, mut setup) = asked_for(way, true);
        world.sources.borrow_mut().remove(&crate::world::id(1));
        setup.policies[0].name = PolicyName::parse("renamed").unwrap();
        setup.policies[0].targets.extend(crate::world::policies("")[0].targets.last().cloned());
        let of_old = || {
            world
                .obligations
                .borrow()
                .values()
                .filter(|o| !o.has_ended() && o.generation == 0 && o.identity.policy.as_str() != "renamed")
                .count()
        };
        assert_eq!((withdrawn(&world, &setup, 6 * DAY), of_old()), (0, 1), "{way:?}");
        assert_eq!((withdrawn(&world, &setup, DAY), of_old()), (1, 0), "{way:?}");
    }
}

/// Owed again, because the key of its good copy was about to go, and no longer wanted.
fn back_and_unwanted() -> (Scripted, Setup) {
    let (world, mut setup) = world(Way::InOne);
    share(&world, 1, OWNER, 1, 1);
    world.events(&setup, [1]);
    world.obligations.borrow_mut().values_mut().for_each(|stands| stands.generation = 1);
    copied(&world, &setup, 1, Status::Verified);
    setup.policies[0].state = PolicyState::Disabled;
    (world, setup)
}

fn ends_told(said: &[Record]) -> usize {
    said.iter().filter(|record| matches!(record.reason.event(), Event::CopyWithdrawn | Event::CopyMissed)).count()
}

#[test]
fn what_has_a_good_copy_after_all_is_not_told_of_as_over_by_a_sweep() {
    for is_shared in [true, false] {
        let (world, mut setup) = back_and_unwanted();
        if !is_shared {
            setup.policies[0].state = PolicyState::Enabled;
            world.sources.borrow_mut().clear();
        }
        world.unread.borrow_mut().extend(REGIONS.map(str::to_owned));
        for _ in 0..3 {
            world.clock.set(world.clock.get() + 3600);
            assert_eq!((ends_told(&round(&world, &setup).0), owed(&world).len()), (0, REGIONS.len()), "{is_shared}");
        }
        world.unread.borrow_mut().clear();
        assert_eq!((ends_told(&round(&world, &setup).0), owed(&world).len()), (0, 0), "{is_shared}");
        // Where no copy comes into sight for as long as one may run, it ends.
        let (world, setup) = back_and_unwanted();
        world.unread.borrow_mut().extend(REGIONS.map(str::to_owned));
        world.clock.set(world.clock.get() + 7 * DAY);
        assert_eq!((ends_told(&round(&world, &setup).0), owed(&world).len()), (REGIONS.len(), 0));
    }
}

#[test]
fn what_has_a_good_copy_after_all_is_not_told_of_as_over_in_its_turn() {
    let (world, setup) = back_and_unwanted();
    world.said.take();
    world.serve(&setup);
    assert_eq!((ends_told(&world.said.take()), owed(&world).len()), (0, 0));
    // Without a copy it is.
    let (world, setup) = back_and_unwanted();
    world.copies.borrow_mut().clear();
    world.serve(&setup);
    assert_eq!((ends_told(&world.said.take()), owed(&world).len()), (REGIONS.len(), 0));
}
