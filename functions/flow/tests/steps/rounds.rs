//! Rounds: however one is read, in one, in shards or owner by owner, it comes to the same.

use std::collections::BTreeSet;

use jiff::Timestamp;
use snapferry_core::audit::{Event, Record};
use snapferry_core::ids::Region;
use snapferry_core::ledger::{End, Identity, Shard, State};
use snapferry_core::tags::Status;
use snapferry_flow::Setup;

use crate::ways::{OTHER, WAYS, Way, copied, everywhere, owed, round, share, world};
use crate::world::{Call, OWNER, REGIONS, Scripted, id, policies};

/// Volumes of two owners with five snapshots each, of which some are copied, some failed and some are under way.
fn many(world: &Scripted, setup: &Setup) {
    for number in 0..300 {
        share(world, number, if number % 3 == 0 { OTHER } else { OWNER }, number / 5, 5);
        match number % 4 {
            0 => copied(world, setup, number, Status::Verified),
            1 => copied(world, setup, number, Status::Copying),
            2 => copied(world, setup, number, Status::Failed),
            _ => {}
        }
    }
}

fn totals(said: &[Record]) -> String {
    let sweep = said.iter().find_map(|record| record.sweep.clone()).unwrap();
    let regions = said.iter().filter_map(|record| record.coverage.clone());
    let figures = (sweep.shared, sweep.matching, sweep.protected, sweep.in_flight, sweep.missing, sweep.unknown);
    format!("{figures:?} {:?} {:?} {:?}", sweep.deferred, sweep.refused, regions.collect::<Vec<_>>())
}

#[test]
fn however_a_round_is_read_it_comes_to_the_same() {
    let seen = WAYS.map(|way| {
        let (world, setup) = world(way);
        many(&world, &setup);
        // One that the ledger knows and nobody shares any more, and one that was over before its copies were deleted.
        share(&world, 1000, OWNER, 900, 5);
        share(&world, 1001, OWNER, 901, 5);
        round(&world, &setup);
        world.sources.borrow_mut().remove(&id(1000));
        for obligation in world.obligations.borrow_mut().values_mut().filter(|o| o.identity.source == id(1001)) {
            *obligation = obligation.ended(End::Protected, Timestamp::UNIX_EPOCH).unwrap();
        }
        let (said, _) = round(&world, &setup);
        assert_eq!(world.round.borrow().as_ref().unwrap().walk.is_some(), way == Way::ByWalk);
        assert_eq!(world.round.borrow().as_ref().unwrap().shards > 1, way != Way::InOne);
        let (third, _) = round(&world, &setup);
        let missed = |said: &[Record]| said.iter().filter(|record| record.reason.name() == "source-gone").count();
        assert_eq!((missed(&said), missed(&third)), (0, REGIONS.len()), "gone in two rounds");
        (owed(&world), totals(&said), totals(&third))
    });
    let expected = everywhere((0..300).filter(|number| number % 4 != 0).chain([1001]));
    assert_eq!(seen[0].0, expected);
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0], seen[2]);
}

#[test]
fn no_call_of_a_walk_is_for_a_shard_and_its_copies_are_looked_up() {
    let (world, setup) = world(Way::ByWalk);
    many(&world, &setup);
    world.sweep(&setup);
    let asked = world.asked.borrow();
    // What is read of shards shows that the pages are cut first; then come all pages of the owners, once.
    let shards = asked.iter().rposition(|call| *call == Call::Ec2("copies in")).unwrap();
    let count = |what| asked[shards..].iter().filter(|call| **call == Call::Ec2(what)).count();
    assert!((20..=32).contains(&count("shared")), "{}", count("shared"));
    // Two owners' snapshots come to 200 and less, whatever is on a page; then come those of what the ledger holds open.
    assert!(count("copies of") <= (2 + 20) * REGIONS.len(), "{}", count("copies of"));
}

#[test]
fn a_round_is_read_for_a_minute_at_a_time() {
    for way in [Way::InShards, Way::ByWalk] {
        let (world, setup) = world(way);
        many(&world, &setup);
        world.page_takes.set(7);
        let (_, slices) = round(&world, &setup);
        let took = world.clock.get() - world.began();
        assert!(took < 100, "{way:?}: the last took {took} s");
        assert!((3..20).contains(&slices), "{way:?}: {slices}");
        assert_eq!(owed(&world), everywhere((0..300).filter(|number| number % 4 != 0)), "{way:?}");
    }
}

#[test]
fn an_owner_that_cannot_be_read_spoils_no_other_and_is_named_once_an_invocation() {
    for way in WAYS {
        let (world, setup) = world(way);
        many(&world, &setup);
        round(&world, &setup);
        let before = owed(&world);
        share(&world, 400, OWNER, 400, 5);
        share(&world, 402, OTHER, 402, 5);
        world.unread.borrow_mut().insert(OTHER.to_owned());
        for _ in 0..3 {
            let (said, slices) = round(&world, &setup);
            let named = said.iter().filter(|record| record.reason.name() == "sources-unread");
            let named: Vec<_> = named.filter(|record| format!("{record:?}").contains(OTHER)).collect();
            assert!((1..=slices).contains(&named.len()), "{way:?}: {named:?}");
        }
        // What is owed to it stands: of an owner that could not be read nothing is gone.
        let expected: BTreeSet<_> = before.union(&everywhere([400])).cloned().collect();
        assert_eq!(owed(&world), expected, "{way:?}");
        let reads = world.asked.borrow().iter().filter(|call| **call == Call::Ec2("shared")).count();
        assert!(reads < 60, "{way:?}: {reads} reads in the last invocation");
    }
}

#[test]
fn a_home_that_cannot_be_read_ends_no_round_and_is_told() {
    for way in WAYS {
        let (world, setup) = world(way);
        many(&world, &setup);
        round(&world, &setup);
        let before = owed(&world);
        world.unread.borrow_mut().extend([OWNER.to_owned(), OTHER.to_owned()]);
        for _ in 0..5 {
            let handled = world.sweep(&setup);
            assert!(handled.home_unread.is_some(), "{way:?}");
            assert!(world.said.borrow().iter().all(|record| record.sweep.is_none()), "{way:?}");
        }
        assert_eq!(owed(&world), before, "{way:?}");
        world.unread.borrow_mut().clear();
        round(&world, &setup);
    }
}

#[test]
fn a_region_that_cannot_be_read_spoils_no_other_and_is_left_alone_after_a_while() {
    for way in WAYS {
        let (world, setup) = world(way);
        many(&world, &setup);
        world.unread.borrow_mut().insert(REGIONS[1].to_owned());
        let (said, _) = round(&world, &setup);
        let told = said.iter().filter(|record| record.reason.name() == "region-unread").count();
        assert_eq!(told, 1, "{way:?}: a line, however many parts there are");
        let there = Region::parse(REGIONS[1]).unwrap();
        let expected = everywhere((0..300).filter(|number| number % 4 != 0));
        let expected: BTreeSet<_> = expected.into_iter().filter(|(_, region)| *region != there).collect();
        assert_eq!(owed(&world), expected, "{way:?}");
        let unknown = said.iter().find_map(|record| record.sweep.as_ref().map(|sweep| sweep.unknown));
        assert_eq!(unknown, Some(300), "{way:?}");
    }
}

#[test]
fn another_process_goes_on_with_a_round() {
    for way in [Way::InShards, Way::ByWalk] {
        let (mut world, setup) = world(way);
        many(&world, &setup);
        world.page_takes.set(7);
        world.sweep(&setup);
        let mut said = world.said.take();
        for _ in 0..40 {
            world.dies();
            world.serve(&setup);
            said.extend(world.said.take());
        }
        assert_eq!(said.iter().filter(|record| record.sweep.is_some()).count(), 1, "{way:?}");
        assert_eq!(owed(&world), everywhere((0..300).filter(|number| number % 4 != 0)), "{way:?}");
    }
}

/// Seven snapshots of each of forty volumes are kept, one a day; their copies for three days.
fn seven_kept(world: &Scripted) {
    for volume in 0..40 {
        (0..7_usize).for_each(|day| {
            let age = 24 * i64::try_from(day).unwrap() + 1;
            share(world, volume * 7 + day, OWNER, volume, if volume < 20 { age } else { age + 24 * 30 });
        });
    }
}

#[test]
fn what_is_over_its_retention_is_owed_only_as_the_newest_of_a_lineage_of_which_nothing_is_kept() {
    let seen = WAYS.map(|way| {
        let (mut world, mut setup) = world(way);
        setup.policies = policies(r#","RetainRule":{"Interval":3,"IntervalUnit":"DAYS"}"#);
        seven_kept(&world);
        // Of the last ten volumes an older snapshot has a good copy; of one the newest was copied, and the copy is gone.
        (30..40).for_each(|volume| copied(&world, &setup, volume * 7 + 3, Status::Verified));
        // A process that comes late knows too little of the round to decide on them, and the next round does.
        world.page_takes.set(7);
        world.sweep(&setup);
        world.dies();
        while world.said.take().iter().all(|record| record.sweep.is_none()) {
            world.serve(&setup);
        }
        world.page_takes.set(0);
        round(&world, &setup);
        let first = owed(&world);
        round(&world, &setup);
        assert_eq!(owed(&world), first, "{way:?}: the next round adds none");
        first
    });
    let differ = |a: &BTreeSet<_>, b: &BTreeSet<_>| a.symmetric_difference(b).cloned().collect::<Vec<_>>();
    let young = (0..20).flat_map(|volume| (0..3).map(move |day| volume * 7 + day));
    let newest = (20..30).map(|volume| volume * 7);
    assert_eq!(differ(&seen[0], &everywhere(young.chain(newest))), []);
    assert_eq!(differ(&seen[0], &seen[1]), []);
    assert_eq!(differ(&seen[0], &seen[2]), []);
}

#[test]
fn the_newest_of_a_lineage_is_wanted_again_when_its_copy_is_gone() {
    for way in WAYS {
        let (world, mut setup) = world(way);
        setup.policies = policies(r#","RetainRule":{"Interval":3,"IntervalUnit":"DAYS"}"#);
        seven_kept(&world);
        round(&world, &setup);
        let identities: Vec<Identity> = world.obligations.borrow().keys().cloned().collect();
        for identity in identities {
            let mut obligations = world.obligations.borrow_mut();
            let stored = obligations.get_mut(&identity).unwrap();
            *stored = stored.ended(End::Protected, Timestamp::UNIX_EPOCH).unwrap();
        }
        round(&world, &setup);
        let obligations = world.obligations.borrow();
        let again = obligations.values().filter(|o| o.state == State::Owed && o.generation == 1).count();
        assert_eq!(again, (20 * 3 + 20) * REGIONS.len(), "{way:?}");
    }
}

#[test]
fn a_place_that_ec2_takes_no_more_begins_its_owner_anew() {
    let (world, setup) = world(Way::ByWalk);
    many(&world, &setup);
    world.page.set(5);
    world.page_takes.set(7);
    world.sweep(&setup);
    let place = || {
        let round = world.round.borrow();
        let walk = round.as_ref().unwrap().walk.iter().flatten();
        walk.filter_map(|rest| rest.next.as_ref()?.parse().ok()).max()
    };
    let place = (0..20).find_map(|_| {
        place().or_else(|| {
            world.serve(&setup);
            None
        })
    });
    world.stale_token.set(place);
    assert!(place.is_some(), "a walk takes several invocations");
    world.page_takes.set(0);
    // No other page begins there any more.
    world.page.set(7);
    for _ in 0..4 {
        world.serve(&setup);
    }
    assert_eq!(owed(&world), everywhere((0..300).filter(|number| number % 4 != 0)));
    assert!(world.round.borrow().as_ref().unwrap().is_read(), "within minutes");
}

#[test]
fn a_shard_that_grew_is_split() {
    let (world, setup) = world(Way::InShards);
    many(&world, &setup);
    round(&world, &setup);
    let shards = world.round.borrow().as_ref().unwrap().shards;
    // All of what comes ends in the same digit.
    (1..400).for_each(|number| share(&world, 0x1000 + number * 16, OWNER, number, 5));
    round(&world, &setup);
    let round = world.round.borrow();
    assert!(round.as_ref().unwrap().shards > shards);
    assert_eq!(owed(&world).len(), everywhere((0..300).filter(|number| number % 4 != 0)).len() + 399 * REGIONS.len());
    assert!(Shard("0".to_owned()).contains(&id(0x1010)));
}

#[test]
fn what_is_said_of_many_is_said_once() {
    for way in WAYS {
        let (world, setup) = world(way);
        many(&world, &setup);
        let (said, _) = round(&world, &setup);
        let told = said.iter().filter(|record| record.sweep.is_none());
        let told: Vec<&str> = told.map(|record| record.reason.name()).collect();
        assert!(told.len() < 40, "{way:?}: {told:?}");
    }
}

#[test]
fn what_waits_for_a_full_region_is_told_in_one_record_beside_what_was_tried() {
    let (world, setup) = world(Way::InOne);
    // More than a batch: what serving did not try of it and what it did not come to are told together.
    (0..40).for_each(|number| share(&world, number, OWNER, number, 5));
    let (said, _) = round(&world, &setup);
    let deferred = said.iter().filter(|record| record.reason.event() == Event::CopyDeferred);
    let told: Vec<_> = deferred.map(|record| (record.reason.name(), record.source.is_some(), record.count)).collect();
    let of_a_region = [("region-full", true, None), ("region-full", false, Some(39))];
    assert_eq!(BTreeSet::from_iter(&told), BTreeSet::from_iter(&of_a_region), "{told:?}");
    assert_eq!(told.len(), of_a_region.len() * REGIONS.len());
    let sweep = said.iter().find_map(|record| record.sweep.clone()).unwrap();
    assert_eq!((sweep.missing, sweep.deferred.values().sum::<u64>(), sweep.deferred.len()), (120, 120, 1));
}
