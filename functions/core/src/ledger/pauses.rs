//! How long is waited. All of it is computed from counts: a time or a pause that stood in an item could be edited there.

use jiff::{SignedDuration, Timestamp};

/// How long after an intent nothing else is asked for in its place: the time in which its request leaves
/// ([`INTENT_GOOD_FOR`]) and the longest that EC2 was seen to hide a copy that it had started, with room.
pub const HOLD: SignedDuration = SignedDuration::from_mins(10);

/// How long after its intent a request may leave. Later the intent is renewed first.
pub const INTENT_GOOD_FOR: SignedDuration = SignedDuration::from_secs(30);

/// How long a copy is waited for that nobody wants any more and nobody verifies. Copies of the largest volumes were seen to take a day.
pub(super) const LONGEST_COPY: SignedDuration = SignedDuration::from_hours(7 * 24);

/// By how much another process's clock may be ahead. What lies further in the future counts as now.
pub const FOREIGN_CLOCK: SignedDuration = SignedDuration::from_mins(5);

/// How often what is over and still needed is written again: far more often than it would go by itself.
pub(super) const KEPT_ANEW: SignedDuration = SignedDuration::from_hours(24);

/// From so many failed copies on, and from so many refusals in a row on, which take about a day, an obligation is in vain.
pub(super) const IN_VAIN: (u32, u32) = (5, 24);

/// How long is waited after the `n`th copy in a row failed or was rejected: the first retry is immediate.
#[must_use]
pub fn pause_after_failures(n: u32) -> SignedDuration {
    match n {
        0 | 1 => SignedDuration::ZERO,
        2 => SignedDuration::from_mins(15),
        3 => SignedDuration::from_hours(1),
        4 => SignedDuration::from_hours(4),
        _ => SignedDuration::from_hours(6),
    }
}

/// How long is waited after the `n`th refusal in a row: a minute, doubled each time, at most an hour.
#[must_use]
pub fn pause_after_refusals(n: u32) -> SignedDuration {
    match n {
        0 => SignedDuration::ZERO,
        1..=6 => SignedDuration::from_mins(1_i64 << (n - 1)),
        _ => SignedDuration::from_hours(1),
    }
}

/// `at` and `pause` later.
pub(super) fn after(at: Timestamp, pause: SignedDuration) -> Timestamp {
    at.checked_add(pause).unwrap_or(at)
}
