//! What RDS's error codes mean (RDS API reference, the operations' "Errors", and "Common Errors").

use super::quota::Refusal as Full;
use crate::audit::CopyFailed;
use crate::copying::CopyFailure;
use crate::ebs::errors::{Failed, is_throttling};
use crate::expiring::{DeleteFailure, Refusal};

/// What a CopyDBSnapshot or CopyDBClusterSnapshot that started nothing means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotStarted {
    /// The copy's name is taken: whoever holds it decides, see [`judge`](super::judge).
    NameTaken,
    /// The Region is busy or full: the usage of the quota decides, see [`refusal`](super::refusal).
    Quota,
    /// What it would mean of a volume's copy. Asked for again under the same name it is the same copy, so even where
    /// nobody knows whether it was started, a second one cannot be made.
    Failed(CopyFailure),
}

impl Full {
    /// What it means for the copy and for those that wait behind it. Where the usage is unknown the Region counts as busy:
    /// that ends by itself, and if it does not the next refusal may tell.
    #[must_use]
    pub fn failure(self) -> CopyFailure {
        match self {
            Self::InFlight | Self::Unknown => CopyFailure::RegionFull,
            Self::ManualSnapshots => CopyFailure::QuotaExceeded,
        }
    }
}

/// Tells what a failed copy call means.
#[must_use]
pub fn copy_failure(failed: Failed<'_>) -> NotStarted {
    let Failed::Answered { status, code, message } = failed else {
        return NotStarted::Failed(CopyFailure::Silence);
    };
    match bare(code) {
        _ if is_throttling(code) => NotStarted::Failed(CopyFailure::Throttled),
        "DBSnapshotAlreadyExists" | "DBClusterSnapshotAlreadyExists" => NotStarted::NameTaken,
        "SnapshotQuotaExceeded" => NotStarted::Quota,
        _ if status >= 500 || code.is_empty() => NotStarted::Failed(CopyFailure::Ambiguous),
        bare => NotStarted::Failed(refused(bare, message)),
    }
}

fn refused(code: &str, message: &str) -> CopyFailure {
    let message = message.to_ascii_lowercase();
    let (reason, remedy) = match code {
        _ if is_denied(code) => (
            CopyFailed::NotAuthorized,
            "The role, or a service control policy of this account, does not allow this copy. RDS calls the source's Region \
             for the role, so aws:RequestedRegion has to allow both Regions, and Resource has to name source and copy.",
        ),
        "OptInRequired" => {
            (CopyFailed::RegionNotEnabled, "Enable the target Region in this account, or correct Target in the policy.")
        }
        "DBSnapshotNotFound" | "DBClusterSnapshotNotFound" => (
            CopyFailed::SourceNotFound,
            "RDS does not find the source snapshot any more: it was deleted or is no longer shared. Share it again from the \
             source account.",
        ),
        "InvalidDBSnapshotState" | "InvalidDBClusterSnapshotState" | "InvalidDBClusterState" => (
            CopyFailed::CallRefused,
            "The source snapshot is not available at the moment. It is asked for again after a pause.",
        ),
        "KMSKeyNotAccessible" => (
            CopyFailed::KeyRefused,
            "RDS cannot use the source's key or the configured one. The policies of both keys have to let the role use them \
             and make grants, and the configured one has to be enabled, symmetric and in the target Region.",
        ),
        _ if message.contains("option group") || message.contains("optiongroup") => (
            CopyFailed::CopyUnsupported,
            "The source has options, such as TDE, that RDS does not copy to another Region without an option group. Take the \
             persistent options off before the snapshot is made.",
        ),
        _ if message.contains("tag key") || message.contains("tag value") => (
            CopyFailed::TagRefused,
            "RDS does not accept the key or the value of one of the copy's tags; its own words are in error. Correct the \
             policy's TagsToAdd.",
        ),
        _ => (
            CopyFailed::CallRefused,
            "RDS refused the request; its own words are in error. It is asked again after a pause.",
        ),
    };
    CopyFailure::Refused { reason, remedy }
}

/// Tells what a failed DeleteDBSnapshot or DeleteDBClusterSnapshot means. RDS has no locks, and nothing uses a snapshot.
#[must_use]
pub fn delete_failure(failed: Failed<'_>) -> DeleteFailure {
    let (status, code) = match failed {
        Failed::Answered { status, code, .. } => (status, code),
        Failed::NotSent => return DeleteFailure::Refused(Refusal::Other),
        Failed::Silent => return DeleteFailure::Unknown,
    };
    match bare(code) {
        _ if is_throttling(code) => DeleteFailure::Refused(Refusal::Throttled),
        _ if status >= 500 || code.is_empty() => DeleteFailure::Unknown,
        "DBSnapshotNotFound" | "DBClusterSnapshotNotFound" => DeleteFailure::Gone,
        bare if is_denied(bare) => DeleteFailure::Refused(Refusal::NotAuthorized),
        _ => DeleteFailure::Refused(Refusal::Other),
    }
}

/// Whether a code says that there is no such snapshot.
#[must_use]
pub fn is_not_found(code: &str) -> bool {
    matches!(bare(code), "DBSnapshotNotFound" | "DBClusterSnapshotNotFound")
}

/// RDS writes some codes as its model's shapes, which end so, and others without (its service model, 2014-10-31).
fn bare(code: &str) -> &str {
    code.strip_suffix("Fault").unwrap_or(code)
}

fn is_denied(code: &str) -> bool {
    matches!(code, "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" | "NotAuthorized")
}
