//! A world whose rounds are read in one, in shards or owner by owner.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use snapferry_core::audit::Record;
use snapferry_core::copying::{CopyFailure, CopyRequest};
use snapferry_core::facts::{DescribedCopy, SourceSnapshot, State as Ec2State};
use snapferry_core::ids::{AccountId, Region, SnapshotId, VolumeId};
use snapferry_core::tags::{self, ReadTags, Status};
use snapferry_flow::{Setup, World as _};

use crate::world::{REGIONS, Scripted, error, id, setup};

pub(crate) const OTHER: &str = "222222222222";

/// How a round is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    InOne,
    InShards,
    ByWalk,
}

pub(crate) const WAYS: [Way; 3] = [Way::InOne, Way::InShards, Way::ByWalk];

/// A world in which a round is read that way, and in which no copy is started.
pub(crate) fn world(way: Way) -> (Scripted, Setup) {
    let (world, mut setup) = (Scripted::default(), setup());
    if way != Way::InOne {
        setup.records = 280;
    }
    if way == Way::ByWalk {
        world.page.set(10);
        world.cuts_first.set(true);
    }
    *world.answers.borrow_mut() = vec![error(CopyFailure::RegionFull); 1000];
    (world, setup)
}

/// Shares a snapshot of a volume, started so many hours ago.
pub(crate) fn share(world: &Scripted, number: usize, owner: &str, volume: usize, age: i64) {
    let source = SourceSnapshot {
        kind: snapferry_core::facts::SourceKind::Volume,
        id: id(number),
        owner: AccountId::parse(owner).unwrap(),
        volume: VolumeId::parse(&format!("vol-{volume:08x}")).unwrap(),
        size_gib: 8,
        state: Ec2State::Completed,
        start_time: world.now() - SignedDuration::from_hours(age),
        encrypted: true,
        storage: snapferry_core::facts::Storage::Standard,
        description: "".into(),
    };
    world.sources.borrow_mut().insert(source.id.clone(), source);
}

/// Has a copy of it in each Region.
pub(crate) fn copied(world: &Scripted, setup: &Setup, number: usize, status: Status) {
    let source = world.sources.borrow().get(&id(number)).cloned().unwrap();
    for (at, target) in setup.policies[0].targets.iter().enumerate() {
        let policy = &setup.policies[0];
        let request = CopyRequest {
            policy: &policy.name,
            filter: &policy.description,
            source: &source,
            home: &setup.home,
            target,
        };
        let copy = id(0xc_0000 + number * 4 + at);
        let pairs = request.tags(source.start_time);
        let pairs = pairs.iter().map(|(key, value)| match key.as_str() {
            tags::STATUS => (key.as_str(), status.as_str()),
            _ => (key.as_str(), value.as_str()),
        });
        let settled = (status != Status::Copying).then(|| (tags::SETTLED_AT, source.start_time.to_string()));
        let pairs: Vec<(&str, String)> = pairs.map(|(key, value)| (key, value.to_owned())).chain(settled).collect();
        let copy = DescribedCopy {
            owner: AccountId::parse("999999999999").ok(),
            state: if status == Status::Failed { Ec2State::Error } else { Ec2State::Completed },
            state_message: String::new(),
            encrypted: true,
            kms_key: None,
            size_gib: 8,
            start_time: source.start_time,
            tags: ReadTags::read(&copy, pairs.iter().map(|(key, value)| (*key, value.as_str()))),
            lock: None,
            description: request.description().into(),
            database: None,
            id: copy,
        };
        world.copies.borrow_mut().push((target.region.clone(), copy));
    }
}

/// Sweeps until the round is over; gives the records of the round and how many invocations it took.
pub(crate) fn round(world: &Scripted, setup: &Setup) -> (Vec<Record>, usize) {
    world.sweep(setup);
    let mut said = world.said.take();
    for slices in 1..100 {
        if said.iter().any(|record| record.sweep.is_some()) {
            return (said, slices);
        }
        world.serve(setup);
        said.extend(world.said.take());
    }
    panic!("the round does not end: {said:?}");
}

pub(crate) fn owed(world: &Scripted) -> BTreeSet<(SnapshotId, Region)> {
    let obligations = world.obligations.borrow();
    let open = obligations.values().filter(|obligation| !obligation.has_ended());
    open.map(|open| (open.identity.source.clone(), open.identity.region.clone())).collect()
}

pub(crate) fn everywhere(numbers: impl IntoIterator<Item = usize>) -> BTreeSet<(SnapshotId, Region)> {
    let regions = REGIONS.map(|region| Region::parse(region).unwrap());
    numbers.into_iter().flat_map(|number| regions.clone().map(|region| (id(number), region))).collect()
}
