//! Why a copy goes or stays, and what an operator does about it.

use std::fmt;

use crate::audit::{CopyExpired, CopyKept, CopySkipped, Reason};
use crate::facts::{CallError, Copy, TamperedCopy};
use crate::ids::{PolicyName, SnapshotId};
use crate::tags::Status;

/// Why a copy is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// Its time is over.
    Expired,
    /// EC2 gave up on it, more than a day ago.
    Failed,
    /// It was found not to be what was asked for, more than a day ago, and is not the only copy of its source.
    Rejected,
    /// Its time was over for a week and no verdict was ever written to it, while newer verified copies stay.
    Unjudged,
}

/// Why a copy stays although its time is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keep<'f> {
    /// It is the newest verified copy of its lineage of one of the last days on which there is one.
    LastVerified {
        /// The copy.
        copy: &'f Copy,
        /// On how many days.
        keep_at_least: usize,
    },
    /// Several live copies claim to be of its source, and their tags do not tell which of them is.
    Contested {
        /// The copy.
        copy: &'f Copy,
        /// The first of the live ones beside it.
        others: Vec<&'f SnapshotId>,
        /// How many more of them there are.
        more: usize,
    },
    /// It is rejected, and there is no better copy of its source in that Region.
    OnlyCopy(&'f Copy),
    /// It has no verdict yet, or one that does not name it.
    NotVerified(&'f Copy),
    /// It has a verdict, but nothing says since when.
    NotSettled(&'f Copy),
    /// Its verdict and EC2's state of it do not go together.
    StateContradicts(&'f Copy),
    /// Another account owns it.
    ForeignOwner(&'f Copy),
    /// Its tags were edited or removed.
    MalformedTags(&'f TamperedCopy),
    /// Nobody says what is to become of a policy's copies: the document does not have it, and it is not retired.
    PolicyNotNamed {
        /// The policy.
        policy: &'f PolicyName,
        /// How many copies of it there are in the Region, whether their time is over or not.
        copies: usize,
    },
    /// The Region's copies could not be read.
    RegionUnread(&'f CallError),
}

/// What the second look, just before deleting, found changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Change {
    /// The copy is gone.
    Gone,
    /// The copy's tags or state no longer say that its time is over.
    NotDue,
    /// The copy that was to make it dispensable is gone or no longer good.
    SurvivorGone,
}

/// What EC2's refusal to delete means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// A lock holds the copy.
    Locked,
    /// An AMI uses the copy.
    InUse,
    /// The role may not delete it.
    NotAuthorized,
    /// Too many requests.
    Throttled,
    /// Anything else.
    Other,
}

/// What a failed deletion means for its copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeleteFailure {
    /// EC2 knows no such snapshot.
    Gone,
    /// EC2 certainly did nothing.
    Refused(Refusal),
    /// It may be deleted.
    Unknown,
}

impl Cause {
    /// The audit record's reason.
    #[must_use]
    pub fn reason(self) -> CopyExpired {
        match self {
            Self::Expired => CopyExpired::Expired,
            Self::Failed => CopyExpired::Failed,
            Self::Rejected => CopyExpired::Rejected,
            Self::Unjudged => CopyExpired::Unjudged,
        }
    }
}

impl<'f> Keep<'f> {
    /// The audit record's reason.
    #[must_use]
    pub fn reason(&self) -> CopyKept {
        match self {
            Self::LastVerified { .. } => CopyKept::LastVerified,
            Self::Contested { .. } => CopyKept::Contested,
            Self::OnlyCopy(_) => CopyKept::OnlyCopy,
            Self::NotVerified(_) => CopyKept::NotVerified,
            Self::NotSettled(_) => CopyKept::NotSettled,
            Self::StateContradicts(_) => CopyKept::StateContradicts,
            Self::ForeignOwner(_) => CopyKept::ForeignOwner,
            Self::MalformedTags(_) => CopyKept::MalformedTags,
            Self::PolicyNotNamed { .. } => CopyKept::PolicyNotNamed,
            Self::RegionUnread(_) => CopyKept::RegionUnread,
        }
    }

    /// The copy, where it is one whose tags can be read.
    #[must_use]
    pub fn copy(&self) -> Option<&'f Copy> {
        match self {
            Self::LastVerified { copy, .. }
            | Self::Contested { copy, .. }
            | Self::OnlyCopy(copy)
            | Self::NotVerified(copy)
            | Self::NotSettled(copy)
            | Self::StateContradicts(copy)
            | Self::ForeignOwner(copy) => Some(copy),
            Self::MalformedTags(_) | Self::PolicyNotNamed { .. } | Self::RegionUnread(_) => None,
        }
    }
}

impl fmt::Display for Keep<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LastVerified { keep_at_least: 1, .. } => f.write_str(
                "Its time is over, but it is the newest copy of its volume or database that is verified, contested by \
                 nothing, and under a living key. It goes once there is a newer one.",
            ),
            Self::LastVerified { keep_at_least, .. } => write!(
                f,
                "Its time is over, but it is the newest of one of the last {keep_at_least} days on which its volume or database has \
                 a copy that is verified, contested by nothing, and under a living key (KeepAtLeast). It goes once there are newer \
                 ones of other days."
            ),
            Self::Contested { copy, others, more } => contested(copy, others, *more, f),
            Self::OnlyCopy(_) => f.write_str(
                "It was rejected more than a day ago, but there is no better copy of its source in this Region. It goes once \
                 there is one; if it is worthless, delete it by hand.",
            ),
            Self::NotVerified(_) => f.write_str(
                "Its time is over, but it has no verdict that names it (tag snapferry:copy) yet. See what verify-copies says of it. \
                 If no verdict can be written, it goes a week after its time only where newer verified copies of its volume or \
                 database stay of as many days as KeepAtLeast asks for.",
            ),
            Self::NotSettled(_) => f.write_str(
                "It failed or was rejected, but its tag snapferry:settled-at, which says when, is gone. Restore the tag from \
                 the record of the verdict, or delete the copy by hand.",
            ),
            Self::StateContradicts(_) => f.write_str(
                "Its tag snapferry:status and EC2's state of it do not go together, so the tag may be wrong. Look at both, and \
                 correct the tag or delete the copy by hand.",
            ),
            Self::ForeignOwner(_) => f.write_str("Another account owns it, so it is none of Snapferry's."),
            Self::MalformedTags(copy) => {
                f.write_str("Somebody changed Snapferry's tags on it:")?;
                for problem in &copy.problems {
                    write!(f, " {problem};")?;
                }
                f.write_str(" it is never deleted, and never proof that another copy may go. ")?;
                f.write_str(copy.remedy())
            }
            Self::PolicyNotNamed { policy, .. } => write!(
                f,
                "The document has no policy {policy}, and it is not named as retired either, so its copies are not judged, \
                 locked or deleted. If it is the policy of another stack in the same Region, leave it alone. Otherwise name it in the stack's RetiredPolicies (SNAPFERRY_RETIRED_POLICIES) to let its copies \
                 expire, or put the policy back into the document."
            ),
            Self::RegionUnread(_) => f.write_str(
                "The copies in this Region could not be read, so none of them is deleted. The next run looks again.",
            ),
        }
    }
}

fn contested(copy: &Copy, others: &[&SnapshotId], more: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let others: Vec<&str> = others.iter().map(|id| id.as_str()).collect();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let others = format!("{}{more}", others.join(", "));
    match copy.status {
        Some(Status::Rejected) => write!(
            f,
            "It was rejected more than a day ago, and by their tags several live snapshots are the copy of its source: \
             {others}. Their tags do not tell which, so it goes for none of them. It does once a single one is left and good, or, its \
             time being over, once newer copies of the volume or database, contested by nothing, stay of as many days as KeepAtLeast asks for."
        ),
        _ => write!(
            f,
            "Its time is over, but by their tags other live snapshots are the copy of its source, too: {others}. Their tags do \
             not tell which is, so none of them lets another copy go, and each stays until newer copies of the volume \
             or database, contested by nothing, stay of as many days as KeepAtLeast asks for."
        ),
    }?;
    f.write_str(
        " Look at each one's own copy.started record (copy.snapshot) and, of a volume's, description, which no tag changes: what Snapferry \
         made begins with \"Snapferry copy of\" and its source. If that is another source, restore its own tags; what has neither \
         is none of Snapferry's: remove all tags whose keys begin with snapferry: from it, and look for what copied them there.",
    )
}

impl Change {
    /// The audit record's reason.
    #[must_use]
    pub fn reason(self) -> Reason {
        match self {
            Self::Gone => CopySkipped::AlreadyGone.into(),
            Self::NotDue => CopyKept::NoLongerDue.into(),
            Self::SurvivorGone => CopyKept::SurvivorGone.into(),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gone => "It was to be deleted, but somebody else had deleted it already.",
            Self::NotDue => "When it was to be deleted, its tags or its state no longer said that its time is over.",
            Self::SurvivorGone => {
                "When it was to be deleted, the copy that made it dispensable was gone or no longer verified. The next run \
                 decides anew."
            }
        })
    }
}

impl Refusal {
    /// The audit record's reason.
    #[must_use]
    pub fn reason(self) -> CopyKept {
        match self {
            Self::Locked => CopyKept::Locked,
            Self::InUse => CopyKept::InUse,
            Self::NotAuthorized => CopyKept::NotAuthorized,
            Self::Throttled => CopyKept::Throttled,
            Self::Other => CopyKept::Refused,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Locked => "Its time is over, but a lock holds it. It goes once the lock has ended.",
            Self::InUse => "Its time is over, but an AMI uses it. It goes once the AMI is deregistered.",
            Self::NotAuthorized => {
                "Its time is over, but the role delete-expired-copies, or a service control policy of this account, does not \
                 allow to delete it. Compare the role with the template's, and the stack's TargetRegions and RetiredRegions \
                 with this copy's Region."
            }
            Self::Throttled => "Its time is over, but EC2 takes no more requests at the moment. The next run tries again.",
            Self::Other => {
                "Its time is over, but EC2 refused to delete it; its own words are in error. The next run tries again."
            }
        })
    }
}
