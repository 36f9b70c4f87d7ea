//! Snapshots onto which a backup tool copied the tags of a copy before its verdict named it: nothing tells them apart.

use std::collections::HashSet;

use jiff::SignedDuration;
use proptest::prelude::*;
use snapferry_core::expiring::decide;
use snapferry_core::facts::KeyLife::{self, Alive, Doomed, InDoubt};
use snapferry_core::facts::State;

use crate::laws::lifted;
use crate::world::*;

/// The numbers of the copies that go under a `KeepAtLeast`, and the reasons of those that stay.
fn fate(keep: usize, shown: &[Shown]) -> (Vec<u32>, Vec<String>) {
    told(&decide(&keeping(keep), &facts(shown), LIMITS, now()))
}

/// What a copy's tags were before its verdict.
fn unjudged(copy: Shown) -> Shown {
    copy.tag("snapferry:status", "copying").without("snapferry:settled-at").without("snapferry:copy")
}

fn kept<const N: usize>(kept: [&str; N]) -> Vec<String> {
    kept.map(str::to_owned).to_vec()
}

#[test]
fn an_impostor_lets_no_other_sources_copy_go() {
    let (old, newest) = (copy(1, -40, -10), copy(2, -1, 29));
    assert_eq!(fate(1, &[old.clone(), newest.clone()]), (vec![1], vec![]));
    let impostor = newest.clone().renumbered(3, 0);
    let stays = (vec![], kept(["1 last-verified"]));
    assert_eq!(fate(1, &[old.clone(), newest.clone(), impostor.clone()]), stays);
    // Not before the source's own copy has its verdict either, which takes hours where the impostor is completed at once.
    assert_eq!(fate(1, &[old, unjudged(newest).state(State::Pending), impostor]), stays);
}

#[test]
fn contested_copies_stay_until_as_many_newer_ones_as_are_to_be_kept_are_contested_by_nothing() {
    let both = [copy(1, -40, -10), copy(1, -40, -10).renumbered(2, -39)];
    let with = |others: &[Shown]| [&both[..], others].concat();
    let stay = (vec![], kept(["2 contested", "1 contested"]));
    assert_eq!(fate(1, &both), stay);
    assert_eq!(fate(1, &with(&[copy(3, -50, 29)])), stay);
    assert_eq!(fate(1, &with(&[copy(3, -1, 29).volume(2)])), stay);
    assert_eq!(fate(1, &with(&[copy(3, -1, 29).under(InDoubt)])), stay);
    assert_eq!(fate(1, &with(&[copy(3, -1, 29), copy(3, -1, 29).renumbered(4, 0)])), stay);
    assert_eq!(fate(1, &with(&[copy(3, -1, 29)])), (vec![1, 2], vec![]));
    assert_eq!(fate(2, &with(&[copy(3, -1, 29)])), stay);
    assert_eq!(fate(2, &with(&[copy(3, -1, 29), copy(4, -2, 28)])), (vec![1, 2], vec![]));
    // By age alone, as the policy asks for; and what is not due is not told.
    assert_eq!(fate(0, &both), (vec![1, 2], vec![]));
    assert_eq!(
        fate(1, &both.clone().map(|copy| copy.tag("snapferry:expire-after", day(1).to_string()))),
        (vec![], vec![])
    );
    // Two days of one source are no two of the last days.
    assert_eq!(fate(2, &with(&[copy(3, -45, -1)])).0, Vec::<u32>::new());
}

#[test]
fn what_is_live_and_ours_claims_and_nothing_else() {
    let (old, newest) = (copy(1, -40, -10), copy(2, -1, 29));
    let other = newest.clone().renumbered(3, 0);
    let mut foreign = other.clone();
    foreign.owner = "999999999999".to_owned();
    let mut of_another = other.clone();
    of_another.tags = newest.tags.clone();
    for (other, does_claim) in [
        (other.clone(), true),
        (other.clone().under(InDoubt), true),
        (other.clone().without("snapferry:copy"), true),
        (unjudged(other.clone()), true),
        (unjudged(other.clone()).state(State::Pending), true),
        (other.clone().under(Doomed), false),
        (unjudged(other.clone()).under(Doomed), false),
        (unjudged(other.clone()).state(State::Error), false),
        (other.clone().judged("failed", 0), false),
        (other.clone().judged("rejected", 0), false),
        (other.clone().tag("snapferry:source-size-gib", "many"), true),
        (other.clone().without("snapferry:expire-after"), true),
        (other.clone().tag("snapferry:policy", "not a name"), false),
        (other.clone().tag("snapferry:source-region", "eu-central-1"), false),
        (other.clone().of_policy("unnamed"), false),
        (other.clone().of_policy("retired"), false),
        (other.clone().of_source(9), false),
        (of_another, false),
        (foreign, false),
    ] {
        let (gone, _) = fate(1, &[old.clone(), newest.clone(), other.clone()]);
        assert_eq!(gone.is_empty(), does_claim, "{other:?}");
    }
    // Each Region has its own copy of a source.
    let facts = regions([(REGION, Ok(vault(&[old, newest]))), ("eu-north-1", Ok(vault(&[other])))]);
    assert_eq!(told(&decide(&keeping(1), &facts, LIMITS, now())).0, vec![1]);
}

#[test]
fn what_was_copied_again_because_its_key_is_lost_is_contested_by_nothing() {
    let lost = copy(1, -40, -10).under(Doomed);
    let again = lost.clone().renumbered(2, -1).under(Alive);
    assert_eq!(fate(1, &[lost.clone(), again.clone()]), (vec![1], kept(["2 last-verified"])));
    // The deletion of the key was cancelled.
    assert_eq!(fate(1, &[lost.under(Alive), again]), (vec![], kept(["2 contested", "1 contested"])));
}

#[test]
fn a_retired_policys_copies_go_for_no_contested_one_and_contested_go_for_a_newer_one() {
    let retired = |copy: Shown| copy.of_policy("retired");
    let old = retired(copy(1, -40, -10));
    let present = [copy(2, -1, 29), copy(2, -1, 29).renumbered(3, 0)];
    let unjudged = retired(unjudged(copy(4, -39, -9)));
    let stay = (vec![], kept(["1 last-verified", "4 not-verified"]));
    assert_eq!(fate(1, &[&present[..], &[old.clone(), unjudged.clone()]].concat()), stay);
    assert_eq!(fate(1, &[&present[..1], &[old.clone(), unjudged]].concat()), (vec![1, 4], vec![]));
    let both = [old.clone(), retired(copy(1, -40, -10)).renumbered(5, -40)];
    assert_eq!(fate(1, &both), (vec![], kept(["5 contested", "1 contested"])));
    assert_eq!(fate(1, &[&both[..], &present[..1]].concat()), (vec![1, 5], vec![]));
}

#[test]
fn what_is_rejected_or_unjudged_goes_for_no_contested_copy() {
    let rejected = copy(1, -3, 27).judged("rejected", -2);
    let better = copy(1, -1, 29).renumbered(2, -1);
    let other = better.clone().renumbered(3, 0);
    assert_eq!(fate(1, &[rejected.clone(), better.clone()]), (vec![1], vec![]));
    assert_eq!(fate(1, &[rejected, better, other]), (vec![], kept(["1 contested"])));
    let unjudged = unjudged(copy(4, -60, -9));
    assert_eq!(fate(1, &[unjudged.clone(), copy(5, -1, 29)]).0, vec![4]);
    assert_eq!(fate(1, &[unjudged, copy(5, -1, 29), copy(5, -1, 29).renumbered(6, 0)]).0, Vec::<u32>::new());
}

#[test]
fn a_rejected_copy_goes_as_the_contested_ones_beside_it_do() {
    let rejected = copy(1, -40, -10).judged("rejected", -39);
    let both = [copy(1, -40, -10).renumbered(2, -38), copy(1, -40, -10).renumbered(3, -37)];
    let all = |newer: &[Shown]| [std::slice::from_ref(&rejected), &both[..], newer].concat();
    let newer = [copy(4, -1, 29), copy(5, -2, 28)];
    assert_eq!(fate(2, &all(&newer[..1])).0, Vec::<u32>::new());
    assert_eq!(fate(2, &all(&newer)), (vec![1, 2, 3], vec![]));
}

#[test]
fn a_record_names_few_of_very_many_others() {
    let many: Vec<Shown> = (1..=2000).map(|number| copy(1, -40, -10).renumbered(number, -39)).collect();
    let facts = facts(&many);
    let plan = decide(&keeping(1), &facts, LIMITS, now());
    assert_eq!(plan.kept.len(), 2000);
    for kept in [&plan.kept[0], &plan.kept[1999]] {
        let record = snapferry_core::expiring::kept(kept, now());
        let message = record.message.unwrap();
        assert!(message.contains(" and 1989 more. Their tags"), "{message}");
        assert_eq!(record.copy.unwrap().others.len(), 10);
    }
}

#[test]
fn a_contested_copys_record_names_the_others() {
    let facts =
        facts(&[copy(1, -40, -10), copy(1, -40, -10).renumbered(2, -39), unjudged(copy(1, -40, -10)).renumbered(3, 0)]);
    let plan = decide(&keeping(1), &facts, LIMITS, now());
    let record = snapferry_core::expiring::kept(&plan.kept[1], now());
    let message = record.message.unwrap();
    assert!(message.contains("are the copy of its source, too: snap-c0000002, snap-c0000003. Their tags"), "{message}");
    assert!(message.contains("each stays until newer copies of the volume"), "{message}");
    let copy = record.copy.unwrap();
    assert_eq!(copy.snapshot.unwrap(), "snap-c0000001");
    assert_eq!(copy.others, ["snap-c0000002", "snap-c0000003"]);
}

#[test]
fn a_rejected_copys_record_says_what_it_goes_for() {
    let rejected = copy(1, -3, 27).judged("rejected", -2);
    let both = [copy(1, -3, 27).renumbered(2, -1), copy(1, -3, 27).renumbered(3, 0)];
    let newer = copy(4, 0, 30);
    let shown = [rejected.clone(), both[0].clone(), both[1].clone(), newer.clone()];
    let (facts, without) = (facts(&shown), [rejected, both[0].clone(), newer]);
    let plan = decide(&keeping(1), &facts, LIMITS, now());
    assert_eq!(told(&plan), (vec![], kept(["1 contested"])));
    let record = snapferry_core::expiring::kept(&plan.kept[0], now());
    let message = record.message.unwrap();
    assert!(message.contains("are the copy of its source: snap-c0000002, snap-c0000003. Their tags"), "{message}");
    assert_eq!(record.copy.unwrap().others, ["snap-c0000002", "snap-c0000003"]);
    assert_eq!(fate(1, &without), (vec![1], vec![]));
}

/// A newer one may be verified and not count: the record of an older one does not say that there is none.
#[test]
fn the_record_of_a_last_verified_copy_says_what_counts() {
    let newest = copy(2, -1, 29);
    let facts = facts(&[copy(1, -40, -10), newest.clone(), newest.renumbered(3, 0)]);
    for keep in [1, 2] {
        let plan = decide(&keeping(keep), &facts, LIMITS, now());
        let message = snapferry_core::expiring::kept(&plan.kept[0], now()).message.unwrap();
        assert!(message.contains("verified, contested by nothing, and under a living key"), "{message}");
    }
}

/// A copy that Snapferry made, five minutes after its source was started; no two sources at the same time.
fn real() -> impl Strategy<Value = Shown> {
    let key = prop_oneof![4 => Just(Alive), 1 => Just(InDoubt)];
    let state = prop_oneof![Just(State::Pending), Just(State::Completed)];
    (-60_i64..0, 1_i64..40, 1_u32..3, key, prop::option::weighted(0.2, state)).prop_map(
        |(start, days, volume, key, state)| {
            let made = copy(0, start, start + days).volume(volume).under(key);
            match state {
                Some(state) => unjudged(made).state(state),
                None => made,
            }
        },
    )
}

/// Another snapshot: of which copy it got the tags, whether before that one's verdict, and what verify-copies made of them.
type Impostor = (prop::sample::Index, bool, Option<&'static str>, State, KeyLife, i64);

fn impostor() -> impl Strategy<Value = Impostor> {
    let verdict = prop_oneof![6 => Just(Some("verified")), 2 => Just(None), 1 => Just(Some("rejected"))];
    let state = prop_oneof![6 => Just(State::Completed), 1 => Just(State::Pending), 1 => Just(State::Error)];
    let key = prop_oneof![6 => Just(Alive), 1 => Just(InDoubt), 1 => Just(Doomed)];
    (any::<prop::sample::Index>(), prop::bool::weighted(0.8), verdict, state, key, -90_i64..0)
}

fn numbered(number: u32, copy: Shown) -> Shown {
    let taken = copy.start + SignedDuration::from_mins(10 * i64::from(number));
    let bound = copy.tags.contains_key("snapferry:copy");
    let copy = copy.of_source(number).tag("snapferry:source-start-time", taken.to_string()).renumbered(number, 0);
    let copy = if bound { copy } else { unjudged(copy) };
    Shown { start: taken + SignedDuration::from_mins(5), ..copy }
}

fn tagged_as(number: u32, real: &Shown, (_, is_before, verdict, state, key, start): Impostor) -> Shown {
    let renumbered = real.clone().renumbered(number, start).under(key).state(state);
    match verdict {
        _ if !is_before => Shown { tags: real.tags.clone(), ..renumbered },
        Some(verdict) => {
            renumbered.tag("snapferry:status", verdict).tag("snapferry:settled-at", day(start).to_string())
        }
        None => unjudged(renumbered),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever tags somebody copies, at whatever moment, onto whatever snapshots: as time goes by no copy goes that would not
    /// go if there were nothing but Snapferry's own, however many deletions EC2 refuses meanwhile.
    #[test]
    fn no_impostor_lets_a_volumes_last_copies_go(
        real in prop::collection::vec(real(), 1..9), impostors in prop::collection::vec(impostor(), 0..6),
        keep in 1_usize..4, refused in prop::collection::hash_set(0_u32..20, 0..6)
    ) {
        let real: Vec<Shown> = (0..).zip(real).map(|(number, copy)| numbered(number, copy)).collect();
        let of = |impostor: &Impostor| impostor.0.get(&real);
        let impostors = (10..).zip(&impostors).map(|(number, impostor)| tagged_as(number, of(impostor), *impostor));
        let (mut shown, real): (Vec<Shown>, HashSet<String>) =
            (real.iter().cloned().chain(impostors).collect(), real.iter().map(|copy| copy.id.clone()).collect());
        for days in [0, 10, 50] {
            let (policies, limits) = (keeping(keep), lifted(1000));
            let own: Vec<Shown> = shown.iter().filter(|copy| real.contains(&copy.id)).cloned().collect();
            let (facts, own) = (facts(&shown), facts(&own));
            let plan = decide(&policies, &facts, limits, day(days));
            let alone = decide(&policies, &own, limits, day(days));
            let goes_alone: HashSet<_> = alone.deletions.iter().map(|deletion| deletion.copy.id.to_string()).collect();
            let is_taken = |id| !refused.contains(&number(id));
            let gone: HashSet<_> =
                plan.deletions.iter().filter(|deletion| is_taken(&deletion.copy.id)).map(|d| d.copy.id.to_string()).collect();
            let too_soon: Vec<_> = gone.intersection(&real).filter(|id| !goes_alone.contains(*id)).collect();
            prop_assert!(too_soon.is_empty(), "{too_soon:?}");
            for deletion in plan.deletions.iter().filter(|deletion| real.contains(deletion.copy.id.as_str())) {
                prop_assert_ne!(&deletion.survivor.unwrap().source, &deletion.copy.source);
            }
            shown.retain(|copy| !gone.contains(&copy.id));
        }
    }
}
