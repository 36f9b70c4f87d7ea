//! "Did you mean": the known word nearest to a misspelt one.

/// The word of `known` that `typed` most likely meant: equal but for case, or at most two slips of the finger away; none where two are
/// as near.
#[must_use]
pub fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Longer words are no misspelling of ours, and the distance costs the product of the lengths.
    if typed.len() > 64 {
        return None;
    }
    let near: Vec<(usize, &str)> = known
        .into_iter()
        .map(|word| (distance(&typed.to_lowercase(), &word.to_lowercase()), word))
        .filter(|(distance, word)| *distance <= 2 && *distance * 3 <= word.len())
        .collect();
    let least = near.iter().map(|(distance, _)| *distance).min()?;
    let mut nearest = near.into_iter().filter(|(distance, _)| *distance == least).map(|(_, word)| word);
    nearest.next().filter(|_| nearest.next().is_none())
}

/// `; did you mean …?` for a message, or nothing.
pub(super) fn hint<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(typed, known).map(|word| format!(", did you mean {word:?}?")).unwrap_or_default()
}

/// How many insertions, deletions, replacements or swaps of neighbours turn `a` into `b` (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut previous = None;
    for (row, x) in a.chars().enumerate() {
        let mut this = vec![row + 1];
        for (column, y) in b.iter().enumerate() {
            let at = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX - 1);
            let mut cost = at(&last, column) + usize::from(x != *y);
            cost = cost.min(at(&last, column + 1) + 1).min(at(&this, column) + 1);
            let swapped = column > 0 && previous == Some(*y) && b.get(column - 1) == Some(&x);
            if swapped {
                cost = cost.min(at(&before, column - 1) + 1);
            }
            this.push(cost);
        }
        before = std::mem::replace(&mut last, this);
        previous = Some(x);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn slips_are_recognised_and_strangers_are_not() {
        let known = ["Target", "EncryptionConfiguration", "RetainRule", "LockRule"];
        for (typed, meant) in [
            ("target", Some("Target")),
            ("Tagret", Some("Target")),
            ("Targets", Some("Target")),
            ("EncriptionConfiguraton", Some("EncryptionConfiguration")),
            ("RetainRules", Some("RetainRule")),
            ("LockRul", Some("LockRule")),
            ("Trgt", Some("Target")),
            ("Tags", None),
            ("", None),
            ("DescriptionRegex", None),
        ] {
            assert_eq!(nearest(typed, known), meant, "{typed}");
        }
        assert_eq!(nearest(&"x".repeat(100_000), known), None);
    }
}
