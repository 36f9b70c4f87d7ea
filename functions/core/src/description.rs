//! A copy's description: where it comes from, then the source's own.

use crate::ids::{AccountId, Region, SnapshotId};
use crate::tags::ReadTags;

/// The longest description that EC2 takes, in characters (EC2 API reference, CopySnapshot).
pub const DESCRIPTION_LIMIT: usize = 255;

/// A copy's description, with as much of the source's as EC2's limit leaves room for.
pub(crate) fn of_copy(source: &SnapshotId, home: &Region, owner: &AccountId, original: &str) -> String {
    let mut text = origin(source, home, owner);
    if !original.is_empty() {
        text.push_str(BEFORE);
        text.push_str(original);
    }
    text.chars().take(DESCRIPTION_LIMIT).collect()
}

/// The source's description in that of its copy, going by the copy's tags; nothing where it may have been cut, or where
/// somebody else wrote the description.
pub(crate) fn of_source<'d>(description: &'d str, tags: &ReadTags) -> Option<&'d str> {
    let (source, home) = (tags.source_snapshot.as_ref()?, tags.source_region.as_ref()?);
    let rest = description.strip_prefix(origin(source, home, tags.source_account.as_ref()?).as_str())?;
    let is_whole = description.chars().count() < DESCRIPTION_LIMIT;
    rest.strip_prefix(BEFORE).or_else(|| rest.is_empty().then_some(rest)).filter(|_| is_whole)
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
        fn what_is_read_back_is_what_was_written_or_nothing(original in ".{0,255}", by_others in ".{0,255}") {
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
            let fits = origin(&source, &home, &owner).len() + BEFORE.len() + original.chars().count() < DESCRIPTION_LIMIT;
            prop_assert_eq!(of_source(&written, &tags), fits.then_some(original.as_str()));
            prop_assert_eq!(of_source(&by_others, &tags), None);
            let other = ReadTags { source_snapshot: SnapshotId::parse("snap-00000001").ok(), ..tags };
            prop_assert_eq!(of_source(&written, &other), None);
        }
    }
}
