//! What a sweep's totals say of what the ledger holds: no obligation is owed in silence.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use snapferry_core::audit::{Record, Sweep};
use snapferry_core::policy::PolicyState;
use snapferry_core::tags::Status;
use snapferry_flow::{Setup, World as _};

use crate::ways::{OTHER, WAYS, Way, copied, owed, round, share, world};
use crate::world::{OWNER, REGIONS, Scripted, id, policies};

const HOUR: i64 = 3600;

fn swept(world: &Scripted, setup: &Setup) -> Sweep {
    totals(&round(world, setup).0)
}

/// Whether the last round was read in that way.
fn was_read(world: &Scripted, way: Way) -> bool {
    let round = world.round.borrow();
    round
        .as_ref()
        .is_some_and(|round| round.walk.is_some() == (way == Way::ByWalk) && (round.shards > 1) == (way != Way::InOne))
}

fn totals(said: &[Record]) -> Sweep {
    said.iter().find_map(|record| record.sweep.clone()).expect("the round is over")
}

fn in_hours(world: &Scripted, hours: i64) {
    world.clock.set(world.clock.get() + hours * HOUR);
}

fn is_oldest(sweep: &Sweep, hours: i64) -> bool {
    sweep.oldest_unprotected_seconds.is_some_and(|oldest| (oldest - hours * HOUR).abs() < HOUR)
}

#[test]
fn what_only_an_event_asked_for_counts_from_when_it_is_wanted() {
    for way in WAYS {
        let (world, mut setup) = world(way);
        setup.since = Some(world.now() - SignedDuration::from_hours(24));
        (0..240).for_each(|number| share(&world, number, OWNER, number, 48));
        world.events(&setup, 0..240);
        in_hours(&world, 5);
        let sweep = swept(&world, &setup);
        assert!(was_read(&world, way), "{way:?}");
        let open = u64::try_from(owed(&world).len()).unwrap();
        assert_eq!((sweep.shared, sweep.before_since, open), (0, 240, 240 * 3), "{way:?}");
        assert_eq!((sweep.missing, sweep.unprotected, sweep.unknown), (open, open, 0), "{way:?}");
        assert_eq!(sweep.deferred.values().sum::<u64>(), open, "{way:?}: {:?}", sweep.deferred);
        assert!(is_oldest(&sweep, 5), "{way:?}: {:?}", sweep.oldest_unprotected_seconds);
    }
}

#[test]
fn what_an_event_asked_for_of_what_is_over_its_retention_counts_once() {
    for way in WAYS {
        let (world, mut setup) = world(way);
        setup.policies = policies(r#","RetainRule":{"Interval":3,"IntervalUnit":"DAYS"}"#);
        // Of each volume three are over their retention, and the first has a good copy.
        for number in 0..240_usize {
            share(&world, number, OWNER, number / 3, 24 * 60 - i64::try_from(number).unwrap());
            if number % 3 == 0 {
                copied(&world, &setup, number, Status::Verified);
            }
        }
        world.events(&setup, (0..240).filter(|number| number % 3 != 0));
        in_hours(&world, 5);
        let sweep = swept(&world, &setup);
        assert!(was_read(&world, way), "{way:?}");
        let open = u64::try_from(owed(&world).len()).unwrap();
        assert_eq!((open, sweep.missing, sweep.protected), (160 * 3, 160 * 3, 80 * 3), "{way:?}");
        assert!(is_oldest(&sweep, 5), "{way:?}: {:?}", sweep.oldest_unprotected_seconds);
    }
}

#[test]
fn what_is_owed_to_an_owner_that_cannot_be_read_counts_as_unknown_and_keeps_its_age() {
    for way in WAYS {
        let (world, setup) = world(way);
        (0..240).filter(|number| number % 2 != 0).for_each(|number| share(&world, number, OTHER, number, 1));
        world.events(&setup, (0..240).filter(|number| number % 2 != 0));
        in_hours(&world, 30);
        (0..240).filter(|number| number % 2 == 0).for_each(|number| share(&world, number, OWNER, number, 1));
        world.unread.borrow_mut().insert(OTHER.to_owned());
        let sweep = swept(&world, &setup);
        assert!(was_read(&world, way), "{way:?}");
        assert_eq!((sweep.missing, sweep.unknown, sweep.unprotected), (120 * 3, 120 * 3, 240 * 3), "{way:?}");
        assert!(is_oldest(&sweep, 30), "{way:?}: {:?}", sweep.oldest_unprotected_seconds);
        world.unread.borrow_mut().clear();
        let sweep = swept(&world, &setup);
        assert_eq!((sweep.missing, sweep.unknown), (240 * 3, 0), "{way:?}");
    }
}

#[test]
fn what_is_gone_counts_until_it_is_told_as_missed() {
    for way in WAYS {
        let (world, setup) = world(way);
        share(&world, 1, OWNER, 1, 1);
        (2..240).for_each(|number| share(&world, number, OWNER, number, 1));
        round(&world, &setup);
        world.sources.borrow_mut().pop_first();
        let all = |sweep: Sweep| usize::try_from(sweep.missing).unwrap() / REGIONS.len();
        assert_eq!([(); 2].map(|()| all(swept(&world, &setup))), [239, 238], "{way:?}");
    }
}

#[test]
fn what_an_event_asked_for_comes_back_with_its_policy() {
    for way in WAYS {
        let (world, mut setup) = world(way);
        setup.since = Some(world.now() - SignedDuration::from_hours(24));
        (0..240).for_each(|number| share(&world, number, OWNER, number, 48));
        world.events(&setup, 0..240);
        let before = owed(&world);
        setup.policies[0].state = PolicyState::Disabled;
        let (said, _) = round(&world, &setup);
        assert_eq!((owed(&world).len(), totals(&said).unprotected), (0, 0), "{way:?}");
        // Of one there is a copy meanwhile; one is no longer shared.
        copied(&world, &setup, 7, Status::Copying);
        world.sources.borrow_mut().remove(&id(8));
        setup.policies[0].state = PolicyState::Enabled;
        round(&world, &setup);
        let back: BTreeSet<_> = before.iter().filter(|(source, _)| ![id(7), id(8)].contains(source)).cloned().collect();
        assert_eq!(owed(&world), back, "{way:?}");
        let sweep = swept(&world, &setup);
        assert_eq!(usize::try_from(sweep.missing), Ok(back.len()), "{way:?}");
    }
}
