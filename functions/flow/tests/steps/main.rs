//! What the copier's steps ask of the world, and in which order: figures that nobody may spoil unseen.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic is how a test fails, in its world too"
)]

mod counts;
mod cuts;
mod databases;
mod edits;
mod ended;
mod hints;
mod policies;
mod refused;
mod rounds;
mod strays;
mod told;
mod ways;
mod world;

use snapferry_core::audit::CopyFailed;
use snapferry_core::copying::CopyFailure;
use snapferry_core::ids::AccountId;
use snapferry_core::ledger::State;
use snapferry_flow::World as _;
use world::{Call, OWNER, REGIONS, Scripted, error, event, id, setup};

const OTHER: &str = "222222222222";

fn is_write(call: &Call) -> bool {
    matches!(call, Call::Write(_))
}

fn is_copy(call: &Call) -> bool {
    matches!(call, Call::Copy(_))
}

/// How many writes of obligations lie before the first request for a copy of this snapshot.
fn writes_before_copy(world: &Scripted, number: usize) -> usize {
    let asked = world.asked.borrow();
    let copy = asked.iter().position(|call| *call == Call::Copy(id(number))).expect("it is asked for");
    asked[..copy].iter().filter(|call| **call == Call::Write("obligation")).count()
}

#[test]
fn an_event_that_nobody_waits_before_costs_two_round_trips_and_two_writes_a_region() {
    let (world, setup) = (Scripted::default(), setup());
    world.share(1, OWNER);
    let handled = world.events(&setup, [1]);
    assert_eq!(handled, snapferry_flow::Handled::default());
    // One trip: the source, and its copies in each Region. The other: a copy in each Region.
    assert_eq!(world.count(|call| matches!(call, Call::Ec2(_))), 1 + REGIONS.len());
    assert_eq!(world.count(is_copy), REGIONS.len());
    let asked = world.asked.borrow();
    let last_read = asked.iter().rposition(|call| matches!(call, Call::Ec2(_) | Call::Read(_))).unwrap();
    let first_write = asked.iter().position(is_write).unwrap();
    assert!(last_read < first_write, "all is read before anything is written: {asked:?}");
    drop(asked);
    assert_eq!(world.count(is_write), 2 * REGIONS.len());
    assert_eq!(world.reasons(), ["matched"; 3]);
    assert!(world.obligations.borrow().values().all(|stands| stands.copy().is_some() && stands.revision == 1));
}

#[test]
fn ten_events_and_three_regions_are_thirty_four_calls() {
    let (world, setup) = (Scripted::default(), setup());
    (0..10).for_each(|number| world.share(number, OWNER));
    world.events(&setup, 0..10);
    assert_eq!((world.ec2(), world.count(is_copy)), (34, 30));
}

#[test]
fn an_event_named_twice_is_asked_for_once() {
    let (world, setup) = (Scripted::default(), setup());
    world.share(1, OWNER);
    world.events(&setup, [1, 1]);
    assert_eq!(world.count(is_copy), REGIONS.len());
}

#[test]
fn a_tick_with_nothing_owed_asks_ec2_nothing() {
    let (world, setup) = (Scripted::default(), setup());
    world.serve(&setup);
    assert_eq!((world.ec2(), world.count(is_write)), (0, 0));
    // Nor when all is under way.
    world.share(1, OWNER);
    world.events(&setup, [1]);
    world.serve(&setup);
    assert_eq!((world.ec2(), world.count(is_write)), (0, 0));
}

#[test]
fn what_a_claim_excludes_costs_no_call() {
    let (world, setup) = (Scripted::default(), setup());
    world.share(1, OWNER);
    let claimed_owner = AccountId::parse("333333333333").ok();
    let stranger = snapferry_core::event::ShareEvent { claimed_owner, ..event(1) };
    let elsewhere = snapferry_core::event::ShareEvent {
        region: setup.policies[0].targets.first().map(|t| t.region.clone()),
        ..event(2)
    };
    world.handle(&setup, &snapferry_flow::Work { events: vec![stranger, elsewhere], ..Default::default() });
    assert_eq!(*world.asked.borrow(), []);
    assert_eq!(world.reasons(), ["owner-not-listed", "other-region"]);
}

#[test]
fn the_records_of_an_event_say_how_it_had_to_be_read() {
    use snapferry_core::event::{Oddity, ShareEvent};
    let (world, setup) = (Scripted::default(), setup());
    world.share(1, OWNER);
    world.share(2, OWNER);
    let bare = ShareEvent { oddities: vec![Oddity::BareAccount, Oddity::Notification], ..event(1) };
    world.handle(&setup, &snapferry_flow::Work { events: vec![bare, event(2)], ..Default::default() });
    let said = world.said.borrow();
    assert_eq!(said.len(), 2 * REGIONS.len());
    for record in &*said {
        let is_odd = record.source.as_ref().is_some_and(|source| source.snapshot == id(1).as_str());
        assert_eq!(record.warnings.len(), if is_odd { 2 } else { 0 }, "{record:?}");
        assert!(!is_odd || record.warnings[0].contains("has no quotes"), "{record:?}");
    }
}

#[test]
fn no_request_leaves_without_its_intent() {
    let (world, setup) = (Scripted::default(), setup());
    world.share(1, OWNER);
    world.is_unwritable.set(true);
    let handled = world.events(&setup, [1]);
    assert!(handled.ledger_unread.is_some() && handled.gives_back, "share messages go back to the queue");
    assert_eq!(world.count(is_copy), 0);
    assert_eq!(world.reasons(), ["ledger-unread"]);
    assert_eq!(world.said.borrow()[0].count, Some(3));
}

#[test]
fn an_event_of_which_all_stands_is_not_given_back_for_a_line_that_cannot_be_read() {
    let (world, setup) = (Scripted::default(), setup());
    (1..=2).for_each(|number| world.share(number, OWNER));
    *world.answers.borrow_mut() = vec![error(CopyFailure::RegionFull); REGIONS.len()];
    world.events(&setup, [1]);
    world.unread_lines.borrow_mut().insert(REGIONS[0].to_owned());
    let handled = world.events(&setup, [2]);
    assert_eq!(world.obligations.borrow().len(), 2 * REGIONS.len());
    assert!(handled.ledger_unread.is_some() && !handled.gives_back);
    let said = world.said.borrow();
    let counts: Vec<_> = said.iter().filter(|r| r.reason.name() == "ledger-unread").map(|r| r.count).collect();
    assert_eq!(counts, [None], "once, and nobody knows how many wait there");
}

#[test]
fn an_event_of_which_nothing_stands_is_given_back() {
    let (world, setup) = (Scripted::default(), setup());
    world.is_hintless.set(true);
    assert!(world.events(&setup, [1]).gives_back, "no hint of it");
    world.share(2, OWNER);
    world.unwritable.borrow_mut().insert(id(2));
    *world.answers.borrow_mut() = vec![error(CopyFailure::RegionFull); REGIONS.len()];
    assert!(world.events(&setup, [2]).gives_back, "neither an intent nor a place in line");
    world.unwritable.borrow_mut().clear();
    assert!(!world.events(&setup, [2]).gives_back);
    // What stands in line for an event already needs no message.
    world.unwritable.borrow_mut().insert(id(2));
    assert!(!world.events(&setup, [2]).gives_back);
}

#[test]
fn a_throttled_request_is_asked_again_under_a_fresh_intent() {
    let (world, setup) = (Scripted::default(), setup());
    world.share(1, OWNER);
    world.copy_takes.set(7);
    *world.answers.borrow_mut() = vec![error(CopyFailure::Throttled); 5];
    world.events(&setup, [1]);
    assert_eq!(world.count(is_copy), 5 + REGIONS.len());
    // Six requests to the first Region take more than half a minute: its intent was written twice, then the outcome.
    assert_eq!(writes_before_copy(&world, 1), 1);
    assert_eq!(world.count(|call| *call == Call::Write("obligation")), 2 * REGIONS.len() + 1);
}

#[test]
fn a_full_region_is_left_alone_and_its_line_goes_on_with_the_next_tick() {
    let (world, setup) = (Scripted::default(), setup());
    (1..=5).for_each(|number| world.share(number, OWNER));
    *world.answers.borrow_mut() = vec![error(CopyFailure::RegionFull); REGIONS.len()];
    world.events(&setup, 1..=5);
    assert_eq!(world.count(is_copy), REGIONS.len(), "one request each");
    assert!(world.reasons().iter().all(|reason| *reason == "region-full"), "{:?}", world.reasons());
    world.serve(&setup);
    assert_eq!(world.count(is_copy), 5 * REGIONS.len());
    assert_eq!(world.count(|call| matches!(call, Call::Ec2(_))), 2 * REGIONS.len(), "one look a Region");
    let turn = |call: &Call| *call == Call::Write("turn");
    assert_eq!(world.count(turn), 5 * REGIONS.len());
    // A minute later nobody waits: the turns go, and a tick asks EC2 nothing.
    world.serve(&setup);
    world.serve(&setup);
    assert!(world.turns.borrow().is_empty());
    world.serve(&setup);
    assert_eq!((world.ec2(), world.count(is_write)), (0, 0));
}

#[test]
fn accounts_take_turns_also_from_one_tick_to_the_next() {
    let (world, setup) = (Scripted::default(), setup());
    (1..=30).for_each(|number| world.share(number, OWNER));
    (31..=33).for_each(|number| world.share(number, OTHER));
    *world.answers.borrow_mut() = vec![error(CopyFailure::RegionFull); REGIONS.len()];
    world.events(&setup, 1..=33);
    // One slot comes free for each tick.
    let mut served = Vec::new();
    for _ in 0..6 {
        world.asked.borrow_mut().clear();
        let full = error(CopyFailure::RegionFull);
        *world.answers.borrow_mut() = vec![full; REGIONS.len()];
        world.serve(&setup);
        let asked = world.asked.borrow();
        served.extend(asked.iter().find_map(|call| match call {
            Call::Copy(source) => Some(world.sources.borrow()[source].owner.to_string()),
            _ => None,
        }));
    }
    assert!(served.windows(2).all(|two| two[0] != two[1]), "{served:?}");
}

#[test]
fn three_equal_refusals_pass_an_account_over_and_are_paused() {
    let (world, setup) = (Scripted::default(), setup());
    (1..=30).for_each(|number| world.share(number, OWNER));
    *world.answers.borrow_mut() = vec![error(CopyFailure::RegionFull); REGIONS.len()];
    world.events(&setup, 1..=30);
    let refused = CopyFailure::Refused { reason: CopyFailed::KeyRefused, remedy: "" };
    *world.answers.borrow_mut() = vec![error(refused); 99];
    world.serve(&setup);
    assert_eq!(world.count(is_copy), 3 * REGIONS.len());
    let delayed = world.obligations.borrow().values().filter(|o| matches!(o.state, State::Delayed { .. })).count();
    assert_eq!(delayed, 3 * REGIONS.len());
    let counted: Vec<_> = world.said.borrow().iter().filter_map(|record| record.count).collect();
    assert_eq!(counted, [22; 3], "the rest of a batch, a line for each Region: {:?}", world.reasons());
}

#[test]
fn hundreds_that_are_refused_for_ever_do_not_hold_up_a_good_one() {
    let (world, setup) = (Scripted::default(), setup());
    (1..=400).for_each(|number| world.share(number, OWNER));
    *world.refused.borrow_mut() = (1..=400).map(id).collect();
    *world.answers.borrow_mut() = vec![error(CopyFailure::RegionFull); REGIONS.len()];
    world.events(&setup, 1..=400);
    // All have been refused, and their pauses are over for long.
    for obligation in world.obligations.borrow_mut().values_mut() {
        let since = world.now() - jiff::SignedDuration::from_hours(5);
        (obligation.state, obligation.refused) = (State::Delayed { since }, 8);
    }
    world.share(401, OWNER);
    world.events(&setup, [401]);
    for _ in 0..3 {
        world.serve(&setup);
    }
    let obligations = world.obligations.borrow();
    let good: Vec<_> = obligations.values().filter(|stands| stands.identity.source == id(401)).collect();
    assert_eq!(good.len(), REGIONS.len());
    assert!(good.iter().all(|stands| stands.copy().is_some()), "{good:?}");
}

#[test]
fn what_ec2_does_not_show_is_looked_for_at_each_tick_and_forgotten_after_a_day() {
    let (world, setup) = (Scripted::default(), setup());
    world.events(&setup, [1]);
    assert_eq!((world.reasons(), world.count(is_copy)), (vec!["not-visible-yet"], 0));
    world.serve(&setup);
    assert_eq!(world.reasons(), [""; 0], "it is told once");
    world.share(1, OWNER);
    world.serve(&setup);
    assert_eq!(world.count(is_copy), REGIONS.len());
    assert!(world.said.borrow().iter().all(|record| record.trigger_id.as_deref() == Some("event-1")));
    assert!(world.hints.borrow().is_empty());
    world.events(&setup, [2]);
    world.clock.set(world.clock.get() + 24 * 3600);
    world.serve(&setup);
    assert_eq!((world.reasons(), world.hints.borrow().len()), (vec!["not-visible"], 0));
}

#[test]
fn an_answer_that_was_lost_is_asked_for_again_after_its_hold() {
    let (world, setup) = (Scripted::default(), setup());
    world.share(1, OWNER);
    *world.answers.borrow_mut() = vec![error(CopyFailure::Ambiguous); REGIONS.len()];
    world.events(&setup, [1]);
    let begin = world.now();
    let mut asked = 0;
    while asked == 0 {
        world.serve(&setup);
        asked = world.count(is_copy);
    }
    let waited = world.now().duration_since(begin).as_mins();
    assert_eq!((asked, waited), (REGIONS.len(), 10));
}
