//! How far a copy's content was compared with its source's.

use crate::audit::CopyProved;

/// What is proven. A copy of which nothing was looked at has no level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The copy's blocks were read as EBS gives their digests; the source's could not be, or were not to be.
    CopyOnly,
    /// Copy and source have blocks where the other has none; no block that both have was found to differ.
    StructureDiffers,
    /// Copy and source have the same blocks, of which none was read.
    Structure,
    /// Copy and source have the same blocks, and those that were drawn have the same bytes.
    Sampled,
    /// EBS says that no block has changed between source and copy.
    Unchanged,
    /// All blocks have the same bytes.
    Full,
}

impl Level {
    /// As the tag `snapferry:proof` has it: the reason of `copy.proved`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.reason().name()
    }

    /// The audit record's reason.
    #[must_use]
    pub fn reason(self) -> CopyProved {
        match self {
            Self::CopyOnly => CopyProved::CopyOnly,
            Self::StructureDiffers => CopyProved::StructureDiffers,
            Self::Structure => CopyProved::Structure,
            Self::Sampled => CopyProved::Sampled,
            Self::Unchanged => CopyProved::Unchanged,
            Self::Full => CopyProved::Full,
        }
    }
}
