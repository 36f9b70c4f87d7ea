//! The laws of deletion over arbitrary vaults with arbitrary tags.

use std::collections::HashSet;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use snapferry_core::expiring::{Cause, Keep, Limits, Plan, decide};
use snapferry_core::facts::{Copy, KeyLife, State};
use snapferry_core::rds::Kind;

use crate::databases::{any_database, fits};
use crate::world::*;

/// A value that a tag may have: mostly a plausible one, from few, so that copies share volumes and sources; then any.
fn value(key: &'static str) -> BoxedStrategy<Option<String>> {
    let moment = (-60_i64..60).prop_map(|days| day(days).to_string());
    let plausible = match key {
        "snapferry:policy" => {
            prop_oneof![9 => Just("default"), 3 => Just("retired"), 1 => Just("unnamed")].prop_map_into().boxed()
        }
        "snapferry:source-snapshot" => (0_u32..6).prop_map(|n| format!("snap-5{n:07x}")).boxed(),
        "snapferry:source-account" => prop_oneof![Just("111111111111"), Just("333333333333")].prop_map_into().boxed(),
        "snapferry:source-region" => {
            prop_oneof![5 => Just("us-east-1"), 1 => Just("us-east-2"), 1 => Just("eu-central-1")]
                .prop_map_into()
                .boxed()
        }
        "snapferry:source-volume" => {
            prop_oneof![Just("vol-00000001"), Just("vol-00000002"), Just("vol-ffffffff")].prop_map_into().boxed()
        }
        "snapferry:source-size-gib" => Just("8".to_owned()).boxed(),
        "snapferry:status" => {
            prop_oneof![6 => Just("verified"), 1 => Just("copying"), 1 => Just("failed"), 2 => Just("rejected")]
                .prop_map_into()
                .boxed()
        }
        // Stands for the snapshot's own ID.
        "snapferry:copy" => prop_oneof![20 => Just("own"), 1 => Just("snap-c0000001")].prop_map_into().boxed(),
        "snapferry:lock" => prop_oneof![Just("pending"), Just("locked")].prop_map_into().boxed(),
        _ => moment.boxed(),
    };
    let optional =
        matches!(key, "snapferry:lock" | "snapferry:expire-after" | "snapferry:settled-at" | "snapferry:copy");
    let missing = if optional { 10 } else { 1 };
    prop_oneof![
        60 => plausible.prop_map(Some),
        missing => Just(None),
        1 => ".{0,20}".prop_map(Some),
        1 => prop_oneof![Just("9999-12-30T22:00:00.999999999Z"), Just("-009999-01-02T01:59:59Z"), Just("0")]
            .prop_map(|text| Some(text.to_owned())),
    ]
    .boxed()
}

fn any_shown() -> impl Strategy<Value = Shown> {
    let keys: Vec<&'static str> = copy(1, 0, 0).tags.into_keys().chain(["snapferry:lock"]).collect();
    let tags: Vec<_> = keys.into_iter().map(|key| value(key).prop_map(move |value| (key, value))).collect();
    let state = prop_oneof![8 => Just(State::Completed), 1 => Just(State::Error), 1 => Just(State::Pending), 1 => Just(State::Other)];
    let owner = prop_oneof![30 => Just(OURS), 1 => Just("999999999999")];
    let key = prop_oneof![4 => Just(KeyLife::Alive), 1 => Just(KeyLife::InDoubt), 1 => Just(KeyLife::Doomed)];
    (tags, state, owner, -60_i64..0, 0_u32..30, key).prop_map(|(tags, state, owner, start, number, key)| {
        let id = format!("snap-c{number:07x}");
        let own = |value: String| if value == "own" { id.clone() } else { value };
        let tags = tags.into_iter().filter_map(|(key, value)| Some((key, own(value?)))).collect();
        Shown { owner: owner.to_owned(), state, start: day(start), key, tags, database: None, id }
    })
}

/// Vaults of copies of volumes or of databases, which have distinct IDs, as EC2's have, or distinct names, as RDS's have.
pub(crate) fn any_vault() -> impl Strategy<Value = Vec<Shown>> {
    let copies = prop_oneof![
        prop::collection::vec(any_shown(), 0..14).boxed(),
        prop::collection::vec(any_database(), 0..14).boxed(),
    ];
    copies.prop_map(|mut shown| {
        let mut seen = HashSet::new();
        shown.retain(|snapshot| seen.insert(snapshot.id.clone()));
        shown
    })
}

fn tag<'s>(shown: &'s Shown, key: &str) -> Option<&'s str> {
    shown.tags.get(key).map(String::as_str)
}

/// Whether it is one of Snapferry's and nothing is wrong with its tags.
fn is_whole(shown: &Shown) -> bool {
    fits(shown) && vault(std::slice::from_ref(shown)).tampered.is_empty()
}

/// Written anew from the tags' texts, so that a mistake in the code under test is not repeated here.
fn is_verified(shown: &Shown) -> bool {
    is_whole(shown)
        && is_in_scope(shown)
        && shown.owner == OURS
        && shown.state == State::Completed
        && tag(shown, "snapferry:status") == Some("verified")
        && tag(shown, "snapferry:copy") == Some(shown.id.as_str())
}

/// Verified, and it can be restored: only such a copy lets another go.
pub(crate) fn is_good(shown: &Shown) -> bool {
    is_verified(shown) && shown.key == KeyLife::Alive
}

/// What a copy is a copy of, as its tags say: for its policy, of the volume's snapshot with that ID, or of a database's with all
/// of these.
fn identity(copy: &Shown) -> (Option<Kind>, Vec<&str>) {
    let keys = ["policy", "source-snapshot", "source-account", "source-region", "source-start-time", "source-resource"];
    let keys = if copy.database.is_some() { &keys[..] } else { &keys[..2] };
    let told = keys.iter().map(|key| tag(copy, &format!("snapferry:{key}")).unwrap_or_default());
    (copy.database.map(|database| database.kind), told.collect())
}

/// Whether several live copies claim to be of its source, those among them whose other tags were edited.
fn is_contested(copy: &Shown, shown: &[Shown]) -> bool {
    let is_live = |other: &&Shown| {
        let is_anothers = |copy: &Copy| copy.origin.region.as_ref().is_some_and(|home| !HOMES.contains(&home.as_str()));
        let is_told = vault(std::slice::from_ref(*other)).copies.iter().any(|copy| !is_anothers(copy));
        let has_failed =
            matches!(tag(other, "snapferry:status"), Some("failed" | "rejected")) || other.state == State::Error;
        is_told && other.owner == OURS && other.key != KeyLife::Doomed && !has_failed
    };
    shown.iter().filter(|other| identity(other) == identity(copy)).filter(is_live).count() > 1
}

/// Whatever the home and the policy.
pub(crate) fn lineage(shown: &Shown) -> [&str; 2] {
    let made_of = if shown.database.is_some() { "snapferry:source-resource" } else { "snapferry:source-volume" };
    ["snapferry:source-account", made_of].map(|key| tag(shown, key).unwrap_or_default())
}

/// Whether nobody says of which volume or database it is.
fn is_unknown(shown: &Shown) -> bool {
    matches!(lineage(shown)[1], "" | "vol-ffffffff")
}

/// Whether a stack in us-east-1 that has taken over us-east-2, with the policy `default` and `retired` as a retired one, may
/// decide on it.
fn is_in_scope(shown: &Shown) -> bool {
    (shown.database.is_none() || shown.id.starts_with("snapferry-"))
        && matches!(tag(shown, "snapferry:policy"), Some("default" | "retired"))
        && tag(shown, "snapferry:source-region").is_some_and(|home| HOMES.contains(&home))
}

pub(crate) fn moment(shown: &Shown, key: &str) -> Option<Timestamp> {
    tag(shown, key)?.parse().ok()
}

pub(crate) fn lifted(max_deletes: usize) -> Limits {
    Limits { max_deletes, allow_mass_expiry: true }
}

pub(crate) fn gone(plan: &Plan<'_>) -> HashSet<String> {
    plan.deletions.iter().map(|deletion| deletion.copy.id.to_string()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn nothing_goes_without_all_tags_and_an_expiry_in_the_past(shown in any_vault()) {
        let (policies, facts) = (keeping(0), facts(&shown));
        let gone = gone(&decide(&policies, &facts, lifted(1000), now()));
        for snapshot in shown.iter().filter(|snapshot| gone.contains(&snapshot.id)) {
            prop_assert_eq!(&snapshot.owner, OURS);
            prop_assert!(is_whole(snapshot), "{:?}", snapshot);
            // To delete what is being made would cancel it.
            prop_assert!(matches!(snapshot.state, State::Completed | State::Error), "{:?}", snapshot);
            let week = SignedDuration::from_hours(7 * 24);
            let over = match tag(snapshot, "snapferry:status") {
                Some("copying") if snapshot.state == State::Error => Some(snapshot.start + week),
                Some("copying") => {
                    prop_assert_eq!(snapshot.state, State::Completed);
                    moment(snapshot, "snapferry:expire-after").and_then(|at| at.checked_add(week).ok())
                }
                Some("verified") => moment(snapshot, "snapferry:expire-after"),
                Some("failed" | "rejected") => {
                    moment(snapshot, "snapferry:settled-at").and_then(|at| at.checked_add(SignedDuration::from_hours(24)).ok())
                }
                _ => None,
            };
            prop_assert!(over.is_some_and(|over| over < now()), "{:?}", snapshot);
        }
    }

    #[test]
    fn a_copy_goes_only_while_its_day_or_as_many_days_as_are_to_be_kept_have_a_newer_one(shown in any_vault(), keep in 1_usize..4) {
        let (policies, facts) = (keeping(keep), facts(&shown));
        let plan = decide(&policies, &facts, lifted(1000), now());
        let gone = gone(&plan);
        for snapshot in shown.iter().filter(|snapshot| is_verified(snapshot) && gone.contains(&snapshot.id)) {
            let is_retired = tag(snapshot, "snapferry:policy") == Some("retired");
            let keep = if is_retired { 1 } else { keep };
            let age = |of: &Shown| moment(of, "snapferry:source-start-time").unwrap().min(of.start);
            let date = |of: &Shown| age(of).to_zoned(TimeZone::UTC).date();
            let policy = |of: &Shown| tag(of, "snapferry:policy").unwrap().to_owned();
            let newer: Vec<&Shown> = shown
                .iter()
                .filter(|other| is_good(other) && !is_contested(other, &shown) && lineage(other) == lineage(snapshot))
                .filter(|other| is_retired || policy(other) == policy(snapshot))
                .filter(|other| !gone.contains(&other.id) && age(other) >= age(snapshot))
                .collect();
            let days: HashSet<_> = newer.iter().map(|other| date(other)).collect();
            let stands_in = |other: &&Shown| date(other) == date(snapshot) && !is_contested(snapshot, &shown);
            prop_assert!(days.len() >= keep || newer.iter().any(stands_in), "{:?}", snapshot);
        }
        for deletion in &plan.deletions {
            let survivor = deletion.survivor.map(|copy| copy.origin.life);
            prop_assert!(deletion.cause != Cause::Expired || survivor == Some(KeyLife::Alive));
            let shown_survivor = shown.iter().find(|other| deletion.survivor.is_some_and(|s| s.id.as_str() == other.id));
            let is_rejected = shown_survivor.is_some_and(|other| tag(other, "snapferry:status") == Some("rejected"));
            prop_assert!(is_rejected || !shown_survivor.is_some_and(|other| is_contested(other, &shown)));
        }
        for deletion in plan.deletions.iter().filter(|deletion| deletion.cause == Cause::Unjudged) {
            let snapshot = shown.iter().find(|snapshot| snapshot.id == deletion.copy.id.as_str()).unwrap();
            let is_retired = tag(snapshot, "snapferry:policy") == Some("retired");
            let keep = if is_retired { 1 } else { keep };
            let age = |of: &Shown| moment(of, "snapferry:source-start-time").unwrap().min(of.start);
            let stays = |other: &&Shown| is_good(other) && !gone.contains(&other.id) && lineage(other) == lineage(snapshot);
            let of_policy = |other: &&Shown| is_retired || tag(other, "snapferry:policy") == Some("default");
            let newer = shown.iter().filter(stays).filter(of_policy).filter(|other| age(other) >= age(snapshot));
            let days: HashSet<_> = newer.map(|other| age(other).to_zoned(TimeZone::UTC).date()).collect();
            prop_assert!(days.len() >= keep, "{:?}", snapshot);
        }
    }

    #[test]
    fn a_retired_policys_due_copies_go_once_a_present_one_keeps_a_newer_one(shown in any_vault(), keep in 1_usize..3) {
        let (policies, facts) = (keeping(keep), facts(&shown));
        let gone = gone(&decide(&policies, &facts, lifted(1000), now()));
        let age = |of: &Shown| (moment(of, "snapferry:source-start-time").unwrap().min(of.start), of.start);
        for old in shown.iter().filter(|copy| is_verified(copy) && tag(copy, "snapferry:policy") == Some("retired")) {
            let is_due = moment(old, "snapferry:expire-after").is_some_and(|expiry| expiry < now());
            let displaces = |new: &&Shown| {
                is_good(new) && tag(new, "snapferry:policy") == Some("default") && lineage(new) == lineage(old)
                    && !gone.contains(&new.id) && age(new) > age(old) && !is_contested(new, &shown)
            };
            // What is newer than that and cannot be restored or told from another has nothing newer instead.
            let is_in_doubt = |other: &Shown, new: &Shown| {
                is_verified(other) && (!is_good(other) || is_contested(other, &shown))
                    && tag(other, "snapferry:policy") == Some("retired")
                    && lineage(other) == lineage(old) && age(other) >= age(new)
            };
            let outlives = |new: &Shown| displaces(&new) && !shown.iter().any(|other| is_in_doubt(other, new));
            if is_due && !is_unknown(old) && shown.iter().any(outlives) {
                prop_assert!(gone.contains(&old.id), "{:?}", old);
            }
        }
    }

    #[test]
    fn what_another_home_or_nobodys_policy_has_is_not_touched_and_changes_nothing(shown in any_vault(), years in -1_i64..1) {
        let policies = policies("");
        let is_anothers = |snapshot: &Shown| is_whole(snapshot) && !is_in_scope(snapshot);
        let ours: Vec<Shown> = shown.iter().filter(|snapshot| !is_anothers(snapshot)).cloned().collect();
        let (facts_of_all, facts_of_ours, when) = (facts(&shown), facts(&ours), day(365 * years));
        let mut all = decide(&policies, &facts_of_all, LIMITS, when);
        all.kept.retain(|kept| !matches!(kept.keep, Keep::PolicyNotNamed { .. }));
        let ours = decide(&policies, &facts_of_ours, LIMITS, when);
        prop_assert_eq!((all.deletions, all.kept), (ours.deletions, ours.kept));
        prop_assert_eq!((all.lineage_unknown, all.alarm), (ours.lineage_unknown, ours.alarm));
    }

    #[test]
    fn no_verified_copy_of_an_unknown_lineage_goes_and_all_that_are_due_are_counted(shown in any_vault()) {
        let (policies, facts) = (policies(""), facts(&shown));
        let plan = decide(&policies, &facts, lifted(1000), now());
        let unknown = |snapshot: &&Shown| is_unknown(snapshot) && is_verified(snapshot);
        let gone = gone(&plan);
        prop_assert!(!shown.iter().filter(unknown).any(|snapshot| gone.contains(&snapshot.id)));
        let due = |snapshot: &&Shown| moment(snapshot, "snapferry:expire-after").is_some_and(|expiry| expiry < now());
        prop_assert_eq!(plan.lineage_unknown, shown.iter().filter(unknown).filter(due).count());
    }

    #[test]
    fn a_rejected_copy_goes_only_while_another_copy_of_its_source_stays(mut shown in any_vault(), are_rejected in any::<bool>()) {
        // In half of the vaults no copy is what was asked for.
        for status in shown.iter_mut().filter(|_| are_rejected).filter_map(|copy| copy.tags.get_mut("snapferry:status")) {
            *status = "rejected".to_owned();
        }
        let (policies, facts) = (keeping(0), facts(&shown));
        let plan = decide(&policies, &facts, lifted(1000), now());
        for deletion in plan.deletions.iter().filter(|deletion| deletion.cause == Cause::Rejected) {
            let survivor = deletion.survivor.unwrap();
            prop_assert_ne!(&survivor.id, &deletion.copy.id);
            prop_assert_eq!(survivor.state, State::Completed);
            // What is in error holds no data, whatever its key.
            prop_assert!(deletion.copy.state == State::Error || survivor.origin.life <= deletion.copy.origin.life);
            let found = |copy: &Copy| shown.iter().find(|shown| shown.id == copy.id.as_str()).unwrap();
            if identity(found(survivor)) != identity(found(deletion.copy)) {
                // Nobody copies for a retired policy again: a newer good copy of the lineage will do. And of several that claim to
                // be of one source none tells which is it: then it goes as they do.
                if deletion.copy.origin.policy == survivor.origin.policy {
                    prop_assert!(is_contested(found(deletion.copy), &shown));
                    prop_assert!(deletion.copy.expire_after.get().is_some_and(|expiry| expiry < now()));
                } else {
                    prop_assert_eq!(deletion.copy.origin.policy.as_str(), "retired");
                    prop_assert_eq!(survivor.origin.policy.as_str(), "default");
                }
                prop_assert!(survivor.is_survivor() && survivor.taken_at() >= deletion.copy.taken_at());
                prop_assert_eq!((&survivor.lineage, &survivor.origin.account), (&deletion.copy.lineage, &deletion.copy.origin.account));
                prop_assert!(!gone(&plan).contains(survivor.id.as_str()));
            }
            let is_rejected_too = plan.deletions.iter().any(|d| d.cause == Cause::Rejected && d.copy.id == survivor.id);
            prop_assert!(!is_rejected_too);
        }
    }

    #[test]
    fn an_alarm_deletes_nothing_and_names_its_count(shown in any_vault(), years in -5_i64..5) {
        let (policies, facts) = (policies(""), facts(&shown));
        let when = day(365 * years);
        let (guarded, free) = (decide(&policies, &facts, LIMITS, when), decide(&policies, &facts, lifted(100), when));
        prop_assert_eq!(free.alarm, None);
        match guarded.alarm {
            Some(alarm) => {
                prop_assert!(guarded.deletions.is_empty());
                prop_assert_eq!(alarm.deletions(), free.deletions.len());
            }
            None => prop_assert_eq!(gone(&guarded), gone(&free)),
        }
        if shown.iter().any(|snapshot| is_in_scope(snapshot) && snapshot.start > when) {
            prop_assert!(guarded.deletions.is_empty());
        }
    }

    #[test]
    fn what_is_due_longest_goes_first_and_the_order_of_arrival_is_nothing(shown in any_vault(), seed in any::<u64>()) {
        let policies = policies("");
        let mut shuffled = shown.clone();
        shuffled.sort_by_key(|s| s.id.bytes().fold(seed | 1, |hash, b| (hash ^ u64::from(b)).wrapping_mul(0x100_0000_01b3)));
        let (one, two) = (facts(&shown), facts(&shuffled));
        let (one, two) = (decide(&policies, &one, lifted(100), now()), decide(&policies, &two, lifted(100), now()));
        let order = |plan: &Plan<'_>| plan.deletions.iter().map(|d| d.copy.id.to_string()).collect::<Vec<_>>();
        prop_assert_eq!(order(&one), order(&two));
        prop_assert!(one.deletions.is_sorted_by_key(|deletion| (deletion.likely_locked, deletion.due)));
    }

    #[test]
    fn no_snapshot_has_two_fates(shown in any_vault()) {
        let (policies, facts) = (policies(""), facts(&shown));
        let plan = decide(&policies, &facts, lifted(100), now());
        let mut seen = gone(&plan);
        prop_assert_eq!(seen.len(), plan.deletions.len());
        for notice in plan.kept.iter().filter_map(|kept| kept.notice()) {
            let id = notice.rsplit(' ').next().unwrap().to_owned();
            prop_assert!(seen.insert(id), "{}", notice);
        }
    }
}
