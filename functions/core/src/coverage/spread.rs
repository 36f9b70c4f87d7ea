//! How times are spread: from when a copy was wanted to its verdict, and until the copies expire.

use jiff::{SignedDuration, Timestamp};

use super::{Coverage, Standing};

/// A part of a distribution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// In words.
    pub label: &'static str,
    /// How many.
    pub count: usize,
}

const PROTECT: [(&str, i64); 7] = [
    ("under 15 min", 15 * 60),
    ("15 to 30 min", 30 * 60),
    ("30 to 60 min", 60 * 60),
    ("1 to 4 h", 4 * 3600),
    ("4 to 12 h", 12 * 3600),
    ("12 to 24 h", 24 * 3600),
    ("over a day", i64::MAX),
];

const DAY: i64 = 24 * 3600;
const EXPIRE: [(&str, i64); 8] = [
    ("due", 0),
    ("within a day", DAY),
    ("within a week", 7 * DAY),
    ("within 30 days", 30 * DAY),
    ("within 90 days", 90 * DAY),
    ("within a year", 365 * DAY),
    ("later", i64::MAX),
    ("never", i64::MAX),
];

/// How long it took until the copy was verified, of all protected identities ([`Row::time_to_protect`](super::Row::time_to_protect)).
#[must_use]
pub fn time_to_protect(coverage: &Coverage<'_>) -> Vec<Bucket> {
    let times = coverage.rows.iter().filter_map(super::Row::time_to_protect);
    let mut buckets = empty(&PROTECT);
    for time in times {
        count(&mut buckets, &PROTECT, |edge| time < SignedDuration::from_secs(edge));
    }
    buckets
}

/// When the protecting copies expire, history included.
#[must_use]
pub fn expiries(coverage: &Coverage<'_>, now: Timestamp) -> Vec<Bucket> {
    let mut buckets = empty(&EXPIRE);
    for row in coverage.rows.iter().filter(|row| row.standing == Standing::Protected) {
        match row.copy.and_then(|copy| copy.expire_after.get()) {
            Some(at) => {
                let left = at.duration_since(now);
                count(&mut buckets, &EXPIRE, |edge| left < SignedDuration::from_secs(edge));
            }
            None => {
                if let Some(never) = buckets.last_mut() {
                    never.count += 1;
                }
            }
        }
    }
    buckets
}

fn empty(edges: &[(&'static str, i64)]) -> Vec<Bucket> {
    edges.iter().map(|(label, _)| Bucket { label, count: 0 }).collect()
}

fn count(buckets: &mut [Bucket], edges: &[(&str, i64)], is_below: impl Fn(i64) -> bool) {
    let at = edges.iter().position(|(_, edge)| *edge == i64::MAX || is_below(*edge));
    if let Some(bucket) = at.and_then(|at| buckets.get_mut(at)) {
        bucket.count += 1;
    }
}
