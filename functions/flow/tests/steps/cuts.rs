//! A round is cut at its minute, whatever takes long: events behind it are served, and the next tick goes on.

use snapferry_core::policy::PolicyState;

use crate::ways::{OTHER, WAYS, Way, everywhere, owed, round, share, world};
use crate::world::{Call, OWNER, REGIONS, Scripted};

/// How long the last invocation took, in seconds.
fn took(world: &Scripted) -> i64 {
    world.clock.get() - world.began()
}

#[test]
fn a_region_full_of_foreign_snapshots_is_walked_past() {
    let (world, setup) = world(Way::ByWalk);
    world.page.set(1000);
    world.foreign.set(300_000);
    share(&world, 1, OWNER, 1, 1);
    world.sweep(&setup);
    assert!(world.count(|call| *call == Call::Ec2("copies in")) <= 5 * REGIONS.len());
    assert!(world.said.borrow().iter().any(|record| record.sweep.is_some()), "the round is over");
    assert_eq!(owed(&world), everywhere([1]));
}

#[test]
fn what_does_not_answer_holds_a_round_up_for_its_minute_only() {
    let (world, setup) = world(Way::InOne);
    (0..40).for_each(|number| share(&world, number, OWNER, number, 1));
    world.hangs.set(true);
    for _ in 0..4 {
        world.sweep(&setup);
        assert!(took(&world) <= 60, "{} s", took(&world));
        assert!(world.said.borrow().iter().all(|record| record.sweep.is_none()));
    }
    world.hangs.set(false);
    round(&world, &setup);
    assert_eq!(owed(&world), everywhere(0..40));
}

#[test]
fn a_home_that_lets_every_read_wait_is_told_and_splits_nothing() {
    for is_one in [false, true] {
        let (world, setup) = world(Way::InOne);
        (0..40).for_each(|number| share(&world, number, if number % 2 == 0 { OWNER } else { OTHER }, number, 1));
        world.unread.borrow_mut().insert(OTHER.to_owned());
        world.page_takes.set(16);
        if !is_one {
            world.unread.borrow_mut().insert(OWNER.to_owned());
            world.page_takes.set(40);
        }
        let handled = world.sweep(&setup);
        assert!(took(&world) < 100, "{} s", took(&world));
        assert_eq!(handled.home_unread.is_some(), !is_one);
        assert_eq!(world.round.borrow().as_ref().unwrap().shards, 1);
        // One owner's reads spoil no other's.
        assert_eq!(owed(&world), everywhere((0..40).filter(|number| is_one && number % 2 == 0)));
        assert!(world.reasons().contains(&"sources-unread"));
    }
}

#[test]
fn writes_that_take_long_are_gone_on_with_by_the_next_tick() {
    for way in WAYS {
        let (world, setup) = world(way);
        (0..200).for_each(|number| share(&world, number, OWNER, number, 1));
        world.write_takes.set(1);
        world.sweep(&setup);
        let mut said = world.said.take();
        for slices in 1.. {
            // Each of four parts writes some in any case, and here one write waits for the other.
            assert!(took(&world) < 180, "{way:?}: {} s", took(&world));
            if said.iter().any(|record| record.sweep.is_some()) {
                break;
            }
            assert!(slices < 60, "{way:?}: the round does not end");
            world.serve(&setup);
            said.extend(world.said.take());
        }
        assert_eq!(owed(&world), everywhere(0..200), "{way:?}");
        let missing = said.iter().find_map(|record| record.sweep.as_ref().map(|sweep| sweep.missing));
        assert_eq!(missing, Some(600), "{way:?}");
    }
}

#[test]
fn a_batch_whose_writes_hang_is_cut_at_the_minute() {
    let (world, setup) = world(Way::InOne);
    (0..60).for_each(|number| share(&world, number, OWNER, number, 1));
    round(&world, &setup);
    // Each is put off, which is a write.
    world.sources.borrow_mut().clear();
    world.is_unwritable.set(true);
    world.write_takes.set(5);
    world.serve(&setup);
    // One of each Region is tried in any case.
    assert!((60..=75).contains(&took(&world)), "{} s", took(&world));
    world.is_unwritable.set(false);
    world.write_takes.set(0);
    world.serve(&setup);
    assert!(world.obligations.borrow().values().filter(|stands| stands.put_off > 0).count() >= 25 * REGIONS.len());
}

#[test]
fn what_nobody_wants_any_more_costs_no_look_beyond_what_an_invocation_tells_and_counts_as_nothing() {
    for is_disabled in [true, false] {
        let (world, mut setup) = world(Way::InOne);
        setup.policies[0].targets.truncate(1);
        (0..2500).for_each(|number| share(&world, number, OTHER, number, 1));
        round(&world, &setup);
        assert_eq!(owed(&world).len(), 2500);
        if is_disabled {
            setup.policies[0].state = PolicyState::Disabled;
        } else {
            setup.policies[0].owners.retain(|owner| owner.as_str() != OTHER);
        }
        let mut left = Vec::new();
        while left.last() != Some(&0) {
            world.sweep(&setup);
            let looks = world.count(|call| *call == Call::Read("obligation"));
            assert!(looks <= 1000, "{looks}");
            let sweep = world.said.borrow().iter().find_map(|record| record.sweep.clone()).expect("a round in one");
            assert_eq!((sweep.unprotected, sweep.deferred.len()), (0, 0));
            left.push(owed(&world).len());
        }
        assert_eq!(left, [1500, 500, 0]);
    }
}

#[test]
fn what_is_served_of_a_part_that_is_not_read_yet_is_counted_when_it_is() {
    for way in WAYS {
        let (world, setup) = world(way);
        (0..300).for_each(|number| share(&world, number, OWNER, number, 1));
        round(&world, &setup);
        // Slots come free between the slices, and what the last round put in line takes them.
        world.answers.borrow_mut().clear();
        world.copy_takes.set(1);
        world.page_takes.set(4);
        let (said, slices) = round(&world, &setup);
        let sweep = said.iter().find_map(|record| record.sweep.clone()).unwrap();
        assert_eq!(slices > 1, way != Way::InOne, "{way:?}");
        assert_eq!(sweep.missing + sweep.in_flight, 900, "{way:?}: {sweep:?}");
    }
}
