//! Which copies are proven, and with what they may be compared.

use std::collections::BTreeSet;
use std::fmt;

use crate::facts::{DescribedCopy, SourceSnapshot, State};
use crate::homes::is_anothers;
use crate::ids::{AccountId, Region};
use crate::policy::{Policy, ProofRule};
use crate::tags::Status;

/// The rule by which a copy is to be proven now: it has a verdict of its own, nothing was proven of it yet, and its policy has a
/// ProofRule for its Region. Nothing for a copy of another home or owner, or with a tag that cannot be read.
#[must_use]
pub fn due(
    policies: &[Policy],
    homes: &BTreeSet<Region>,
    account: Option<&AccountId>,
    region: &Region,
    copy: &DescribedCopy,
) -> Option<ProofRule> {
    let tags = &copy.tags;
    let is_verified = tags.status == Some(Status::Verified) && tags.copy.is_some() && copy.state == State::Completed;
    let is_ours = account.is_none_or(|account| copy.owner.as_ref() == Some(account))
        && !is_anothers(homes, tags.source_region.as_ref());
    if !is_verified || !is_ours || !tags.problems.is_empty() || tags.proof.is_some() {
        return None;
    }
    let policy = policies.iter().find(|policy| Some(&policy.name) == tags.policy.as_ref())?;
    policy.targets.iter().find(|target| target.region == *region)?.proof
}

/// Why a snapshot is not what a copy is compared with, although its ID is the one in the copy's tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Incomparable {
    /// EC2 does not show it: un-shared or deleted.
    Gone,
    /// Another account owns it than the tag says.
    Owner,
    /// It is of another size than the copy.
    Size,
    /// It was started at another time than the tag says.
    StartTime,
    /// It was shared in another Region than the one that this stack reads.
    Region,
}

impl fmt::Display for Incomparable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gone => "EC2 no longer shows the source",
            Self::Owner => "another account owns the snapshot that the copy's tag names as its source",
            Self::Size => "the snapshot that the copy's tag names as its source is of another size",
            Self::StartTime => "the snapshot that the copy's tag names as its source was started at another time",
            Self::Region => "the source is in another Region than the stack's home",
        })
    }
}

/// Whether EBS's code says that the source may not be read, so that the copy is read alone. Any other error may pass: EBS finds a
/// snapshot some minutes later than EC2, and tokens end. A source that is gone EC2 does not show any more.
#[must_use]
pub fn is_refusal(code: &str) -> bool {
    code == "AccessDeniedException"
}

/// Whether a snapshot is the one that a copy was made of, as far as EC2 says: bytes that differ from a stranger's must reject
/// nothing.
///
/// # Errors
/// In what it is not.
pub fn comparable(home: &Region, copy: &DescribedCopy, source: Option<&SourceSnapshot>) -> Result<(), Incomparable> {
    if copy.tags.source_region.as_ref() != Some(home) {
        return Err(Incomparable::Region);
    }
    let source = source.ok_or(Incomparable::Gone)?;
    if copy.tags.source_snapshot.as_ref() != Some(&source.id)
        || copy.tags.source_account.as_ref() != Some(&source.owner)
    {
        return Err(Incomparable::Owner);
    }
    if source.size_gib != copy.size_gib {
        return Err(Incomparable::Size);
    }
    if copy.tags.source_start_time != Some(source.start_time) {
        return Err(Incomparable::StartTime);
    }
    Ok(())
}
