//! The model's time: milliseconds since an arbitrary day. Nothing here sleeps or asks the machine's clock.

use jiff::Timestamp;

/// Milliseconds, a point in time or a span of it.
pub(crate) type Ms = i64;

pub(crate) const SECOND: Ms = 1000;
pub(crate) const MINUTE: Ms = 60 * SECOND;
pub(crate) const HOUR: Ms = 60 * MINUTE;
pub(crate) const DAY: Ms = 24 * HOUR;

/// 2026-11-01T00:00:00Z, in milliseconds.
const BEGIN: Ms = 1_793_491_200 * SECOND;

/// `at` as the decisions know it.
pub(crate) fn timestamp(at: Ms) -> Timestamp {
    Timestamp::from_millisecond(BEGIN + at).unwrap()
}

/// The other way round.
pub(crate) fn ms(at: Timestamp) -> Ms {
    at.as_millisecond() - BEGIN
}
