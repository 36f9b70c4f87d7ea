//! What may be the reason for which another copy goes, and what never goes by itself.

use snapferry_core::expiring::decide;

use crate::world::*;

#[test]
fn a_copy_that_no_keep_at_least_keeps_lets_no_retired_policys_last_copy_go() {
    let retired = copy(1, -40, -10).of_policy("retired");
    let unjudged = copy(3, -40, -10).of_policy("retired").tag("snapferry:status", "copying").without("snapferry:copy");
    for (keep, gone, unjudged_gone) in [(0, vec![], vec![]), (1, vec![1], vec![3])] {
        let facts_of = |old: &Shown| facts(&[old.clone(), copy(2, -1, 29)]);
        let policies = keeping(keep);
        assert_eq!(told(&decide(&policies, &facts_of(&retired), LIFTED, now())).0, gone, "{keep}");
        assert_eq!(told(&decide(&policies, &facts_of(&unjudged), LIFTED, now())).0, unjudged_gone, "{keep}");
    }
}

#[test]
fn a_verdict_that_cannot_be_bound_keeps_a_copy_no_longer_than_a_week() {
    let unbound = |expiry| copy(1, -60, expiry).without("snapferry:copy");
    assert_eq!(outcome(&[unbound(-8), copy(2, -1, 29)]), (vec![1], vec![]));
    assert_eq!(outcome(&[unbound(-6), copy(2, -1, 29)]), (vec![], vec!["1 not-verified".to_owned()]));
    assert_eq!(outcome(&[unbound(-8)]), (vec![], vec!["1 not-verified".to_owned()]));
    assert_eq!(outcome(&[unbound(1), copy(2, -1, 29)]), (vec![], vec![]));
}

/// What carries another's tags may be another source's copy, or never was one.
#[test]
fn the_record_of_what_carries_anothers_tags_says_how_to_tell_what_it_is() {
    let said = |shown: Shown| {
        let facts = facts(&[shown]);
        let plan = decide(&policies(""), &facts, LIFTED, now());
        plan.kept.iter().map(|kept| kept.keep.to_string()).collect::<String>()
    };
    let impostor = said(copy(1, -40, -10).tag("snapferry:copy", "snap-00000009"));
    let (tell, remove) = (impostor.find("copy.started").unwrap(), impostor.find("remove all tags from it").unwrap());
    assert!(tell < remove && impostor.contains("Snapferry copy of"), "{impostor}");
    let edited = said(copy(1, -40, -10).tag("snapferry:expire-after", "edited"));
    assert!(!edited.contains("remove all tags from it") && edited.contains("copy.started"), "{edited}");
}
