//! Sweeps in shards: what is read in parts adds up to the whole.

use std::collections::BTreeMap;

use proptest::prelude::*;
use snapferry_core::audit::{CopyDeferred, CopyRefused};
use snapferry_core::copying::{RegionCounts, Tally};
use snapferry_core::ids::{KeyArn, Region};
use snapferry_core::ledger::Shard;

use crate::world::{account, at, id};

#[test]
fn a_shard_is_its_sixteen_parts_each_snapshot_in_one() {
    for number in [0x1234_abcd_u32, 0, 0xffff_fff0] {
        let mut shard = Shard::all();
        for _ in 0..3 {
            let parts: Vec<Shard> = shard.parts().filter(|part| part.contains(&id(number))).collect();
            assert_eq!(parts.len(), 1);
            assert_eq!(shard.parts().count(), 16);
            shard = parts[0].clone();
        }
        assert_eq!(shard.filter(), format!("*{}", &format!("{number:08x}")[5..]));
    }
    assert_eq!(Shard::all().filter(), "snap-*");
}

fn any_tally() -> impl Strategy<Value = Tally> {
    let count = || prop_oneof![0u64..9, Just(u64::MAX)];
    let counts = (count(), count(), count(), count(), prop::option::of(-99i64..99)).prop_map(
        |(protected, in_flight, missing, unknown, since)| RegionCounts {
            protected,
            in_flight,
            missing,
            unknown,
            unprotected_since: since.map(at),
        },
    );
    let region = |n: u8| Region::parse(&format!("eu-west-{n}")).unwrap();
    let regions = prop::collection::btree_map((1u8..4).prop_map(region), counts, 0..3);
    let deferred = prop_oneof![Just(CopyDeferred::InLine), Just(CopyDeferred::RegionFull)];
    let owners =
        prop::collection::btree_map((1u32..4).prop_map(account), prop::option::of((-99i64..99).prop_map(at)), 0..3);
    let sums = (count(), count(), count(), count(), count(), count());
    let deferred = prop::collection::btree_map(deferred, count(), 0..2);
    (sums, regions, owners, deferred, prop::option::of((-99i64..99).prop_map(at)), any::<bool>()).prop_map(
        |(
            (shared, before_since, matching, over_retention, started, failed),
            regions,
            owners,
            deferred,
            oldest_missing,
            unusable,
        )| {
            let key = KeyArn::parse("arn:aws:kms:eu-west-1:222222222222:key/backup").unwrap();
            Tally {
                shared,
                before_since,
                matching,
                over_retention,
                started,
                failed,
                deferred,
                oldest_missing,
                regions,
                copied: owners.keys().map(|owner| (owner.clone(), oldest_missing.unwrap_or(at(0)))).collect(),
                owners,
                unusable_keys: unusable.then_some((key, CopyRefused::KeyDisabled)).into_iter().collect(),
                ..Tally::default()
            }
        },
    )
}

proptest! {
    #[test]
    fn what_parts_counted_adds_up_in_whatever_order(parts in prop::collection::vec(any_tally(), 0..6)) {
        let sum = |parts: &[Tally]| {
            let mut total = Tally::default();
            parts.iter().for_each(|part| total.add_all(part.clone()));
            total
        };
        let backwards: Vec<Tally> = parts.iter().rev().cloned().collect();
        let (there, back) = (sum(&parts), sum(&backwards));
        prop_assert_eq!(&there, &back);
        prop_assert_eq!(there.shared, parts.iter().fold(0, |sum: u64, part| sum.saturating_add(part.shared)));
        prop_assert_eq!(there.oldest_missing, parts.iter().filter_map(|part| part.oldest_missing).min());
        for (owner, newest) in &there.owners {
            prop_assert_eq!(*newest, parts.iter().filter_map(|part| part.owners.get(owner)).max().copied().flatten());
            let copied = parts.iter().filter_map(|part| part.copied.get(owner)).max().copied();
            prop_assert_eq!(there.last_heard()[owner], newest.or(copied));
        }
        let since = parts.iter().flat_map(|part| part.regions.values()).filter_map(|counts| counts.unprotected_since).min();
        prop_assert_eq!(there.total().unprotected_since, since);
        // Nothing that an item may hold makes a sum panic.
        let _ = there.total().unprotected();
    }

    #[test]
    fn counts_are_read_back_from_the_ledger_as_they_were_written(tally in any_tally()) {
        let text = serde_json::to_string(&tally).unwrap();
        prop_assert_eq!(serde_json::from_str::<Tally>(&text).unwrap(), tally);
    }
}

#[test]
fn a_key_under_which_several_parts_have_copies_counts_once() {
    let region = || Region::parse("eu-west-1").unwrap();
    let part = || Tally {
        refused: BTreeMap::from([(CopyRefused::CopiesKeyDoomed, 1), (CopyRefused::MalformedTags, 1)]),
        endangered_keys: [(region(), [("key".into(), CopyRefused::CopiesKeyDoomed)].into())].into(),
        ..Tally::default()
    };
    let mut total = Tally::default();
    for _ in 0..3 {
        total.add_all(part());
    }
    assert_eq!(total.refused, BTreeMap::from([(CopyRefused::CopiesKeyDoomed, 1), (CopyRefused::MalformedTags, 3)]));
}

#[test]
fn what_no_version_wrote_is_refused_and_what_an_earlier_one_lacked_counts_as_nothing() {
    let read = |text: &str| serde_json::from_str::<Tally>(text);
    assert_eq!(read("{}").unwrap(), Tally::default());
    for text in [
        r#"{"shared": -1}"#,
        r#"{"owners": {"root": null}}"#,
        r#"{"deferred": {"because": 1}}"#,
        r#"{"regions": {"x": {}}}"#,
    ] {
        assert!(read(text).is_err(), "{text}");
    }
}
