//! A copy's description: where it comes from, then the source's own.

use crate::ids::{AccountId, Region, SnapshotId};
use crate::tags::ReadTags;

/// The longest description that EC2 takes, in characters (EC2 API reference, CopySnapshot). Of printable ASCII as many bytes.
pub const DESCRIPTION_LIMIT: usize = 255;

/// A copy's description in printable ASCII, with as much of the source's as EC2's limit leaves room for: a source's can hold what
/// EC2 refuses in a request, or cannot be signed alike everywhere, and no copy may fail of it. The audit has the original.
pub(crate) fn of_copy(source: &SnapshotId, home: &Region, owner: &AccountId, original: &str) -> String {
    let mut text = origin(source, home, owner);
    if !original.is_empty() {
        text.push_str(BEFORE);
        text.push_str(original);
    }
    text.chars().map(in_ascii).take(DESCRIPTION_LIMIT).collect()
}

/// The source's description in that of its copy, going by the copy's tags; nothing where it may have been cut or have had other
/// characters, or where somebody else wrote the description.
pub(crate) fn of_source<'d>(description: &'d str, tags: &ReadTags) -> Option<&'d str> {
    let (source, home) = (tags.source_snapshot.as_ref()?, tags.source_region.as_ref()?);
    let rest = description.strip_prefix(origin(source, home, tags.source_account.as_ref()?).as_str())?;
    let is_whole = description.chars().count() < DESCRIPTION_LIMIT;
    rest.strip_prefix(BEFORE)
        .or_else(|| rest.is_empty().then_some(rest))
        .filter(|rest| is_whole && !rest.contains(OTHER))
}

/// In place of each character that is not printable ASCII.
const OTHER: char = '?';

fn in_ascii(c: char) -> char {
    if c == ' ' || c.is_ascii_graphic() { c } else { OTHER }
}

/// Between the two.
const BEFORE: &str = ": ";

fn origin(source: &SnapshotId, home: &Region, owner: &AccountId) -> String {
    format!("Snapferry copy of {source} from {home} (account {owner})")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_read_back_is_what_was_written_or_nothing(original in "[ -~]{0,255}|.{0,255}|[\\x00-\\x7f]{0,30}", by_others in ".{0,255}") {
            let source = SnapshotId::parse("snap-0123456789abcdef0").unwrap();
            let home = Region::parse("eu-central-1").unwrap();
            let owner = AccountId::parse("111111111111").unwrap();
            let tags = ReadTags {
                source_snapshot: Some(source.clone()),
                source_region: Some(home.clone()),
                source_account: Some(owner.clone()),
                ..ReadTags::default()
            };
            let written = of_copy(&source, &home, &owner, &original);
            prop_assert!(written.len() <= 255 && written.bytes().all(|b| (b' '..=b'~').contains(&b)), "{}", written);
            let is_same = original.bytes().all(|b| (b' '..=b'~').contains(&b) && b != b'?');
            let fits = is_same && origin(&source, &home, &owner).len() + BEFORE.len() + original.chars().count() < DESCRIPTION_LIMIT;
            prop_assert_eq!(of_source(&written, &tags), fits.then_some(original.as_str()));
            prop_assert_eq!(of_source(&by_others, &tags), None);
            let other = ReadTags { source_snapshot: SnapshotId::parse("snap-00000001").ok(), ..tags };
            prop_assert_eq!(of_source(&written, &other), None);
        }
    }
}
