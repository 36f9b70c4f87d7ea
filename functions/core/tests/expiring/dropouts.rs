//! Which volumes are told as dropped out, over vaults as EC2 shows them, and how often they are named.

use jiff::SignedDuration;
use snapferry_core::expiring::{dropped, name};
use snapferry_core::facts::{CallError, KeyLife, State};
use snapferry_core::ids::AccountId;
use snapferry_core::notices::Notices;
use snapferry_core::policy::{Policy, PolicyState};

use crate::world::*;

/// Daily copies of volume 1, the newest of five days ago.
fn stopped() -> Vec<Shown> {
    (5..10).map(|age| copy(u32::try_from(age).unwrap(), -age, 30)).collect()
}

/// `account volume days usual hours` of what is told.
fn told(policies: &[Policy], shown: &[Shown]) -> Vec<String> {
    let facts = facts(shown);
    let found = dropped(policies, &facts, now()).unwrap();
    let words = found.iter().map(|found| {
        let age = now().duration_since(found.newest).as_hours() / 24;
        format!("{} {} {age} {}", found.account, found.volume, found.usual.as_hours())
    });
    words.collect()
}

const DROPPED: &str = "111111111111 vol-00000001 5 24";

#[test]
fn a_volume_whose_daily_copies_stopped_is_told() {
    assert_eq!(told(&policies(""), &stopped()), [DROPPED]);
}

#[test]
fn only_good_copies_of_what_an_enabled_policy_wants_make_a_rhythm() {
    let change = |change: &dyn Fn(Shown) -> Shown| stopped().into_iter().map(change).collect::<Vec<Shown>>();
    let newer = |change: &dyn Fn(Shown) -> Shown| [stopped(), vec![change(copy(1, -1, 30))]].concat();
    let policy = &policies("")[0];
    let with = |change: &dyn Fn(&mut Policy)| {
        let mut policy = policy.clone();
        change(&mut policy);
        vec![policy]
    };
    for (what, policies, shown, is_told) in [
        ("a newer copy", policies(""), newer(&|copy| copy), false),
        ("a newer one under way", policies(""), newer(&|copy| copy.tag("snapferry:status", "copying")), true),
        ("a newer one in error", policies(""), newer(&|copy| copy.state(State::Error)), true),
        ("a newer one that was rejected", policies(""), newer(&|copy| copy.judged("rejected", -1)), true),
        (
            "a newer one with edited tags",
            policies(""),
            newer(&|copy| copy.tag("snapferry:expire-after", "never")),
            true,
        ),
        (
            "a newer one of another home",
            policies(""),
            newer(&|copy| copy.tag("snapferry:source-region", "eu-central-1")),
            true,
        ),
        (
            "a newer one of a retired home",
            policies(""),
            newer(&|copy| copy.tag("snapferry:source-region", "us-east-2")),
            false,
        ),
        (
            "a newer one that waits for its lock",
            policies(""),
            newer(&|copy| copy.tag("snapferry:lock", "pending")),
            false,
        ),
        ("a newer one of another volume", policies(""), newer(&|copy| copy.volume(2)), true),
        ("all under a key that is gone", policies(""), change(&|copy| copy.under(KeyLife::Doomed)), true),
        (
            "of a volume that nobody named",
            policies(""),
            change(&|copy| copy.tag("snapferry:source-volume", "vol-ffffffff")),
            false,
        ),
        (
            "of another filler",
            policies(""),
            change(&|copy| copy.tag("snapferry:source-volume", "vol-fffffffffffffffff")),
            false,
        ),
        ("of a retired policy", policies(""), change(&|copy| copy.of_policy("retired")), false),
        ("of a policy that nobody names", policies(""), change(&|copy| copy.of_policy("unnamed")), false),
        ("of an owner that is listed no more", with(&|policy| policy.owners.clear()), stopped(), false),
        ("of a disabled policy", with(&|policy| policy.state = PolicyState::Disabled), stopped(), false),
        ("of a policy without targets", with(&|policy| policy.targets.clear()), stopped(), false),
        (
            "of a source in the future, as its tag says",
            policies(""),
            newer(&|copy| copy.tag("snapferry:source-start-time", day(9).to_string())),
            false,
        ),
        ("five copies of one source", policies(""), change(&|copy| copy.of_source(1)), false),
    ] {
        let expected: &[&str] = if is_told { &[DROPPED] } else { &[] };
        assert_eq!(told(&policies, &shown), expected, "{what}");
    }
}

#[test]
fn what_dropped_out_last_stands_first_and_an_account_that_is_silent_is_told_volume_by_volume() {
    let other = (20..25).map(|age| copy(100 + u32::try_from(age).unwrap(), -age, 30).volume(2));
    let shown: Vec<Shown> = other.chain(stopped()).collect();
    assert_eq!(told(&policies(""), &shown), [DROPPED, "111111111111 vol-00000002 20 24"]);
}

#[test]
fn where_a_region_is_unread_nothing_is_told_and_copies_in_two_are_one() {
    let vaults = || (vault(&stopped()), vault(&[copy(1, -1, 30)]));
    let (old, newer) = vaults();
    let both = regions([(REGION, Ok(old)), ("sa-east-1", Ok(newer))]);
    assert_eq!(dropped(&policies(""), &both, now()), Some(Vec::new()));
    let unread = regions([(REGION, Ok(vaults().0)), ("sa-east-1", Err(CallError::not_read()))]);
    assert_eq!(dropped(&policies(""), &unread, now()), None);
    let unknown = snapferry_core::expiring::Facts { account: None, ..facts(&stopped()) };
    assert_eq!(dropped(&policies(""), &unknown, now()).unwrap().len(), 1);
    let foreign = snapferry_core::expiring::Facts { account: AccountId::parse("999999999999").ok(), ..unknown };
    assert_eq!(dropped(&policies(""), &foreign, now()), Some(Vec::new()));
}

#[test]
fn each_is_named_once_a_day_and_a_hundred_in_a_run() {
    let volumes = (0..150).flat_map(|volume| {
        (5..8).map(move |age| copy(volume * 10 + u32::try_from(age).unwrap(), -age, 30).volume(volume))
    });
    let shown: Vec<Shown> = volumes.collect();
    let facts = facts(&shown);
    let (mut notices, mut named) = (Notices::default(), Vec::new());
    for (hours, expected) in [(0, 100), (1, 50), (2, 0), (23, 0), (25, 100)] {
        let now = now() + SignedDuration::from_hours(hours);
        notices.forget(now);
        let found = dropped(&policies(""), &facts, now).unwrap();
        assert_eq!(found.len(), 150);
        let records = name(&found, &mut notices, now);
        assert_eq!(records.len(), expected, "after {hours} hours");
        named.extend(records.into_iter().filter(|_| hours < 2).map(|record| record.volume.unwrap().volume));
    }
    named.sort();
    named.dedup();
    assert_eq!(named.len(), 150);
}
