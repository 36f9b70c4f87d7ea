//! Volumes that drop out of their account's backups: copies of others go on coming, and nothing tells that theirs do not.
//!
//! How often a volume is backed up stands in no policy: that its copies came in some rhythm is all that is known. It is a count and
//! a name, never a reason to do anything: a volume that was deleted drops out, too, until its copies have expired.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::facts::{Copy, Lineage, State};
use crate::homes::is_anothers;
use crate::ids::{AccountId, Region};
use crate::policy::{Policy, PolicyState};
use crate::tags::Status;

/// So many points make a rhythm.
const POINTS: usize = 3;
/// Backups that are closer together than this are one point: schedules that meet at an hour say nothing of the rhythm.
const FLOOR: SignedDuration = SignedDuration::from_hours(1);
/// Only points of so long before the newest tell the rhythm of today, unless there are fewer than [`POINTS`]: retention leaves few of
/// the older ones.
const RECENT: SignedDuration = SignedDuration::from_hours(14 * 24);
/// So many usual intervals may go by.
const INTERVALS: i32 = 3;

/// A volume of which no newer copy came for too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dropout<'f> {
    /// The source account.
    pub account: &'f AccountId,
    /// The volume.
    pub volume: &'f Lineage,
    /// How old the data of its newest good copy is: when its source was started.
    pub newest: Timestamp,
    /// Its usual interval.
    pub usual: SignedDuration,
}

/// The volumes that dropped out, the one that did so last first, so that those which are long gone do not hide it.
///
/// It looks at the good copies of `account`'s own (where that is known) and of these homes that enabled policies made of their own
/// owners' volumes, in whatever Region; where the copies of a Region are not among `copies`, it tells too much. Where nobody
/// named the volume, nothing is told. A volume of an account that is silent altogether is told as any other.
#[must_use]
pub fn dropouts<'f>(
    policies: &[Policy],
    account: Option<&AccountId>,
    homes: &BTreeSet<Region>,
    copies: impl IntoIterator<Item = &'f Copy>,
    now: Timestamp,
) -> Vec<Dropout<'f>> {
    let is_ours = |copy: &&Copy| {
        account.is_none_or(|account| copy.origin.owner.as_ref() == Some(account))
            && !is_anothers(homes, copy.origin.region.as_ref())
    };
    let good = copies.into_iter().filter(is_ours).filter(|copy| is_good(copy) && is_wanted(policies, copy));
    let mut points: Vec<_> = good
        .filter_map(|copy| Some((copy.origin.account.as_ref()?, copy.lineage.as_ref()?, &copy.source, copy.taken_at())))
        .filter(|(_, volume, ..)| !volume.is_filler())
        .collect();
    points.sort_unstable();
    points.dedup_by(|a, b| (a.0, a.1, a.2) == (b.0, b.1, b.2));
    let mut found: Vec<Dropout<'f>> = Vec::new();
    for lineage in points.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
        let Some((account, volume, ..)) = lineage.first() else { continue };
        let dropped = overdue(lineage.iter().map(|(.., taken)| *taken).collect(), now);
        found.extend(dropped.map(|(newest, usual)| Dropout { account, volume, newest, usual }));
    }
    found.sort_by_key(|dropout| Reverse(dropout.newest));
    found
}

/// Whatever has become of its key or lock, which others tell.
fn is_good(copy: &Copy) -> bool {
    copy.status == Some(Status::Verified) && copy.state == State::Completed && !copy.is_tampered
}

fn is_wanted(policies: &[Policy], copy: &Copy) -> bool {
    policies.iter().any(|policy| {
        policy.name == copy.origin.policy
            && policy.state == PolicyState::Enabled
            && !policy.targets.is_empty()
            && copy.origin.account.as_ref().is_some_and(|account| policy.owners.contains(account))
    })
}

/// The newest of these points and their usual interval, if the newest is older than three of those, and than any recent pause.
///
/// The usual interval is the median (of two the shorter), not the mean, which one pause would stretch. A pause that came before, such as each night's or
/// each weekend's, is no dropping out either, however short the usual interval.
#[must_use]
fn overdue(mut taken: Vec<Timestamp>, now: Timestamp) -> Option<(Timestamp, SignedDuration)> {
    taken.sort_unstable_by_key(|point| Reverse(*point));
    taken.dedup_by(|older, newer| newer.duration_since(*older) < FLOOR);
    let newest = *taken.first()?;
    let recent = taken.partition_point(|point| newest.duration_since(*point) <= RECENT).max(POINTS);
    let taken = taken.get(..recent).unwrap_or(&taken);
    if taken.len() < POINTS {
        return None;
    }
    let gap = |(newer, older): (&Timestamp, &Timestamp)| newer.duration_since(*older);
    let mut gaps: Vec<SignedDuration> = taken.iter().zip(taken.iter().skip(1)).map(gap).collect();
    gaps.sort_unstable();
    let usual = *gaps.get(gaps.len().saturating_sub(1) / 2)?;
    let longest = gaps.last()?.saturating_add(FLOOR);
    let allowed = usual.checked_mul(INTERVALS)?.max(longest);
    (now.duration_since(newest) > allowed).then_some((newest, usual))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn now() -> Timestamp {
        "2026-11-22T12:00:00Z".parse().unwrap()
    }

    fn ago(hours: &[i64]) -> Vec<Timestamp> {
        hours.iter().map(|hours| now() - SignedDuration::from_hours(*hours)).collect()
    }

    fn verdict(hours: &[i64]) -> Option<(i64, i64)> {
        overdue(ago(hours), now()).map(|(newest, usual)| (now().duration_since(newest).as_hours(), usual.as_hours()))
    }

    #[test]
    fn what_came_in_a_rhythm_and_stopped_is_told() {
        let days = |from: i64, to: i64| (from..to).map(|day| day * 24).collect::<Vec<i64>>();
        let with = |mut hours: Vec<i64>, more: &[i64]| {
            hours.extend_from_slice(more);
            hours
        };
        for (what, hours, expected) in [
            ("nothing", vec![], None),
            ("one is no rhythm", vec![500], None),
            ("two are none", vec![500, 524], None),
            ("the third day has just ended", days(3, 9), None),
            ("an hour later", days(3, 9).iter().map(|hour| hour + 1).collect(), Some((73, 24))),
            ("three are enough", vec![100, 124, 148], Some((100, 24))),
            ("hourly", vec![4, 5, 6, 7], Some((4, 1))),
            ("hourly, three hours ago", vec![3, 4, 5, 6], None),
            ("one was missed in between", vec![80, 128, 152, 176, 200], Some((80, 24))),
            (
                "thinned: a week of days, then weeks and months",
                with(days(8, 15), &[504, 672, 1400, 2100]),
                Some((192, 24)),
            ),
            ("monthly ones only", vec![2200, 2920, 3640], Some((2200, 720))),
            ("monthly ones only, and the next is due", vec![800, 1520, 2240], None),
            ("two schedules that meet: one point", vec![24, 24, 48, 48, 72, 72], None),
            ("two schedules that meet, and stopped", vec![96, 96, 120, 120, 144, 144], Some((96, 24))),
            ("by day, and the night is long", vec![13, 14, 15, 16, 30, 31, 32, 33], None),
            ("by day, and a whole day went by", vec![25, 26, 27, 28, 42, 43, 44, 45], Some((25, 1))),
            ("of tomorrow, by a wrong clock", vec![-24, 100, 124, 148], None),
        ] {
            assert_eq!(verdict(&hours), expected, "{what}: {hours:?}");
        }
    }

    proptest! {
        #[test]
        fn a_volume_in_its_rhythm_is_never_told_and_one_that_stopped_always(
            interval in 2_i64..800, count in 3_usize..40, late in 0_i64..10, missed in any::<bool>(),
        ) {
            let start = interval * late;
            let mut hours: Vec<i64> = (0..i64::try_from(count).unwrap()).map(|at| start + at * interval).collect();
            if missed && hours.len() > 12 {
                hours.remove(1);
            }
            let told = verdict(&hours);
            prop_assert_eq!(told.is_some(), late > 3, "{:?}", told);
        }

        #[test]
        fn neither_order_nor_copies_in_other_regions_nor_time_that_goes_by_change_the_verdict(
            hours in prop::collection::vec(-50_i64..3000, 0..30), later in 0_i64..500, turn in 0_usize..30,
        ) {
            let told = verdict(&hours);
            let mut twice: Vec<i64> = hours.iter().chain(&hours).copied().collect();
            let middle = turn.min(twice.len());
            twice.rotate_left(middle);
            prop_assert_eq!(verdict(&twice), told);
            if told.is_some() {
                prop_assert!(overdue(ago(&hours), now() + SignedDuration::from_hours(later)).is_some());
            }
        }

        #[test]
        fn a_newer_copy_ends_it(hours in prop::collection::vec(1_i64..3000, 3..30)) {
            let mut hours = hours;
            hours.push(0);
            prop_assert_eq!(verdict(&hours), None);
        }

        #[test]
        fn what_is_older_than_two_weeks_before_the_newest_counts_only_where_little_else_is(
            recent in prop::collection::btree_set(0_i64..300, 3..20), old in prop::collection::vec(1000_i64..9000, 0..10), age in 0_i64..500,
        ) {
            let recent: Vec<i64> = recent.into_iter().map(|hour| hour + age).collect();
            let mut all = recent.clone();
            all.extend(old.iter().map(|hour| hour + age));
            prop_assert_eq!(verdict(&all), verdict(&recent));
        }
    }
}
