//! The longest lock that a document asks for, as the template bounds the verifier by it.

use super::Policy;
use crate::retention::{Interval, IntervalUnit, MAX_LOCK_DAYS};

/// What the template's `MaxLockDays` has to be for these policies: a plain number of days that none of their locks exceeds,
/// whenever it begins. A month counts 31 days and a year 366; 0 where nothing is locked.
#[must_use]
pub fn max_lock_days(policies: &[Policy]) -> u32 {
    let locks = policies.iter().flat_map(|policy| &policy.targets).filter_map(|target| target.lock);
    locks.map(|rule| most_days(rule.interval)).max().unwrap_or_default()
}

fn most_days(interval: Interval) -> u32 {
    let days = match interval.unit {
        IntervalUnit::Days => 1,
        IntervalUnit::Weeks => 7,
        IntervalUnit::Months => 31,
        IntervalUnit::Years => 366,
    };
    interval.count.saturating_mul(days).min(MAX_LOCK_DAYS)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn none_is_longer_than_ec2_allows() {
        for (count, unit, days) in [
            (1, IntervalUnit::Days, 1),
            (36_500, IntervalUnit::Days, 36_500),
            (2, IntervalUnit::Weeks, 14),
            (1, IntervalUnit::Months, 31),
            (1, IntervalUnit::Years, 366),
            (99, IntervalUnit::Years, 36_234),
            (u32::MAX, IntervalUnit::Years, 36_500),
        ] {
            assert_eq!(most_days(Interval { count, unit }), days);
        }
    }

    proptest! {
        #[test]
        fn no_lock_is_longer(count in 1_u32..36_500, unit in 0_usize..4, start in 0_i64..240_000_000_000) {
            let interval = Interval { count, unit: IntervalUnit::ALL[unit] };
            let start = Timestamp::from_second(start).unwrap();
            prop_assert!(interval.days_from(start) <= most_days(interval));
        }
    }
}
