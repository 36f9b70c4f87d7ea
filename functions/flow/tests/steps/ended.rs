//! What a copy that ended makes the copier do: serve its Region, and nothing else.

use snapferry_core::copying::CopyFailure;
use snapferry_flow::Work;

use crate::is_copy;
use crate::world::{Call, OWNER, REGIONS, Scripted, error, event, id, setup};

/// A world in which one waits in each Region, because all were full.
fn waiting() -> Scripted {
    let world = Scripted::default();
    world.share(1, OWNER);
    *world.answers.borrow_mut() = vec![error(CopyFailure::RegionFull); REGIONS.len()];
    world.events(&setup(), [1]);
    world
}

#[test]
fn the_place_that_a_copy_left_goes_to_the_next_of_its_region_at_once() {
    let (world, setup) = (waiting(), setup());
    for (ended, region) in REGIONS.iter().enumerate() {
        world.ended(&setup, region);
        assert_eq!(world.count(is_copy), 1, "{region}");
        let served =
            |identity: &&snapferry_core::ledger::Identity| REGIONS[..=ended].contains(&identity.region.as_str());
        let obligations = world.obligations.borrow();
        let is_asked = |identity| obligations.get(identity).is_some_and(|stands| stands.copy().is_some());
        assert!(obligations.keys().all(|identity| is_asked(identity) == served(&identity)), "{region}");
        assert!(world.said.borrow().iter().all(|record| record.trigger_id.as_deref() == Some("ended")));
    }
}

#[test]
fn where_nobody_waits_or_nothing_is_copied_to_ec2_is_asked_nothing() {
    let (world, setup) = (waiting(), setup());
    world.serve(&setup);
    for region in [REGIONS[0], "sa-east-1"] {
        world.ended(&setup, region);
        assert_eq!((world.ec2(), world.said.borrow().len()), (0, 0), "{region}");
    }
    assert_eq!(world.asked.borrow().as_slice(), [], "of what is no target Region not even the ledger");
}

#[test]
fn a_crowd_of_ends_is_one_look_and_never_goes_on_with_a_sweep() {
    let (world, setup) = (waiting(), setup());
    let of = |number| snapferry_core::event::CopyEvent {
        id: "ended".to_owned(),
        copy: id(number),
        region: setup.policies[0].targets[0].region.clone(),
    };
    world.handle(&setup, &Work { ended: (0..10).map(of).collect(), ..Work::default() });
    assert_eq!(world.count(|call| *call == Call::Read("round")), 0);
    assert_eq!(world.count(is_copy), 1);
    // Events beside it are served as ever.
    world.share(2, OWNER);
    world.handle(&setup, &Work { events: vec![event(2)], ended: vec![of(0)], ..Work::default() });
    assert_eq!(world.count(|call| *call == Call::Copy(id(2))), REGIONS.len());
}
