//! Which snapshots a filter names.

use std::collections::BTreeSet;

/// Numbers of snapshots.
pub(crate) enum Numbers {
    /// Each that ends in the same digits.
    Every { step: u64, first: u64 },
    /// Only these.
    These(BTreeSet<u64>),
}

impl Numbers {
    /// All there are.
    pub(crate) fn all() -> Self {
        Self::Every { step: 1, first: 0 }
    }

    /// Those whose IDs match one of the values: whole IDs, or one value with a wildcard in front of its digits or behind them.
    pub(crate) fn matching(values: &[String]) -> Option<Self> {
        match values {
            [any] if any == "*" || any == "snap-*" => Some(Self::all()),
            [pattern] if pattern.starts_with('*') => {
                let digits = pattern.trim_start_matches('*');
                let first = u64::from_str_radix(digits, 16).ok()?;
                Some(Self::Every { step: 16_u64.checked_pow(u32::try_from(digits.len()).ok()?)?, first })
            }
            values if values.iter().any(|value| value.contains(['*', '?'])) || values.len() > 200 => None,
            values => Some(Self::These(values.iter().filter_map(|value| number(value)).collect())),
        }
    }

    /// Those from `from` up to `to`, which is not included, in their order.
    pub(crate) fn between(&self, from: u64, to: u64) -> Box<dyn Iterator<Item = u64> + '_> {
        match self {
            Self::Every { step, first } => {
                let rounds = from.saturating_sub(*first).div_ceil(*step);
                let begin = first.saturating_add(rounds.saturating_mul(*step));
                Box::new((begin..to.max(begin)).step_by(usize::try_from(*step).unwrap_or(usize::MAX)))
            }
            Self::These(numbers) => Box::new(numbers.range(from..to.max(from)).copied()),
        }
    }
}

/// A snapshot's number, or that of a copy's source, from its ID.
pub(crate) fn number(id: &str) -> Option<u64> {
    let digits = id.strip_prefix("snap-0").or_else(|| id.strip_prefix("snap-f"))?;
    (digits.len() == 16).then(|| u64::from_str_radix(digits, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn within(values: &[&str], from: u64, to: u64) -> Vec<u64> {
        let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
        Numbers::matching(&values).unwrap().between(from, to).collect()
    }

    #[test]
    fn digits_name_every_sixteenth() {
        assert_eq!(within(&["*a"], 0, 60), [10, 26, 42, 58]);
        assert_eq!(within(&["*a"], 11, 42), [26]);
        assert_eq!(within(&["*0a"], 0, 300), [10, 266]);
        assert_eq!(within(&["snap-*"], 3, 6), [3, 4, 5]);
        assert_eq!(within(&["snap-00000000000000010", "snap-0000000000000000f", "other"], 0, 20), [15, 16]);
        assert!(Numbers::matching(&["*a".to_owned(), "*b".to_owned()]).is_none());
    }
}
