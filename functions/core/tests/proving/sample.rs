use proptest::prelude::*;
use snapferry_core::proving::{Digest, Sample, Seed};

fn drawn(seed: u64, size: u32, indexes: impl IntoIterator<Item = u32>) -> Vec<u32> {
    let mut sample = Sample::new(Seed(seed), size);
    indexes.into_iter().for_each(|index| sample.offer(index));
    sample.indexes()
}

/// What `snapferry prove` must find again from a record that is years old.
#[test]
fn a_seed_draws_the_same_blocks_for_ever() {
    assert_eq!(drawn(0, 8, 0..1000), [17, 83, 285, 297, 494, 654, 887, 949]);
    assert_eq!(drawn(0x0123_4567_89ab_cdef, 8, 0..1000), [153, 171, 252, 483, 705, 770, 775, 924]);
}

#[test]
fn seeds_are_written_and_read() {
    for seed in [0, 1, u64::MAX, 0x0123_4567_89ab_cdef] {
        assert_eq!(Seed(seed).to_string().parse(), Ok(Seed(seed)));
    }
    for wrong in ["", "1", "+123456789abcdef", "0123456789abcdeg", "0123456789abcdef0"] {
        assert!(wrong.parse::<Seed>().is_err(), "{wrong}");
    }
}

/// 459 blocks find damage to 1 % of the blocks with 99 %: 0.99^459 < 0.01.
#[test]
fn a_sample_finds_damage_at_the_stated_rate() {
    let (blocks, seeds) = (20_000, 400);
    let is_found = |seed: &u64| drawn(*seed, 459, 0..blocks).iter().any(|index| index % 100 == 7);
    let found = (0..seeds).filter(is_found).count();
    assert!(found >= 388, "{found} of {seeds}");
    // Damage in one place is found as often as damage all over.
    let in_one_place = |seed: &u64| drawn(*seed, 459, 0..blocks).iter().any(|index| *index < 200);
    let found = (0..seeds).filter(in_one_place).count();
    assert!(found >= 388, "{found} of {seeds}");
}

/// By hand: `printf` of 32 zeros, the index and the block's SHA-256, through `sha256sum`.
#[test]
fn the_digest_is_a_chain_over_index_and_sha_256() {
    let first = Digest::default().then(7, &[0xab; 32]);
    insta::assert_snapshot!(first, @"ca8dafe3be2a6e0c458ac7b7898efdeb4d1c2e84d2ea59660dc78e647c27843e");
    insta::assert_snapshot!(first.then(9, &[0xcd; 32]), @"a81363dc662f6b0f7ee91bebdb18b3d0cf8963c47109a505c95b87f0012e6ad5");
    assert_eq!(first.to_string().parse(), Ok(first));
    assert_ne!(first.then(9, &[0xcd; 32]), Digest::default().then(9, &[0xcd; 32]).then(7, &[0xab; 32]));
    for wrong in ["", "ab", &"g".repeat(64), &"é".repeat(32)] {
        assert!(wrong.parse::<Digest>().is_err(), "{wrong}");
    }
}

proptest! {
    #[test]
    fn a_sample_is_the_same_in_any_order_and_from_its_own_parts(
        seed: u64, size in 0_u32..50, mut indexes in prop::collection::btree_set(0_u32..5000, 0..200), cut in 0_usize..200,
    ) {
        let all = drawn(seed, size, indexes.iter().copied());
        prop_assert_eq!(all.len(), indexes.len().min(size as usize));
        prop_assert!(all.iter().all(|index| indexes.contains(index)) && all.is_sorted());
        prop_assert_eq!(&drawn(seed, size, indexes.iter().rev().copied()), &all);
        let second = indexes.split_off(&(indexes.iter().nth(cut).copied().unwrap_or(5000)));
        let first = drawn(seed, size, indexes.iter().copied());
        prop_assert_eq!(drawn(seed, size, first.into_iter().chain(second)), all);
    }
}
