//! Which copies of a lineage are its last: by the days on which it has one.

use std::cmp::{Ordering, Reverse};
use std::collections::HashSet;

use jiff::tz::TimeZone;

use crate::facts::Copy;
use crate::ids::SnapshotId;

/// The newest data first.
pub(super) fn newest_first(a: &Copy, b: &Copy) -> Ordering {
    let key = |copy: &Copy| (copy.taken_at(), copy.start_time);
    Reverse(key(a)).cmp(&Reverse(key(b))).then_with(|| b.id.cmp(&a.id))
}

/// The newest copy of each of the last `days` UTC days on which there is one, so that no burst of snapshots displaces an older
/// day. `copies` are of one lineage, the newest first, each of another source: nothing else [claims](super::claims) to be it.
pub(super) fn last_days<'f>(copies: &[&'f Copy], days: usize) -> HashSet<&'f SnapshotId> {
    let (mut stay, mut last) = (HashSet::new(), None);
    for copy in copies {
        if stay.len() == days {
            break;
        }
        let day = TimeZone::UTC.to_datetime(copy.taken_at()).date();
        if last != Some(day) {
            stay.insert(&copy.id);
            last = Some(day);
        }
    }
    stay
}

/// Whether so many days have a newer copy among `good`, which are of its lineage, the newest first.
pub(super) fn is_outlived(copy: &Copy, good: &[&Copy], days: usize) -> bool {
    let newer = good.partition_point(|other| newest_first(other, copy).is_lt());
    good.get(..newer).is_some_and(|newer| last_days(newer, days).len() == days)
}
