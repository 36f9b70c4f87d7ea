//! What is wrong with a snapshot's tags.

use std::fmt;

use super::keys::COPY;
use crate::ids::SnapshotId;

/// A tag that somebody edited or removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagProblem {
    /// The tag's key.
    pub key: &'static str,
    /// What stands there (escaped, bounded), or nothing when the tag is missing.
    pub found: Option<String>,
}

/// In a key's place: a copy of a database whose name was not made of the tags that it has.
pub(crate) const NAME: &str = "name";

impl fmt::Display for TagProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.found {
            _ if self.key == NAME => f.write_str(
                "its name was made of other tags than it has, so one of those that say what it is a copy of was edited",
            ),
            Some(found) if self.key == COPY => write!(
                f,
                "tag {COPY} names {found:?}, so something copied these tags from another snapshot or edited them"
            ),
            Some(found) => write!(f, "tag {} cannot be read: {found:?}", self.key),
            None => write!(f, "tag {} is missing", self.key),
        }
    }
}

impl TagProblem {
    /// Whether the snapshot is not the one that its tags tell of: they name another one.
    #[must_use]
    pub fn is_of_another(&self) -> bool {
        let names_another = || self.found.as_ref().is_some_and(|found| SnapshotId::of_any_kind(found).is_ok());
        self.key == COPY && names_another()
    }
}
