//! Copies under keys that are lost or in doubt: they let nothing go, and go themselves only when outlived.

use std::collections::HashMap;

use proptest::prelude::*;
use snapferry_core::expiring::{Cause, Change, decide, recheck};
use snapferry_core::facts::KeyLife::{self, Alive, Doomed, InDoubt};
use snapferry_core::facts::State;

use crate::laws::{any_vault, gone, is_good, lifted, lineage, moment};
use crate::world::*;

/// The numbers of the copies that go, the reasons of those that stay, and how many stay for their keys' sake.
fn fate(keep: usize, shown: &[Shown]) -> (Vec<u32>, Vec<String>, usize) {
    let facts = facts(shown);
    let plan = decide(&keeping(keep), &facts, LIMITS, now());
    let (gone, kept) = told(&plan);
    (gone, kept, plan.key_in_doubt)
}

#[test]
fn a_newer_copy_that_cannot_be_restored_lets_nothing_go() {
    let last = vec!["1 last-verified".to_owned()];
    for lost in [InDoubt, Doomed] {
        let copies = [copy(1, -40, -10), copy(2, -1, 29).under(lost)];
        assert_eq!(fate(1, &copies), (vec![], last.clone(), 0), "{lost:?}");
        // It is none of the last days either.
        let copies = [copy(1, -41, -10), copy(2, -40, -10), copy(3, -2, 28), copy(4, -1, 29).under(lost)];
        assert_eq!(fate(2, &copies), (vec![1], vec!["2 last-verified".to_owned()], 0), "{lost:?}");
    }
}

#[test]
fn what_cannot_be_restored_goes_once_as_many_as_are_to_be_kept_are_newer() {
    for lost in [InDoubt, Doomed] {
        let old = copy(1, -40, -10).under(lost);
        assert_eq!(fate(1, std::slice::from_ref(&old)), (vec![], vec![], 1));
        assert_eq!(fate(1, &[old.clone(), copy(2, -41, 29)]), (vec![], vec![], 1));
        assert_eq!(fate(1, &[old.clone(), copy(2, -1, 29).under(lost)]), (vec![], vec![], 1));
        assert_eq!(fate(1, &[old.clone(), copy(2, -1, 29)]), (vec![1], vec![], 0));
        assert_eq!(fate(2, &[old.clone(), copy(2, -1, 29)]), (vec![], vec![], 1));
        assert_eq!(fate(2, &[old.clone(), copy(2, -1, 29), copy(3, -2, 28)]), (vec![1], vec![], 0));
        // By age alone, as the policy asks for; and what is not due stays, whatever its key.
        assert_eq!(fate(0, std::slice::from_ref(&old)), (vec![1], vec![], 0));
        assert_eq!(fate(1, &[copy(1, -40, 1).under(lost), copy(2, -1, 29)]), (vec![], vec![], 0));
    }
}

#[test]
fn a_rejected_copy_and_an_unjudged_one_want_a_survivor_that_can_be_restored() {
    let rejected = copy(1, -3, 27).of_source(7).judged("rejected", -2);
    let unjudged = copy(3, -60, -8).tag("snapferry:status", "copying").without("snapferry:copy");
    for (life, gone) in [(Alive, vec![1, 3]), (InDoubt, vec![]), (Doomed, vec![])] {
        let better = copy(2, -1, 29).of_source(7).under(life);
        assert_eq!(fate(1, &[rejected.clone(), better, unjudged.clone()]).0, gone, "{life:?}");
    }
}

#[test]
fn the_second_look_finds_that_the_survivors_key_is_lost_and_minds_no_other() {
    let (old, newest) = (copy(1, -40, -10), copy(2, -1, 29));
    let plan_facts = facts(&[old.clone(), newest.clone()]);
    let plan = decide(&policies(""), &plan_facts, LIMITS, now());
    let look = |shown: &[Shown]| recheck(&plan.deletions[0], &vault(shown), now());
    assert_eq!(look(&[old.clone(), newest.clone()]), Ok(()));
    for lost in [InDoubt, Doomed] {
        let shown = |old: &Shown, newest: &Shown| {
            let mut copies = vault(&[old.clone(), newest.clone()]);
            // The key is the one that it was.
            for copy in &mut copies.copies {
                let key = Some(key_named(Alive).into());
                copy.origin = snapferry_core::facts::Origin { key, ..(*copy.origin).clone() }.into();
            }
            recheck(&plan.deletions[0], &copies, now())
        };
        assert_eq!(shown(&old, &newest.clone().under(lost)), Err(Change::SurvivorGone));
        assert_eq!(shown(&old.clone().under(lost), &newest), Ok(()));
    }
}

#[test]
fn of_two_rejected_copies_the_one_stays_that_can_sooner_be_restored() {
    let rejected = |number, key| copy(number, -3, 27).of_source(7).judged("rejected", -2).under(key);
    for (first, second, goes) in [
        (Alive, Alive, 1),
        (Alive, InDoubt, 2),
        (Alive, Doomed, 2),
        (InDoubt, Doomed, 2),
        (Doomed, InDoubt, 1),
        (Doomed, Doomed, 1),
    ] {
        let both = [rejected(1, first), rejected(2, second)];
        let stays = vec![format!("{} only-copy", 3 - goes)];
        assert_eq!(fate(1, &both), (vec![goes], stays, 0), "{first:?} {second:?}");
    }
    let (planned, now_lost) = ([rejected(1, Alive), rejected(2, Alive)], [rejected(1, Alive), rejected(2, Doomed)]);
    let facts = facts(&planned);
    let plan = decide(&policies(""), &facts, LIMITS, now());
    let look = |shown: &[Shown]| {
        let mut copies = vault(shown);
        for copy in &mut copies.copies {
            copy.origin =
                snapferry_core::facts::Origin { key: Some(key_named(Alive).into()), ..(*copy.origin).clone() }.into();
        }
        recheck(&plan.deletions[0], &copies, now())
    };
    assert_eq!((look(&planned), look(&now_lost)), (Ok(()), Err(Change::SurvivorGone)));
}

/// What RDS is deleting, say.
#[test]
fn a_rejected_copy_that_is_not_whole_lets_no_other_go() {
    let rejected = |number, settled| copy(number, settled, 27).of_source(7).judged("rejected", settled);
    let [old, new] = [rejected(1, -4), rejected(2, -3)];
    let facts = facts(&[old.clone(), new.clone()]);
    let plan = decide(&policies(""), &facts, LIMITS, now());
    assert_eq!(told(&plan).0, [1]);
    for state in [State::Pending, State::Other] {
        let both = [old.clone(), new.clone().state(state)];
        assert_eq!(recheck(&plan.deletions[0], &vault(&both), now()), Err(Change::SurvivorGone));
        assert_eq!(told(&decide(&policies(""), &self::facts(&both), LIMITS, now())).0, [0; 0]);
    }
}

#[test]
fn a_retired_policys_rejected_and_unjudged_copies_go_for_a_present_ones_newer_copy() {
    let retired = |shown: Shown| shown.of_policy("retired");
    let rejected = || retired(copy(1, -3, 27).judged("rejected", -2));
    let unjudged = || retired(copy(3, -60, -8).tag("snapferry:status", "copying").without("snapferry:copy"));
    let kept = |reasons: &[&str]| reasons.iter().map(|reason| (*reason).to_owned()).collect::<Vec<_>>();
    let alone = fate(1, &[rejected(), unjudged()]);
    assert_eq!(alone, (vec![], kept(&["1 only-copy", "3 not-verified"]), 0));
    assert_eq!(fate(1, &[rejected(), unjudged(), copy(2, -1, 29)]), (vec![1, 3], vec![], 0));
    // Not while it is older, of another volume, or cannot be restored; and a policy that is there copies again itself.
    for other in
        [copy(2, -70, 29), copy(2, -1, 29).volume(2), copy(2, -1, 29).under(InDoubt), copy(2, -1, 29).under(Doomed)]
    {
        assert_eq!(fate(1, &[rejected(), unjudged(), other]).0, Vec::<u32>::new());
    }
    let present = copy(1, -3, 27).judged("rejected", -2);
    assert_eq!(fate(1, &[present, copy(2, -1, 29)]).1, kept(&["1 only-copy"]));
    let facts = facts(&[rejected(), copy(2, -1, 29)]);
    let plan = decide(&policies(""), &facts, LIMITS, now());
    let record =
        snapferry_core::expiring::record(&plan.deletions[0], &snapferry_core::expiring::Outcome::Deleted, now());
    assert!(
        record
            .message
            .unwrap()
            .ends_with("snap-c0000002 is of the same volume or database, newer, verified, and stays.")
    );
}

/// What has become of each of three keys, at each of several runs.
fn fates() -> impl Strategy<Value = Vec<[KeyLife; 3]>> {
    let life = prop_oneof![3 => Just(Alive), 1 => Just(InDoubt), 2 => Just(Doomed)];
    prop::collection::vec(prop::array::uniform3(life), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Keys die, come back and are not described, from run to run, while copies go.
    #[test]
    fn whatever_keys_die_a_volumes_newest_copy_that_can_be_restored_stays(
        mut shown in any_vault(), fates in fates(), keep in 1_usize..4
    ) {
        let age = |copy: &Shown| moment(copy, "snapferry:source-start-time").unwrap().min(copy.start);
        for lives in fates {
            for (number, copy) in shown.iter_mut().enumerate() {
                copy.key = lives[number % 3];
            }
            let (policies, facts) = (keeping(keep), facts(&shown));
            let plan = decide(&policies, &facts, lifted(1000), now());
            let gone = gone(&plan);
            for deletion in plan.deletions.iter().filter(|deletion| deletion.cause != Cause::Failed) {
                let (copy, survivor) = (deletion.copy.origin.life, deletion.survivor.unwrap().origin.life);
                let is_rejected = deletion.cause == Cause::Rejected;
                // What is in error holds no data, whatever its key: any copy of its source will do.
                prop_assert!(survivor <= copy || is_rejected && deletion.copy.state == State::Error);
                prop_assert!(survivor == Alive || is_rejected);
            }
            let mut newest = HashMap::new();
            for copy in shown.iter().filter(|copy| is_good(copy)) {
                let best = newest.entry(lineage(copy).map(str::to_owned)).or_insert(age(copy));
                *best = age(copy).max(*best);
            }
            shown.retain(|copy| !gone.contains(&copy.id));
            for (volume, newest) in newest {
                let is_it = |copy: &Shown| {
                    is_good(copy) && lineage(copy) == volume.each_ref().map(String::as_str) && age(copy) >= newest
                };
                prop_assert!(shown.iter().any(is_it), "{:?}", volume);
            }
        }
    }
}
