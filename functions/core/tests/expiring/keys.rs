//! Copies under keys that are lost or in doubt: they let nothing go, and go themselves only when outlived.

use snapferry_core::expiring::{Change, decide, recheck};
use snapferry_core::facts::KeyLife::{Alive, Doomed, InDoubt};

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
                let key = Some("Alive".into());
                copy.origin = snapferry_core::facts::Origin { key, ..(*copy.origin).clone() }.into();
            }
            recheck(&plan.deletions[0], &copies, now())
        };
        assert_eq!(shown(&old, &newest.clone().under(lost)), Err(Change::SurvivorGone));
        assert_eq!(shown(&old.clone().under(lost), &newest), Ok(()));
    }
}
