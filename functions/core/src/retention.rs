//! How long a copy is kept or locked: DLM's intervals, counted in calendar units.

use std::fmt;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// The longest `LockDuration` of `LockSnapshot`, in days (EC2 API reference). The shortest is one.
pub const MAX_LOCK_DAYS: u32 = 36_500;

/// The fewest days that so many consecutive months can last, by the number of months.
const SHORTEST_MONTHS: [u64; 12] = [0, 28, 59, 89, 120, 150, 181, 212, 242, 273, 303, 334];

/// The most days that so many consecutive months can last, by the number of months.
const LONGEST_MONTHS: [u64; 12] = [0, 31, 62, 92, 123, 153, 184, 215, 245, 276, 306, 337];

/// The unit of an [`Interval`] (DLM API reference, `RetentionIntervalUnitValues`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IntervalUnit {
    /// Days of 24 hours.
    Days,
    /// Weeks of 7 days.
    Weeks,
    /// Calendar months.
    Months,
    /// Calendar years.
    Years,
}

impl IntervalUnit {
    /// All units, the shortest first.
    pub const ALL: [Self; 4] = [Self::Days, Self::Weeks, Self::Months, Self::Years];

    /// The unit as DLM writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Days => "DAYS",
            Self::Weeks => "WEEKS",
            Self::Months => "MONTHS",
            Self::Years => "YEARS",
        }
    }

    /// The largest count that DLM takes: 100 years in this unit (DLM API reference, `CrossRegionCopyRetainRule`).
    #[must_use]
    pub fn max_count(self) -> u32 {
        match self {
            Self::Days => 36_500,
            Self::Weeks => 5_200,
            Self::Months => 1_200,
            Self::Years => 100,
        }
    }
}

impl fmt::Display for IntervalUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A count of calendar units: DLM's `Interval` and `IntervalUnit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Interval {
    /// How many units.
    pub count: u32,
    /// Which unit.
    pub unit: IntervalUnit,
}

impl Interval {
    /// The moment this interval after `start`, in UTC.
    ///
    /// Months and years keep the day of the month and clamp to the month's last day: 31 January and one month is
    /// 28 or 29 February. What lies beyond the last timestamp is the last timestamp.
    #[must_use]
    pub fn after(self, start: Timestamp) -> Timestamp {
        self.span()
            .and_then(|span| TimeZone::UTC.to_datetime(start).checked_add(span))
            .and_then(|end: DateTime| TimeZone::UTC.to_timestamp(end))
            .unwrap_or(Timestamp::MAX)
    }

    /// The exact number of days from `start` to [`Interval::after`] it, as `LockSnapshot` wants a `LockDuration`:
    /// 1 to 36,500. One month from 31 January is 28 days, or 29 in a leap year.
    #[must_use]
    pub fn days_from(self, start: Timestamp) -> u32 {
        let seconds = self.after(start).as_second().saturating_sub(start.as_second());
        u32::try_from(seconds / 86_400).unwrap_or(u32::MAX).clamp(1, MAX_LOCK_DAYS)
    }

    /// A number of days that the interval never falls below, whenever it starts.
    ///
    /// Exact for days and weeks, and for up to eleven months. A year counts 365 days, four of them 1461, less one
    /// day for each century year that may lie within, which has no 29 February.
    #[must_use]
    pub fn shortest_days(self) -> u64 {
        self.months().map_or_else(
            || self.fixed_days(),
            |(years, months)| {
                let leap = (years / 4).saturating_sub(if years < 4 { 0 } else { years / 100 + 1 });
                365 * years + leap + SHORTEST_MONTHS.get(months).copied().unwrap_or_default()
            },
        )
    }

    /// A number of days that the interval never exceeds, whenever it starts.
    ///
    /// Exact for days and weeks, and for up to eleven months. A year counts 365 days and the 29 Februaries that may
    /// lie within: one in 1 to 4 years, two in 5 to 8.
    #[must_use]
    pub fn longest_days(self) -> u64 {
        self.months().map_or_else(
            || self.fixed_days(),
            |(years, months)| 365 * years + years.div_ceil(4) + LONGEST_MONTHS.get(months).copied().unwrap_or_default(),
        )
    }

    /// Whether this interval may end after `other` when both start together, on some date at least.
    ///
    /// Days and weeks are compared with each other exactly, and so are months and years; otherwise the longest
    /// possible length of one is held against the shortest of the other. So 28 DAYS never outlast 1 MONTHS, and
    /// 30 DAYS do in February.
    #[must_use]
    pub fn may_outlast(self, other: Self) -> bool {
        match (self.months(), other.months()) {
            (Some(mine), Some(others)) => mine > others,
            _ => self.longest_days() > other.shortest_days(),
        }
    }

    fn span(self) -> Result<Span, jiff::Error> {
        let count = i64::from(self.count);
        match self.unit {
            IntervalUnit::Days => Span::new().try_days(count),
            IntervalUnit::Weeks => Span::new().try_weeks(count),
            IntervalUnit::Months => Span::new().try_months(count),
            IntervalUnit::Years => Span::new().try_years(count),
        }
    }

    /// Whole years and the months left over; nothing for days and weeks.
    fn months(self) -> Option<(u64, usize)> {
        let count = u64::from(self.count);
        match self.unit {
            IntervalUnit::Days | IntervalUnit::Weeks => None,
            IntervalUnit::Months => Some((count / 12, (self.count % 12) as usize)),
            IntervalUnit::Years => Some((count, 0)),
        }
    }

    fn fixed_days(self) -> u64 {
        let count = u64::from(self.count);
        if self.unit == IntervalUnit::Weeks { count * 7 } else { count }
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.count, self.unit)
    }
}

/// The mode of a lock (EC2 API reference, `LockSnapshot`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LockMode {
    /// Users with special permissions may lift the lock.
    Governance,
    /// Nobody may, once the cool-off period is over.
    Compliance,
}

impl LockMode {
    /// The mode as EC2 writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Governance => "governance",
            Self::Compliance => "compliance",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn interval(text: &str) -> Interval {
        let (count, unit) = text.split_once(' ').unwrap();
        let unit = IntervalUnit::ALL.into_iter().find(|u| u.as_str() == unit).unwrap();
        Interval { count: count.parse().unwrap(), unit }
    }

    #[test]
    fn calendar() {
        for (start, text, end, days) in [
            ("2026-01-31T10:20:30Z", "1 MONTHS", "2026-02-28T10:20:30Z", 28),
            ("2028-01-31T10:20:30Z", "1 MONTHS", "2028-02-29T10:20:30Z", 29),
            ("2026-01-31T00:00:00Z", "2 MONTHS", "2026-03-31T00:00:00Z", 59),
            ("2026-08-31T00:00:00Z", "18 MONTHS", "2028-02-29T00:00:00Z", 547),
            ("2028-02-29T23:59:59.5Z", "1 YEARS", "2029-02-28T23:59:59.5Z", 365),
            ("2028-02-29T00:00:00Z", "4 YEARS", "2032-02-29T00:00:00Z", 1461),
            ("2096-02-29T00:00:00Z", "4 YEARS", "2100-02-28T00:00:00Z", 1460),
            ("2026-12-31T00:00:00Z", "1 DAYS", "2027-01-01T00:00:00Z", 1),
            // The clocks of Europe and America change in these intervals: UTC's do not.
            ("2026-03-28T01:30:00Z", "1 DAYS", "2026-03-29T01:30:00Z", 1),
            ("2026-03-07T07:30:00Z", "1 WEEKS", "2026-03-14T07:30:00Z", 7),
            ("2026-10-01T02:00:00Z", "1 MONTHS", "2026-11-01T02:00:00Z", 31),
            ("2026-11-22T03:00:00Z", "36500 DAYS", "2126-10-29T03:00:00Z", 36_500),
            ("2026-11-22T03:00:00Z", "5200 WEEKS", "2126-07-21T03:00:00Z", 36_400),
            // A century holds up to 36,525 days, a lock at most 36,500.
            ("2026-11-22T03:00:00Z", "1200 MONTHS", "2126-11-22T03:00:00Z", 36_500),
            ("2026-11-22T03:00:00Z", "100 YEARS", "2126-11-22T03:00:00Z", 36_500),
            ("9950-01-01T00:00:00Z", "100 YEARS", "9999-12-30T22:00:00.999999999Z", 18_260),
            ("9999-12-30T22:00:00.999999999Z", "1 DAYS", "9999-12-30T22:00:00.999999999Z", 1),
            ("2026-11-22T03:00:00Z", "4294967295 DAYS", "9999-12-30T22:00:00.999999999Z", 36_500),
            ("2026-11-22T03:00:00Z", "4294967295 YEARS", "9999-12-30T22:00:00.999999999Z", 36_500),
            ("-009999-01-02T01:59:59Z", "1 YEARS", "-009998-01-02T01:59:59Z", 365),
        ] {
            let start: Timestamp = start.parse().unwrap();
            let interval = interval(text);
            assert_eq!(interval.to_string(), text);
            assert_eq!(interval.after(start).to_string(), end, "{start} + {text}");
            assert_eq!(interval.days_from(start), days, "{start} + {text}");
        }
    }

    #[test]
    fn lock_against_retention() {
        for (lock, retention, outlasts) in [
            ("1 MONTHS", "1 MONTHS", false),
            ("12 MONTHS", "1 YEARS", false),
            ("13 MONTHS", "1 YEARS", true),
            ("2 WEEKS", "14 DAYS", false),
            ("15 DAYS", "2 WEEKS", true),
            ("28 DAYS", "1 MONTHS", false),
            ("4 WEEKS", "1 MONTHS", false),
            ("29 DAYS", "1 MONTHS", true),
            ("365 DAYS", "1 YEARS", false),
            ("366 DAYS", "1 YEARS", true),
            ("1 MONTHS", "31 DAYS", false),
            ("1 MONTHS", "30 DAYS", true),
            ("1 YEARS", "366 DAYS", false),
            ("1 YEARS", "365 DAYS", true),
            ("100 YEARS", "36500 DAYS", true),
        ] {
            assert_eq!(interval(lock).may_outlast(interval(retention)), outlasts, "{lock} against {retention}");
        }
    }

    fn any_interval() -> impl Strategy<Value = Interval> {
        (0_usize..4, 0.0..1.0_f64).prop_map(|(unit, part)| {
            let unit = IntervalUnit::ALL[unit];
            Interval { count: 1 + (f64::from(unit.max_count() - 1) * part) as u32, unit }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn bounds_hold_on_every_date(interval in any_interval(), start in 0_i64..240_000_000_000) {
            let start = Timestamp::from_second(start).unwrap();
            let days = (interval.after(start).as_second() - start.as_second()) as u64 / 86_400;
            prop_assert!(interval.shortest_days() <= days, "{interval} from {start}: {days}");
            prop_assert!(days <= interval.longest_days(), "{interval} from {start}: {days}");
        }

        #[test]
        fn what_never_outlasts_never_does(a in any_interval(), b in any_interval(), start in 0_i64..240_000_000_000) {
            let start = Timestamp::from_second(start).unwrap();
            if !a.may_outlast(b) {
                prop_assert!(a.after(start) <= b.after(start), "{a} and {b} from {start}");
            }
        }

        #[test]
        fn never_panics(count: u32, unit in 0_usize..4, start in Timestamp::MIN.as_second()..=Timestamp::MAX.as_second()) {
            let interval = Interval { count, unit: IntervalUnit::ALL[unit] };
            let start = Timestamp::from_second(start).unwrap();
            prop_assert!(interval.after(start) >= start);
            prop_assert!((1..=36_500).contains(&interval.days_from(start)));
            prop_assert!(interval.shortest_days() <= interval.longest_days());
        }
    }
}
