//! What EC2 refuses holds up nothing that it would take: not other volumes of the account, nor other accounts.

use snapferry_core::ids::{AccountId, VolumeId};
use snapferry_flow::Setup;

use crate::world::{Call, OWNER, Scripted, id, policies, setup};

fn one_region() -> Setup {
    let mut policies = policies("");
    policies[0].targets.truncate(1);
    Setup { policies, ..setup() }
}

/// The IDs, by number, of those that are copied.
fn copied(world: &Scripted, numbers: impl Iterator<Item = usize>) -> usize {
    let all = world.obligations.borrow();
    let is_copied =
        |number: &usize| all.iter().any(|(identity, stands)| identity.source == id(*number) && stands.copy().is_some());
    numbers.filter(is_copied).count()
}

fn of_volume(world: &Scripted, number: usize, volume: usize) {
    let volume = VolumeId::parse(&format!("vol-{volume:08x}")).unwrap();
    world.sources.borrow_mut().get_mut(&id(number)).unwrap().volume = volume;
}

/// A hundred volumes whose copies EC2 refuses, and twenty others, with a snapshot of each every hour.
#[test]
fn volumes_whose_copies_are_refused_hold_up_no_other_volume_of_the_account() {
    let (world, setup) = (Scripted::default(), one_region());
    let (bad, all, hours) = (100, 120, 6);
    for hour in 0..hours {
        for volume in 0..all {
            let number = 1 + hour * 1000 + volume;
            world.share(number, OWNER);
            of_volume(&world, number, 0x100 + volume);
            if volume < bad {
                world.refused.borrow_mut().insert(id(number));
            }
        }
        world.sweep(&setup);
        (1..60).for_each(|_| _ = world.serve(&setup));
    }
    // In the first hour each bad volume is found to be one; then the good ones' turn comes first.
    for hour in 1..hours {
        assert_eq!(copied(&world, (bad..all).map(|volume| 1 + hour * 1000 + volume)), all - bad, "{hour}");
    }
    // Nobody is forgotten: once they are not refused, they are copied, too.
    world.refused.borrow_mut().clear();
    (0..180).for_each(|_| _ = world.serve(&setup));
    let numbers = (0..hours).flat_map(|hour| (0..all).map(move |volume| 1 + hour * 1000 + volume));
    assert_eq!(copied(&world, numbers), all * hours);
}

#[test]
fn accounts_whose_copies_are_refused_hold_up_no_other_account() {
    let (world, mut setup) = (Scripted::default(), one_region());
    let owners: Vec<String> = (0..5).map(|owner| format!("{:012}", 100_000_000_000_u64 + owner)).collect();
    setup.policies[0].owners = owners.iter().map(|owner| AccountId::parse(owner).unwrap()).collect();
    for number in 1..=400 {
        world.share(number, &owners[number % 4]);
        world.refused.borrow_mut().insert(id(number));
    }
    (401..=600).for_each(|number| world.share(number, &owners[4]));
    world.sweep(&setup);
    assert_eq!(copied(&world, 401..=600), 200);
    let tried = world.count(|call| matches!(call, Call::Copy(source) if world.refused.borrow().contains(source)));
    assert!(tried <= 4 * 3, "{tried}");
}
