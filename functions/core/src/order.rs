//! Fairness when a target Region has fewer free slots than there are snapshots to copy.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use crate::facts::Lineage;
use crate::ids::AccountId;

/// Where an item stands in line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place<'f> {
    /// The source account.
    pub account: &'f AccountId,
    /// What its source is a snapshot of.
    pub lineage: &'f Lineage,
    /// When the source snapshot was started: the oldest comes first, since it may vanish first.
    pub start_time: Timestamp,
}

/// When each account and each of its lineages last had a copy started in this Region: EC2's own memory of whose turn
/// it was, so that turns go on from one sweep to the next even when each has a single free slot.
#[derive(Debug, Default)]
pub struct Served<'f> {
    accounts: HashMap<&'f AccountId, Timestamp>,
    lineages: HashMap<(&'f AccountId, &'f Lineage), Timestamp>,
}

impl<'f> Served<'f> {
    /// Notes that a copy for this account and lineage was started at `at`.
    pub fn note(&mut self, account: &'f AccountId, lineage: &'f Lineage, at: Timestamp) {
        let latest = |slot: &mut Timestamp| *slot = (*slot).max(at);
        self.accounts.entry(account).and_modify(latest).or_insert(at);
        self.lineages.entry((account, lineage)).and_modify(latest).or_insert(at);
    }
}

/// Puts `items` in a fair order: round-robin over source accounts (who was served longest ago goes first), within an
/// account round-robin over its lineages likewise, within a lineage the oldest snapshot first.
///
/// Whatever prefix of the result fits into a Region, no account has two copies more in it than another that still
/// waits. The order depends on the items only, not on the order they came in.
#[must_use]
pub fn fair<'f, T: Ord>(items: Vec<T>, served: &Served<'f>, place: impl Fn(&T) -> Place<'f>) -> Vec<T> {
    let mut accounts: BTreeMap<&AccountId, BTreeMap<&Lineage, Vec<T>>> = BTreeMap::new();
    for item in items {
        let at = place(&item);
        accounts.entry(at.account).or_default().entry(at.lineage).or_default().push(item);
    }
    let turns = accounts.into_iter().map(|(account, lineages)| {
        let turns = lineages.into_iter().map(|(lineage, mut queue)| {
            queue.sort_by(|a, b| (place(a).start_time, a).cmp(&(place(b).start_time, b)));
            (served.lineages.get(&(account, lineage)).copied(), queue)
        });
        (served.accounts.get(account).copied(), round_robin(turns.collect(), &place))
    });
    round_robin(turns.collect(), &place)
}

/// Takes one item of each queue in turn. Queues never served come first, then the one served longest ago; among equals
/// the one whose head is oldest.
fn round_robin<'f, T: Ord>(mut queues: Vec<(Option<Timestamp>, Vec<T>)>, place: &impl Fn(&T) -> Place<'f>) -> Vec<T> {
    queues.sort_by(|(a_served, a), (b_served, b)| {
        let head = |queue: &[T]| queue.first().map(|item| place(item).start_time);
        (a_served, head(a), a.first()).cmp(&(b_served, head(b), b.first()))
    });
    let mut ordered = Vec::with_capacity(queues.iter().map(|(_, queue)| queue.len()).sum());
    let mut waiting: Vec<_> = queues.into_iter().map(|(_, queue)| queue.into_iter()).collect();
    while !waiting.is_empty() {
        waiting.retain_mut(|queue| {
            ordered.extend(queue.next());
            queue.len() > 0
        });
    }
    ordered
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    type Item = (AccountId, Lineage, i64, u32);

    fn place(item: &Item) -> Place<'_> {
        Place { account: &item.0, lineage: &item.1, start_time: Timestamp::from_second(item.2).unwrap() }
    }

    fn item(account: u64, lineage: u32, start: i64, number: u32) -> Item {
        (
            AccountId::parse(&format!("{account:012}")).unwrap(),
            Lineage::parse(&format!("vol-{lineage:08x}")).unwrap(),
            start,
            number,
        )
    }

    fn order<'i>(items: &'i [Item], served: &Served<'i>) -> Vec<&'i Item> {
        fair(items.iter().collect(), served, |item| place(item))
    }

    fn any_items() -> impl Strategy<Value = Vec<Item>> {
        prop::collection::vec((0u64..4, 0u32..4, 0i64..50), 0..80)
            .prop_map(|raw| raw.into_iter().zip(0..).map(|((a, v, s), n)| item(a, v, s, n)).collect())
    }

    #[test]
    fn one_snapshot_is_not_starved_by_ten_thousand() {
        let mut items: Vec<Item> = (0..10_000).map(|n| item(1, n % 7, i64::from(n), n)).collect();
        items.push(item(2, 0, 1_000_000, 10_000));
        let ordered = order(&items, &Served::default());
        assert!(ordered.iter().take(2).any(|i| i.3 == 10_000));
    }

    #[test]
    fn with_one_slot_a_sweep_the_turn_passes_on() {
        let items: Vec<Item> = (0..6).map(|n| item(u64::from(n % 2), n % 3, i64::from(n), n)).collect();
        let mut left = items.clone();
        let mut served = Served::default();
        let mut accounts = Vec::new();
        for sweep in 0..items.len() {
            let first = order(&left, &served).first().copied().unwrap().clone();
            left.retain(|i| *i != first);
            let kept = items.iter().find(|i| **i == first).unwrap();
            served.note(&kept.0, &kept.1, Timestamp::from_second(100 + sweep as i64).unwrap());
            accounts.push(first.0.to_string());
        }
        assert!(accounts.windows(2).all(|pair| pair[0] != pair[1]), "{accounts:?}");
    }

    proptest! {
        #[test]
        fn nothing_is_lost_or_invented(items in any_items()) {
            let mut ordered: Vec<_> = order(&items, &Served::default()).into_iter().cloned().collect();
            let mut expected = items.clone();
            ordered.sort();
            expected.sort();
            prop_assert_eq!(ordered, expected);
        }

        #[test]
        fn the_order_does_not_depend_on_arrival(items in any_items(), seed in any::<u64>()) {
            let mut shuffled = items.clone();
            shuffled.sort_by_key(|i| u64::from(i.3).wrapping_mul(seed | 1).rotate_left(17));
            prop_assert_eq!(order(&items, &Served::default()), order(&shuffled, &Served::default()));
        }

        #[test]
        fn in_every_prefix_no_waiting_account_or_lineage_is_two_behind(items in any_items()) {
            let ordered = order(&items, &Served::default());
            for cut in 0..ordered.len() {
                let (taken, waiting) = ordered.split_at(cut);
                let mut accounts: HashMap<&AccountId, usize> = HashMap::new();
                let mut lineages: HashMap<(&AccountId, &Lineage), usize> = HashMap::new();
                for item in taken {
                    *accounts.entry(&item.0).or_default() += 1;
                    *lineages.entry((&item.0, &item.1)).or_default() += 1;
                }
                let most = accounts.values().copied().max().unwrap_or(0);
                for item in waiting {
                    prop_assert!(accounts.get(&item.0).copied().unwrap_or(0) + 1 >= most);
                    let mine = lineages.get(&(&item.0, &item.1)).copied().unwrap_or(0);
                    let most_here = lineages.iter().filter(|((a, _), _)| **a == item.0).map(|(_, n)| *n).max();
                    prop_assert!(mine + 1 >= most_here.unwrap_or(0));
                }
            }
        }

        #[test]
        fn within_a_lineage_the_oldest_comes_first(items in any_items()) {
            let ordered = order(&items, &Served::default());
            let mut last: HashMap<(&AccountId, &Lineage), i64> = HashMap::new();
            for item in ordered {
                let before = last.insert((&item.0, &item.1), item.2);
                prop_assert!(before.is_none_or(|before| before <= item.2));
            }
        }
    }
}
