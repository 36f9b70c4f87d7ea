//! One rule at a time.

use snapferry_core::expiring::{Alarm, Change, decide, recheck};
use snapferry_core::facts::{CallError, State};

use crate::world::*;

const NOBODY: [u32; 0] = [];

fn kept<const N: usize>(kept: [&str; N]) -> Vec<String> {
    kept.map(str::to_owned).to_vec()
}

#[test]
fn what_is_over_goes_and_the_newest_stays() {
    let copies = [copy(1, -40, -10), copy(2, -35, -5), copy(3, -20, 10), copy(4, -1, 29)];
    assert_eq!(outcome(&copies), (vec![1, 2], vec![]));
    let silent = [copy(1, -90, -60), copy(2, -80, -50), copy(3, -70, -40)];
    assert_eq!(outcome(&silent), (vec![1, 2], kept(["3 last-verified"])));
}

#[test]
fn a_copy_that_ec2_shows_on_two_pages_is_one_copy() {
    let (last, broken) = (copy(1, -40, -10), copy(2, -1, 29).without("snapferry:policy").volume(2));
    let shown = [last.clone(), broken.clone(), last, broken];
    assert_eq!(outcome(&shown), (vec![], kept(["2 malformed-tags", "1 last-verified"])));
}

#[test]
fn the_moment_of_expiry_is_not_past_it() {
    let newest = copy(2, -1, 29);
    let at = |moment: &str| copy(1, -31, -1).tag("snapferry:expire-after", moment);
    assert_eq!(outcome(&[at("2026-11-22T12:00:00Z"), newest.clone()]).0, NOBODY);
    assert_eq!(outcome(&[at("2026-11-22T11:59:59.999999999Z"), newest.clone()]).0, vec![1]);
    assert_eq!(outcome(&[at("2026-11-22T13:00:00+01:00"), newest.clone()]).0, NOBODY);
    assert_eq!(outcome(&[copy(1, -31, -1).without("snapferry:expire-after"), newest]), (vec![], vec![]));
}

#[test]
fn keep_at_least_comes_from_todays_rule() {
    let copies: Vec<Shown> = (1..=4).map(|number| copy(number, i64::from(number) - 50, -1)).collect();
    for (policies, gone) in [
        (policies(", \"KeepAtLeast\": 0"), vec![1, 2, 3, 4]),
        (policies(", \"KeepAtLeast\": 1"), vec![1, 2, 3]),
        (policies(", \"KeepAtLeast\": 3"), vec![1]),
        (policies(", \"KeepAtLeast\": 9"), vec![]),
        (policies_with(""), vec![1, 2, 3]),
    ] {
        assert_eq!(told(&decide(&policies, &facts(&copies), LIMITS, now())).0, gone);
    }
}

#[test]
fn keep_at_least_counts_days_and_sources() {
    let keeping = |keep, copies: &[Shown]| told(&decide(&keeping(keep), &facts(copies), LIMITS, now())).0;
    let taken = |number, moment: &str| {
        let mut copy = copy(number, 0, -1).tag("snapferry:source-start-time", moment);
        copy.start = moment.parse::<jiff::Timestamp>().unwrap() + jiff::SignedDuration::from_secs(60);
        copy
    };
    // Seven snapshots in a minute are one day.
    let days = (1..=6).map(|number| taken(number, &format!("2026-10-0{number}T03:00:00Z")));
    let burst = (11..=17).map(|number| taken(number, &format!("2026-11-20T03:00:{number}Z")));
    assert_eq!(keeping(7, &days.chain(burst).collect::<Vec<_>>()), vec![11, 12, 13, 14, 15, 16]);
    // A day is UTC's, and the source's, not that of a copy made after midnight.
    let midnight = [
        taken(1, "2026-10-01T03:00:00Z"),
        taken(2, "2026-10-02T00:00:00Z"),
        taken(3, "2026-10-02T23:59:59Z"),
        taken(4, "2026-10-03T00:00:00Z"),
    ];
    assert_eq!(keeping(3, &midnight), vec![2]);
    // Two copies of one source are none, even on two days: nothing tells which is its copy.
    let forged =
        |number, start| copy(number, start, -1).of_source(9).tag("snapferry:source-start-time", day(9).to_string());
    assert_eq!(keeping(2, &[copy(1, -50, -1), copy(4, -48, -1), forged(2, -45), forged(3, -44)]), NOBODY);
}

#[test]
fn volumes_accounts_and_policies_stand_alone() {
    let copies = [
        copy(1, -40, -10),
        copy(2, -39, -9).volume(2),
        copy(3, -38, -8).tag("snapferry:source-account", "333333333333"),
        copy(4, -37, -7).of_policy("other"),
    ];
    let plan_facts = facts(&copies);
    let (gone, kept) = told(&decide(&two_policies(), &plan_facts, LIMITS, now()));
    assert_eq!((gone, kept.len()), (vec![], 4));
}

#[test]
fn only_proven_copies_make_others_dispensable() {
    let old = copy(1, -40, -10);
    for newer in [
        copy(2, -1, 29).tag("snapferry:status", "copying"),
        copy(2, -1, 29).judged("rejected", 0),
        copy(2, -1, 29).judged("failed", 0),
        copy(2, -1, 29).state(State::Pending),
        copy(2, -1, 29).state(State::Error),
        copy(2, -1, 29).tag("snapferry:source-size-gib", "many"),
        copy(2, -1, 29).volume(2),
    ] {
        let (gone, kept) = outcome(&[old.clone(), newer.clone()]);
        assert_eq!(gone, NOBODY, "{newer:?}");
        assert_eq!(kept.last().unwrap(), "1 last-verified", "{newer:?}");
    }
    let mut foreign = copy(2, -1, 29);
    foreign.owner = "999999999999".to_owned();
    assert_eq!(outcome(&[old, foreign]), (vec![], kept(["1 last-verified"])));
}

#[test]
fn each_edited_or_missing_tag_keeps_a_copy() {
    let newest = copy(2, -1, 29);
    let all: Vec<&str> = copy(1, -40, -10).tags.into_keys().collect();
    for key in all {
        let edited = copy(1, -40, -10).tag(key, "?");
        assert_eq!(outcome(&[edited, newest.clone()]), (vec![], kept(["1 malformed-tags"])), "{key}");
        let missing = outcome(&[copy(1, -40, -10).without(key), newest.clone()]);
        match key {
            "snapferry:expire-after" => assert_eq!(missing, (vec![], vec![])),
            "snapferry:settled-at" | "snapferry:copy" => assert_eq!(missing, (vec![1], vec![])),
            _ => assert_eq!(missing, (vec![], kept(["1 malformed-tags"])), "{key}"),
        }
    }
}

#[test]
fn tags_copied_onto_another_snapshot_let_nothing_go_and_never_go() {
    let (old, newest) = (copy(1, -40, -10), copy(2, -1, 29));
    let mut impostor = newest.clone();
    impostor.id = copy(3, 0, 0).id;
    assert_eq!(outcome(&[old.clone(), impostor.clone()]), (vec![], kept(["3 malformed-tags", "1 last-verified"])));
    assert_eq!(outcome(&[old.clone(), newest.clone(), impostor]), (vec![1], kept(["3 malformed-tags"])));
    let mut impostor = old.clone();
    impostor.id = copy(3, 0, 0).id;
    assert_eq!(outcome(&[impostor, newest.clone()]), (vec![], kept(["3 malformed-tags"])));
    // A verdict from before it named its copy counts once it is given again.
    let unbound = newest.without("snapferry:copy");
    assert_eq!(outcome(&[old, unbound]), (vec![], kept(["1 last-verified"])));
}

#[test]
fn a_foreign_copy_is_never_touched() {
    let mut foreign = copy(1, -40, -10);
    foreign.owner = "999999999999".to_owned();
    assert_eq!(outcome(&[foreign, copy(2, -1, 29)]), (vec![], kept(["1 foreign-owner"])));
}

#[test]
fn the_unjudged_stay_until_newer_verified_copies_have_outlived_them_by_a_week() {
    let copying = |expiry| copy(1, -60, expiry).tag("snapferry:status", "copying").without("snapferry:copy");
    let stays = |shown: &[Shown]| assert_eq!(outcome(shown), (vec![], kept(["1 not-verified"])), "{shown:?}");
    let newer = copy(2, -1, 29);
    stays(&[copying(-7), newer.clone()]);
    assert_eq!(outcome(&[copying(-8), newer.clone()]), (vec![1], vec![]));
    // The newest data of its volume, and the only one, stay; so does what nobody knows the volume of, and what is not finished.
    stays(&[copying(-8), copy(2, -61, 29)]);
    stays(&[copying(-8)]);
    stays(&[copying(-8), newer.clone().volume(2)]);
    stays(&[copying(-8), newer.clone().tag("snapferry:status", "copying")]);
    stays(&[copying(-8), newer.clone()].map(|copy| copy.tag("snapferry:source-volume", "vol-ffffffff")));
    stays(&[copying(-8).state(State::Pending), newer.clone()]);
    // It never counts as one of the last, so as many others are wanted as are to be kept, and one at least.
    let gone = |keep, shown: &[Shown]| told(&decide(&keeping(keep), &facts(shown), LIMITS, now())).0;
    assert_eq!(gone(2, &[copying(-8), newer.clone()]), NOBODY);
    assert_eq!(gone(2, &[copying(-8), newer.clone(), copy(3, -2, 28)]), vec![1]);
    assert_eq!(gone(0, &[copying(-8)]), NOBODY);
    // One in error holds no data.
    let failed = |start| copying(-1).renumbered(1, start).without("snapferry:copy").state(State::Error);
    assert_eq!((outcome(&[failed(-8)]).0, outcome(&[failed(-7)]).0), (vec![1], vec![]));
    let plan_facts = facts(&[copying(-8), newer.clone()]);
    let plan = decide(&policies(""), &plan_facts, LIMITS, now());
    let look = |shown: &[Shown]| recheck(&plan.deletions[0], &vault(shown), now());
    assert_eq!(look(&[copying(-8), newer.clone()]), Ok(()));
    assert_eq!(
        look(&[copying(-8).judged("verified", 0).tag("snapferry:copy", "snap-c0000001"), newer.clone()]),
        Err(Change::NotDue)
    );
    assert_eq!(look(&[copying(-8), newer.judged("rejected", 0)]), Err(Change::SurvivorGone));
}

#[test]
fn as_many_unjudged_as_look_like_a_wrong_clock_stay() {
    let unjudged = |number| copy(number, -60, -8).tag("snapferry:status", "copying").without("snapferry:copy");
    let plan_facts = facts(&(1..=12).map(unjudged).chain([copy(20, -1, 29)]).collect::<Vec<_>>());
    let alarm = decide(&policies(""), &plan_facts, LIMITS, now()).alarm;
    assert_eq!(alarm, Some(Alarm::MassExpiry { expiring: 12, verified: 13, deletions: 12 }));
}

#[test]
fn the_failed_go_a_day_after_their_verdict() {
    let failed = |settled| copy(1, -3, 27).judged("failed", settled);
    assert_eq!(outcome(&[failed(-2)]), (vec![1], vec![]));
    assert_eq!(outcome(&[failed(-1)]), (vec![], vec![]));
    assert_eq!(outcome(&[failed(0)]), (vec![], vec![]));
    assert_eq!(outcome(&[failed(-2).state(State::Completed)]), (vec![], kept(["1 state-contradicts"])));
    assert_eq!(outcome(&[failed(-2).without("snapferry:settled-at")]), (vec![], kept(["1 not-settled"])));
}

#[test]
fn the_rejected_go_once_there_is_a_better_copy_of_their_source() {
    let rejected = |number, settled| copy(number, settled, 27).of_source(7).judged("rejected", settled);
    assert_eq!(outcome(&[rejected(1, -2)]), (vec![], kept(["1 only-copy"])));
    assert_eq!(outcome(&[rejected(1, -2), copy(2, -1, 29).of_source(7)]), (vec![1], vec![]));
    assert_eq!(outcome(&[rejected(1, 0), copy(2, -1, 29).of_source(7)]), (vec![], vec![]));
    // Another snapshot's copy, and one that is not verified yet, are no substitute.
    assert_eq!(outcome(&[rejected(1, -2), copy(2, -1, 29).of_source(8)]), (vec![], kept(["1 only-copy"])));
    let copying = copy(2, -1, 29).of_source(7).tag("snapferry:status", "copying");
    assert_eq!(outcome(&[rejected(1, -2), copying]), (vec![], kept(["1 only-copy"])));
    // Of several rejected ones the newest stays.
    assert_eq!(outcome(&[rejected(1, -4), rejected(2, -3), rejected(3, -2)]), (vec![1, 2], kept(["3 only-copy"])));
    // One in error holds no data: it goes, and keeps no other from staying.
    let empty = rejected(3, -2).state(State::Error);
    assert_eq!(outcome(&[rejected(1, -4), rejected(2, -3), empty]), (vec![1, 3], kept(["2 only-copy"])));
    let other_policy = copy(2, -1, 29).of_source(7).of_policy("retired");
    assert_eq!(outcome(&[rejected(1, -2), other_policy]), (vec![], kept(["1 only-copy"])));
}

#[test]
fn old_snapshots_shared_late_do_not_displace_newer_ones() {
    // The newest data is of day -35; what came after it was taken earlier.
    let good = copy(1, -35, -5);
    let late = |number, start| copy(number, start, 10).tag("snapferry:source-start-time", day(-300).to_string());
    assert_eq!(outcome(&[good, late(2, -3), late(3, -2)]), (vec![], kept(["1 last-verified"])));
}

#[test]
fn a_start_time_in_the_future_does_not_outlive_what_comes_after() {
    let forged = copy(1, -40, -10).tag("snapferry:source-start-time", "9999-01-01T00:00:00Z");
    let honest = [copy(2, -39, -9), copy(3, -38, -8)];
    assert_eq!(outcome(&[&[forged], &honest[..]].concat()), (vec![1, 2], kept(["3 last-verified"])));
}

#[test]
fn of_an_unknown_volume_nothing_goes_by_any_number_of_newer_copies() {
    for filler in ["vol-ffffffff", "vol-fffffffff", "vol-fffffffffffffffff"] {
        let unknown = |number, start, expiry| copy(number, start, expiry).tag("snapferry:source-volume", filler);
        let copies =
            [unknown(1, -40, -10), unknown(2, -39, -9), unknown(3, -1, 29), copy(4, -40, -10), copy(5, -1, 29)];
        let plan_facts = facts(&copies);
        let plan = decide(&policies(""), &plan_facts, LIMITS, now());
        assert_eq!((told(&plan), plan.lineage_unknown), ((vec![4], vec![]), 2), "{filler}");
        // Who asks for no last copy gets none, and the guard does not count what stays anyway.
        let policies = policies(", \"KeepAtLeast\": 0");
        let plan = decide(&policies, &plan_facts, LIMITS, now());
        assert_eq!((told(&plan).0, plan.lineage_unknown), (vec![1, 4, 2], 0));
    }
    let known = |number, start, expiry| copy(number, start, expiry).tag("snapferry:source-volume", "vol-fffffff0");
    assert_eq!(outcome(&[known(1, -40, -10), known(2, -1, 29)]), (vec![1], vec![]));
}

#[test]
fn what_was_due_first_goes_first_across_regions_and_what_is_likely_locked_goes_last() {
    let lock = ", \"LockRule\": {\"Mode\": \"governance\", \"Interval\": 60, \"IntervalUnit\": \"DAYS\", \
                \"MayOutliveRetention\": true}";
    let policies = policies_with(lock);
    let locked = |copy: Shown| copy.tag("snapferry:lock", "locked");
    let here = [locked(copy(1, -40, -20)), locked(copy(2, -61, -19)), copy(3, -40, -10), copy(9, -1, 29)];
    let there = [copy(4, -40, -15), copy(5, -40, -18), copy(8, -1, 29)];
    let facts = regions([(REGION, Ok(vault(&here))), ("eu-north-1", Ok(vault(&there)))]);
    assert_eq!(told(&decide(&policies, &facts, LIMITS, now())).0, vec![2, 5, 4, 3, 1]);
}

#[test]
fn an_unread_region_is_not_touched_and_not_counted() {
    let facts = regions([
        (REGION, Ok(vault(&[copy(1, -40, -10), copy(2, -1, 29)]))),
        ("eu-north-1", Err(CallError::not_read())),
    ]);
    assert_eq!(told(&decide(&policies(""), &facts, LIMITS, now())), (vec![1], kept(["eu-north-1 region-unread"])));
}

#[test]
fn the_second_look_finds_every_change() {
    let (old, newest) = (copy(1, -40, -10), copy(2, -1, 29));
    let plan_facts = facts(&[old.clone(), newest.clone()]);
    let plan = decide(&policies(""), &plan_facts, LIMITS, now());
    let [deletion] = plan.deletions.as_slice() else { panic!("one deletion expected") };
    let look = |shown: &[Shown]| recheck(deletion, &vault(shown), now());
    let mut foreign = old.clone();
    foreign.owner = "999999999999".to_owned();
    for (now_shown, change) in [
        (vec![old.clone(), newest.clone()], Ok(())),
        (vec![newest.clone()], Err(Change::Gone)),
        (vec![], Err(Change::Gone)),
        (vec![old.clone()], Err(Change::SurvivorGone)),
        (vec![old.clone(), newest.clone().judged("rejected", 0)], Err(Change::SurvivorGone)),
        (vec![old.clone(), newest.clone().without("snapferry:policy")], Err(Change::SurvivorGone)),
        (vec![old.clone(), newest.clone().state(State::Error)], Err(Change::SurvivorGone)),
        (vec![old.clone(), newest.clone().without("snapferry:copy")], Err(Change::SurvivorGone)),
        (vec![old.clone(), newest.clone().volume(2)], Err(Change::SurvivorGone)),
        (vec![old.clone(), newest.clone().of_source(8)], Err(Change::SurvivorGone)),
        (vec![old.clone().tag("snapferry:expire-after", day(9).to_string()), newest.clone()], Err(Change::NotDue)),
        (vec![old.clone().without("snapferry:expire-after"), newest.clone()], Err(Change::NotDue)),
        (vec![old.clone().without("snapferry:policy"), newest.clone()], Err(Change::NotDue)),
        (vec![old.clone().of_policy("other"), newest.clone()], Err(Change::NotDue)),
        (vec![old.clone().judged("rejected", -9), newest.clone()], Err(Change::NotDue)),
        (vec![old.clone().of_source(8), newest.clone()], Err(Change::NotDue)),
        (vec![old.clone().state(State::Pending), newest.clone()], Err(Change::NotDue)),
        (vec![foreign, newest.clone()], Err(Change::NotDue)),
    ] {
        assert_eq!(look(&now_shown), change, "{now_shown:?}");
    }
}

#[test]
fn the_second_look_at_a_rejected_copy_wants_its_better_one() {
    let rejected = copy(1, -3, 27).of_source(7).judged("rejected", -2);
    let better = copy(2, -1, 29).of_source(7);
    let plan_facts = facts(&[rejected.clone(), better.clone()]);
    let plan = decide(&policies(""), &plan_facts, LIMITS, now());
    let look = |shown: &[Shown]| recheck(&plan.deletions[0], &vault(shown), now());
    assert_eq!(look(&[rejected.clone(), better.clone()]), Ok(()));
    assert_eq!(look(&[rejected.clone(), better.judged("rejected", 0)]), Err(Change::SurvivorGone));
    assert_eq!(look(std::slice::from_ref(&rejected)), Err(Change::SurvivorGone));
    // Of two rejected ones the newer stays, unless it is in error by now.
    let newer = rejected.clone().renumbered(2, -1);
    let plan_facts = facts(&[rejected.clone(), newer.clone()]);
    let plan = decide(&policies(""), &plan_facts, LIMITS, now());
    let look = |shown: &[Shown]| recheck(&plan.deletions[0], &vault(shown), now());
    assert_eq!(look(&[rejected.clone(), newer.clone()]), Ok(()));
    assert_eq!(look(&[rejected.clone(), newer.clone().judged("verified", 0)]), Ok(()));
    assert_eq!(look(&[rejected.clone(), newer.clone().judged("failed", 0)]), Err(Change::SurvivorGone));
    assert_eq!(look(&[rejected, newer.state(State::Error)]), Err(Change::SurvivorGone));
}

#[test]
fn other_homes_copies_are_neither_touched_nor_counted() {
    let shown = |home: &str| {
        let failed = copy(3, -40, -10).judged("failed", -9);
        let copies = [copy(1, -40, -10), copy(2, -1, 29), failed, copy(4, -40, -10).without("snapferry:source-volume")];
        copies.map(|copy| copy.tag("snapferry:source-region", home))
    };
    assert_eq!(outcome(&shown("us-east-1")), (vec![1, 3], kept(["4 malformed-tags"])));
    assert_eq!(outcome(&shown("us-east-2")), outcome(&shown("us-east-1")));
    assert_eq!(outcome(&shown("eu-central-1")), (vec![], vec![]));
    let unreadable = [copy(1, -40, -10).tag("snapferry:source-region", "nowhere"), copy(2, -1, 29)];
    assert_eq!(outcome(&unreadable), (vec![], kept(["1 malformed-tags"])));
    let alarm = |theirs: u32| {
        let ours = (1..=12).map(|number| copy(number, -40, -10)).chain([copy(13, -1, 29)]);
        let theirs =
            (1..=theirs).map(|number| copy(100 + number, -1, 29).tag("snapferry:source-region", "eu-central-1"));
        let facts = facts(&ours.chain(theirs).collect::<Vec<_>>());
        decide(&policies(""), &facts, LIMITS, now()).alarm
    };
    assert_eq!(alarm(0), Some(Alarm::MassExpiry { expiring: 12, verified: 13, deletions: 12 }));
    assert_eq!(alarm(20), alarm(0));
}

#[test]
fn copies_of_a_policy_that_nobody_names_stay_untouched_and_are_told_with_their_number() {
    let [old, newest] = [copy(1, -40, -10), copy(2, -1, 29)].map(|copy| copy.of_policy("unnamed"));
    let failed = copy(3, -40, -10).judged("failed", -9).of_policy("unnamed");
    let shown = [old, newest, failed, copy(4, -40, -10), copy(5, -1, 29)];
    assert_eq!(outcome(&shown), (vec![4], kept(["eu-west-1 policy-not-named"])));
    let plan_facts = facts(&shown);
    let plan = decide(&policies(""), &plan_facts, LIMITS, now());
    let record = snapferry_core::expiring::kept(&plan.kept[0], now());
    assert_eq!((record.policy.as_deref(), record.count), (Some("unnamed"), Some(3)));
    assert_eq!(plan.kept[0].notice().unwrap(), "policy-not-named eu-west-1 unnamed");
    // Nor is any of them proof that another may go.
    assert_eq!(told(&decide(&[], &plan_facts, LIMITS, now())).0, NOBODY);
}

#[test]
fn a_renamed_policys_last_copies_go_once_the_new_name_has_newer_ones() {
    let renamed = |copy: Shown| copy.of_policy("retired");
    let old = [renamed(copy(1, -50, -20)), renamed(copy(2, -40, -10))];
    let with = |newer: Shown| outcome(&[&old[..], &[newer]].concat());
    assert_eq!(outcome(&old), (vec![1], kept(["2 last-verified"])));
    assert_eq!(with(copy(3, -1, 29)), (vec![1, 2], vec![]));
    // The sources that are still shared are copied again under the new name.
    assert_eq!(
        with(copy(3, -1, 29).of_source(2).tag("snapferry:source-start-time", day(-40).to_string())).0,
        vec![1, 2]
    );
    for no_substitute in [
        copy(3, -45, 29),
        copy(3, -1, 29).judged("rejected", 0),
        copy(3, -1, 29).volume(2),
        copy(3, -1, 29).of_policy("unnamed"),
        copy(3, -1, 29).tag("snapferry:source-region", "eu-central-1"),
    ] {
        assert_eq!(with(no_substitute.clone()).0, vec![1], "{no_substitute:?}");
    }
    // A copy that goes itself is none: where the new rule keeps no last copy, the old name's last copy stays.
    let plan_facts = facts(&[&old[..], &[copy(3, -30, -1)]].concat());
    assert_eq!(told(&decide(&keeping(0), &plan_facts, LIMITS, now())), (vec![1, 3], kept(["2 last-verified"])));
}

#[test]
fn a_lineage_is_one_whatever_the_home() {
    let of_retired_home = |copy: Shown| copy.tag("snapferry:source-region", "us-east-2");
    assert_eq!(outcome(&[of_retired_home(copy(1, -40, -10)), copy(2, -1, 29)]), (vec![1], vec![]));
    assert_eq!(outcome(&[copy(1, -40, -10), of_retired_home(copy(2, -1, 29))]), (vec![1], vec![]));
}
