//! What events named and EC2 does not show, or not as completed: how long it is followed, and what is told of its end.

use snapferry_core::facts::State;
use snapferry_core::ledger::Hint;
use snapferry_flow::{Setup, World as _};

use crate::world::{Call, OWNER, REGIONS, Scripted, id, setup};

const HOUR: i64 = 3600;

/// As an event made it so many hours ago, looked for an hour ago.
fn hinted(world: &Scripted, number: usize, hours: i64) {
    let ago = |hours| world.now() - jiff::SignedDuration::from_hours(hours);
    let (since, looked) = (ago(hours), ago(1));
    let event = format!("event-{number}");
    let hint = Hint { source: id(number), event, wanted: since, since, looked, revision: 0 };
    world.hints.borrow_mut().insert(id(number), hint);
}

fn share(world: &Scripted, number: usize, state: State) {
    world.share(number, OWNER);
    world.sources.borrow_mut().get_mut(&id(number)).unwrap().state = state;
}

fn copies(world: &Scripted) -> usize {
    world.count(|call| matches!(call, Call::Copy(_)))
}

/// What is told in so many hours of ticks.
fn told(world: &Scripted, setup: &Setup, hours: i64) -> Vec<&'static str> {
    let ticks = (0..hours * 4).map(|_| {
        world.clock.set(world.clock.get() + HOUR / 4 - 60);
        world.serve(setup);
        world.reasons()
    });
    ticks.collect::<Vec<_>>().concat()
}

#[test]
fn what_came_since_the_last_look_is_copied_however_old_its_hint() {
    for hours in [24, 47] {
        let (world, setup) = (Scripted::default(), setup());
        hinted(&world, 1, hours);
        world.share(1, OWNER);
        world.serve(&setup);
        assert_eq!((copies(&world), world.hints.borrow().len()), (REGIONS.len(), 0), "{hours}");
    }
}

#[test]
fn what_is_pending_for_days_is_told_as_that_once_a_day_and_copied_in_the_end() {
    let (world, setup) = (Scripted::default(), setup());
    share(&world, 1, State::Pending);
    world.events(&setup, [1]);
    assert_eq!(world.reasons(), ["not-completed"]);
    assert_eq!(told(&world, &setup, 70), ["not-completed"; 2]);
    share(&world, 1, State::Completed);
    world.clock.set(world.clock.get() + HOUR / 4);
    world.serve(&setup);
    assert_eq!((copies(&world), world.hints.borrow().len()), (REGIONS.len(), 0));
    // What goes before is told as that, and what EC2 gave up on is followed no further.
    for (gone, expected) in [(true, "not-visible"), (false, "not-completed")] {
        let world = Scripted::default();
        share(&world, 1, State::Pending);
        world.events(&setup, [1]);
        assert_eq!(told(&world, &setup, 30), ["not-completed"]);
        share(&world, 1, State::Error);
        if gone {
            world.sources.borrow_mut().clear();
        }
        assert_eq!(told(&world, &setup, 50), [expected]);
        assert!(world.hints.borrow().is_empty());
    }
}

#[test]
fn many_hints_are_written_side_by_side() {
    let (world, setup) = (Scripted::default(), setup());
    (0..60).for_each(|number| hinted(&world, number, if number < 30 { 24 } else { 49 }));
    world.serve(&setup);
    assert_eq!(world.most_hints_at_once(), 25);
    assert_eq!((world.reasons(), world.hints.borrow().len()), (vec!["not-visible"; 55], 5));
}

#[test]
fn a_hint_that_cannot_be_removed_is_told_once() {
    let (world, setup) = (Scripted::default(), setup());
    (0..20).for_each(|number| hinted(&world, number, if number < 10 { 24 } else { 49 }));
    world.is_unremovable.set(true);
    let mut told = Vec::new();
    for _ in 0..40 {
        world.serve(&setup);
        told.extend(world.reasons().into_iter().filter(|reason| *reason != "ledger-unread"));
    }
    assert_eq!(told, ["not-visible"; 20]);
    world.is_unremovable.set(false);
    world.clock.set(world.clock.get() + HOUR);
    world.serve(&setup);
    assert_eq!((world.reasons(), world.hints.borrow().len()), (vec![], 0));
}

#[test]
fn writes_that_hang_do_not_take_the_minute_of_a_tick() {
    let (world, setup) = (Scripted::default(), setup());
    // As if one waited for the other.
    world.hint_takes.set(4);
    (0..300).for_each(|number| hinted(&world, number, 49));
    world.serve(&setup);
    let took = |world: &Scripted| world.clock.get() - world.began();
    assert!(took(&world) < 300 && world.hints.borrow().len() > 200, "{} s", took(&world));
}
