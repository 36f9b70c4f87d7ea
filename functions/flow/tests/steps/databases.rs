//! Snapshots of databases: of each database one copy at a time in a Region, the oldest first.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use snapferry_core::copying::Tally;
use snapferry_core::facts::{Database, DescribedCopy, KeyFact, SourceKind, SourceSnapshot, State, Storage};
use snapferry_core::ids::{AccountId, KeyArn, Region, SnapshotId, VolumeId};
use snapferry_core::ledger::{self, End, Round, Shard};
use snapferry_core::policy::{Encryption, Policy, SourceType, of_kind};
use snapferry_core::tags::{ReadTags, Status};
use snapferry_flow::{Setup, World as _};

use crate::world::{Call, OWNER, REGIONS, Scripted, policies, setup};

fn id(number: usize) -> SnapshotId {
    SnapshotId::of_any_kind(&format!("db-{number:052x}")).unwrap()
}

/// A policy of databases into one Region.
fn databases() -> Setup {
    let mut policies = policies("");
    policies[0].source_types = [SourceType::DbSnapshot].into();
    policies[0].targets.truncate(1);
    let key = "arn:aws:kms:eu-central-1:333333333333:key/00000000-0000-0000-0000-000000000001";
    policies[0].targets[0].encryption = Encryption::Key(KeyArn::parse(key).unwrap());
    Setup { policies, ..setup() }
}

fn world(setup: &Setup) -> Scripted {
    let world = Scripted::default();
    if let Encryption::Key(key) = &setup.policies[0].targets[0].encryption {
        world.keys.borrow_mut().insert(key.clone(), KeyFact::Usable);
    }
    world
}

/// Shares a snapshot of the database of that letter, made so many hours ago; that of `?` RDS does not name.
fn share(world: &Scripted, number: usize, database: char, hours: i64) {
    let resource = if database == '?' { String::new() } else { format!("db-{database}") };
    let source = SourceSnapshot {
        kind: SourceKind::Instance(Box::new(Database {
            arn: format!("arn:aws:rds:us-east-1:{OWNER}:snapshot:night-{number}"),
            snapshot: format!("night-{number}"),
            database: "orders".to_owned(),
            engine: "postgres".to_owned(),
            option_group: None,
            has_tde: false,
        })),
        id: id(number),
        owner: AccountId::parse(OWNER).unwrap(),
        volume: VolumeId::of_database(&resource),
        size_gib: 20,
        state: State::Completed,
        start_time: world.now() - SignedDuration::from_hours(hours),
        encrypted: true,
        storage: Storage::Standard,
        description: "".into(),
    };
    world.sources.borrow_mut().insert(source.id.clone(), source);
}

/// What was asked for since this was last asked.
fn asked(world: &Scripted) -> Vec<SnapshotId> {
    let asked = world.asked.borrow();
    asked.iter().filter_map(|call| if let Call::Copy(id) = call { Some(id.clone()) } else { None }).collect()
}

/// RDS shows the copy of a source in that state, as the ledger names it.
fn show(world: &Scripted, number: usize, state: State, status: Status) {
    let source = world.sources.borrow()[&id(number)].clone();
    let named = world
        .obligations
        .borrow()
        .iter()
        .find(|(identity, _)| identity.source == source.id)
        .map(|(_, stands)| stands.copy().cloned());
    let id = named.flatten().unwrap_or_else(|| SnapshotId::of_any_kind(&format!("snapferry-{number:052x}")).unwrap());
    let tags = ReadTags {
        policy: Some(databases().policies[0].name.clone()),
        source_snapshot: Some(source.id.clone()),
        source_account: Some(source.owner.clone()),
        source_region: Region::parse("us-east-1").ok(),
        source_volume: Some(source.volume.clone()),
        source_start_time: Some(source.start_time),
        status: Some(status),
        copy: (status == Status::Verified).then(|| id.clone()),
        ..ReadTags::default()
    };
    let copy = DescribedCopy {
        owner: None,
        state,
        state_message: String::new(),
        encrypted: false,
        kms_key: None,
        size_gib: 20,
        start_time: world.now(),
        tags,
        lock: None,
        description: "".into(),
        database: None,
        id: id.clone(),
    };
    let mut copies = world.copies.borrow_mut();
    copies.retain(|(_, shown)| shown.id != id);
    copies.push((Region::parse(REGIONS[0]).unwrap(), copy));
}

#[test]
fn of_each_database_the_oldest_is_copied_first_and_the_next_once_it_is_done() {
    let setup = databases();
    let world = world(&setup);
    for (number, database, hours) in [(1, 'A', 1), (2, 'A', 3), (3, 'A', 2), (4, 'B', 5), (5, '?', 2), (6, '?', 1)] {
        share(&world, number, database, hours);
    }
    world.sweep(&setup);
    // Whose database nobody names waits for no other.
    let mut first = asked(&world);
    first.sort();
    assert_eq!(first, [2, 4, 5, 6].map(id));
    for copied in [2, 4, 5, 6] {
        show(&world, copied, State::Pending, Status::Copying);
    }
    world.serve(&setup);
    assert_eq!(asked(&world), []);
    assert!(world.reasons().contains(&"in-line"), "{:?}", world.reasons());
    show(&world, 2, State::Completed, Status::Copying);
    world.serve(&setup);
    assert_eq!(asked(&world), [id(3)]);
    show(&world, 3, State::Completed, Status::Verified);
    world.serve(&setup);
    assert_eq!(asked(&world), [id(1)]);
}

/// One that never ends is told as stalled, and the rest may be gone before somebody looks. RDS does not date each copy that it
/// makes, and then only the ledger says how old it is.
#[test]
fn a_copy_that_has_been_under_way_for_over_a_day_is_waited_for_no_longer() {
    let setup = databases();
    let world = world(&setup);
    share(&world, 1, 'A', 3);
    share(&world, 2, 'A', 2);
    world.sweep(&setup);
    assert_eq!(asked(&world), [id(1)]);
    show(&world, 1, State::Pending, Status::Copying);
    world.copies.borrow_mut().iter_mut().for_each(|(_, copy)| copy.start_time = Timestamp::UNIX_EPOCH);
    world.serve(&setup);
    assert_eq!(asked(&world), []);
    world.clock.set(world.clock.get() + 23 * 3600);
    world.serve(&setup);
    assert_eq!(asked(&world), []);
    world.clock.set(world.clock.get() + 3600);
    world.serve(&setup);
    assert_eq!(asked(&world), [id(2)]);
    // One that the ledger lost counts from when a sweep comes upon it.
    share(&world, 3, 'A', 1);
    show(&world, 2, State::Completed, Status::Verified);
    let forget = || world.obligations.borrow_mut().retain(|identity, _| identity.source != id(1));
    forget();
    world.sweep(&setup);
    assert_eq!(asked(&world), []);
    // None does where its source is shared no more, nor where what was owed is over.
    forget();
    world.sources.borrow_mut().remove(&id(1));
    world.serve(&setup);
    assert_eq!(asked(&world), [id(3)]);
    let now = world.now();
    for obligation in world.obligations.borrow_mut().values_mut().filter(|one| one.identity.source == id(3)) {
        obligation.state = ledger::State::Ended { at: now, why: End::Withdrawn, copy: None };
    }
    show(&world, 3, State::Pending, Status::Copying);
    world.copies.borrow_mut().iter_mut().for_each(|(_, copy)| copy.start_time = Timestamp::UNIX_EPOCH);
    world.sources.borrow_mut().remove(&id(3));
    share(&world, 4, 'A', 1);
    world.sweep(&setup);
    assert_eq!(asked(&world), [id(4)]);
}

/// What waits costs one look a tick for its database, not one for each of its snapshots.
#[test]
fn a_backlog_of_one_database_is_not_looked_at_one_by_one() {
    let setup = databases();
    let world = world(&setup);
    (0..200).for_each(|number| share(&world, number, 'A', 1 + i64::try_from(number).unwrap()));
    world.sweep(&setup);
    assert_eq!(asked(&world), [id(199)]);
    show(&world, 199, State::Pending, Status::Copying);
    world.serve(&setup);
    assert_eq!((asked(&world), world.count(|call| *call == Call::Ec2("copies of"))), (vec![], 1));
}

/// A copy under way whose source is not among those that are looked at, of another policy say, is waited for, too.
#[test]
fn a_copy_of_the_same_database_that_nobody_asked_for_here_is_waited_for() {
    let setup = databases();
    let world = world(&setup);
    share(&world, 1, 'A', 2);
    show(&world, 1, State::Pending, Status::Copying);
    world.sources.borrow_mut().clear();
    share(&world, 2, 'A', 1);
    world.sweep(&setup);
    assert_eq!(asked(&world), []);
}

/// An owner that a policy of several kinds names need not have each of them.
#[test]
fn an_owner_without_any_is_silent_only_where_the_policy_is_about_this_kind_alone() {
    let silent = |types: &[SourceType], now| {
        let mut setup = databases();
        setup.policies[0].source_types = types.iter().copied().collect();
        setup.policies = of_kind(&setup.policies, now);
        let world = world(&setup);
        world.sweep(&setup);
        let said = world.said.borrow();
        said.iter()
            .find_map(|record| record.sweep.as_ref())
            .map(|sweep| (sweep.owners, sweep.silent_owners.len()))
            .unwrap()
    };
    use SourceType::{DbClusterSnapshot, DbSnapshot, EbsSnapshot};
    assert_eq!(silent(&[DbSnapshot], DbSnapshot), (2, 2));
    assert_eq!(silent(&[DbSnapshot, DbClusterSnapshot], DbSnapshot), (2, 0));
    assert_eq!(silent(&[DbSnapshot], EbsSnapshot), (0, 0));
}

/// Neither kind's silence alone says anything, and what is not known is not told.
#[test]
fn an_owner_of_several_kinds_is_silent_where_none_of_them_was_ever_seen() {
    use SourceType::{DbClusterSnapshot, DbSnapshot, EbsSnapshot};
    let volumes = Scripted::default();
    volumes.share(1, OWNER);
    volumes.sweep(&crate::world::setup());
    let seen = volumes.round.take();
    volumes.sources.borrow_mut().clear();
    volumes.sweep(&crate::world::setup());
    volumes.sweep(&crate::world::setup());
    let none_seen = volumes.round.take();
    let (seen, none_seen) = (seen.unwrap(), none_seen.unwrap());
    let of = |volumes: Option<&Round>, clusters: Option<&Round>| {
        let rounds = [(EbsSnapshot, volumes), (DbClusterSnapshot, clusters)];
        rounds.into_iter().filter_map(|(kind, round)| Some((kind, round?.clone()))).collect()
    };
    let silent = |types: &[&[SourceType]], others: BTreeMap<SourceType, Round>, are_unread| {
        let mut setup = databases();
        let policy = setup.policies.remove(0);
        setup.policies = types
            .iter()
            .map(|types| Policy { source_types: types.iter().copied().collect(), ..policy.clone() })
            .collect();
        setup.policies = of_kind(&setup.policies, DbSnapshot);
        let world = world(&setup);
        *world.other_rounds.borrow_mut() = others;
        world.are_others_unread.set(are_unread);
        world.sweep(&setup);
        let said = world.said.borrow();
        let silent = said.iter().find_map(|record| record.sweep.as_ref()).unwrap().silent_owners.clone();
        (silent.iter().map(|owner| owner == OWNER).collect::<Vec<_>>(), world.reasons().contains(&"ledger-unread"))
    };
    let (none, both, other) = (vec![], vec![true, false], vec![false]);
    let all: &[&[SourceType]] = &[&[EbsSnapshot, DbSnapshot, DbClusterSnapshot]];
    // A policy of its own for databases, beside one for volumes.
    let apart: &[&[SourceType]] = &[&[EbsSnapshot], &[DbSnapshot, DbClusterSnapshot]];
    for (what, types, others, are_unread, expected) in [
        ("another function looks", all, of(None, None), false, (&none, false)),
        ("no round of one kind yet", all, of(Some(&none_seen), None), false, (&none, false)),
        ("one kind of one owner was seen", all, of(Some(&seen), Some(&none_seen)), false, (&other, false)),
        ("nothing was", all, of(Some(&none_seen), Some(&none_seen)), false, (&both, false)),
        ("not read", all, of(Some(&none_seen), Some(&none_seen)), true, (&none, true)),
        ("volumes stand for no databases", apart, of(Some(&seen), Some(&none_seen)), false, (&both, false)),
        ("clusters do", apart, of(Some(&none_seen), Some(&seen)), false, (&other, false)),
    ] {
        let (silent, unread) = silent(types, others, are_unread);
        assert_eq!((&silent, unread), expected, "{what}");
    }
}

/// A round under way has not seen everything yet.
#[test]
fn what_the_last_whole_round_saw_counts_while_the_next_is_under_way() {
    let world = Scripted::default();
    world.share(1, OWNER);
    world.sweep(&crate::world::setup());
    let (owner, other) = (AccountId::parse(OWNER).unwrap(), AccountId::parse("222222222222").unwrap());
    let first = world.round.borrow().clone().unwrap();
    assert_eq!(first.heard, None);
    let has_begun = |totals| Round { left: vec![Shard::all()], heard: None, totals, ..first.clone() };
    assert!(has_begun(Tally::default()).may_have_heard(&other), "nothing is known");
    world.sources.borrow_mut().clear();
    world.sweep(&crate::world::setup());
    let second = world.round.borrow().clone().unwrap();
    assert_eq!(second.heard, Some([owner.clone()].into()));
    let under_way = Round { left: vec![Shard::all()], ..second.clone() };
    assert_eq!([&owner, &other].map(|owner| under_way.may_have_heard(owner)), [true, false]);
    let so_far = Round { heard: Some(Default::default()), ..under_way };
    let so_far = Round {
        totals: Tally { owners: [(other.clone(), Some(world.now()))].into(), ..second.totals.clone() },
        ..so_far
    };
    assert_eq!([&owner, &other].map(|owner| so_far.may_have_heard(owner)), [false, true]);
    let unread = Round { totals: Tally { unread: [other.clone()].into(), ..Tally::default() }, ..second.clone() };
    assert_eq!([&owner, &other].map(|owner| unread.may_have_heard(owner)), [false, true]);
    assert!(Round { began: Timestamp::MAX, ..unread }.may_have_heard(&owner), "it could not be read back");
}
