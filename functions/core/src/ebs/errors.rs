//! What EC2's error codes mean (EC2 API reference, "Error codes").

use crate::audit::CopyFailed;
use crate::copying::CopyFailure;
use crate::expiring::{DeleteFailure, Refusal};

/// How a call ended that did not give its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failed<'e> {
    /// It was not sent.
    NotSent,
    /// EC2 answered with an error.
    Answered {
        /// The HTTP status.
        status: u16,
        /// The error's code; empty when there is none.
        code: &'e str,
        /// The error's message.
        message: &'e str,
    },
    /// There was no answer, or none that could be read.
    Silent,
}

/// Throttling codes: the request was not carried out (EC2 API reference, "Error codes"; AWS SDKs' retry guide).
const THROTTLED: [&str; 8] = [
    "RequestLimitExceeded",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "TooManyRequestsException",
    "EC2ThrottledException",
];

/// Whether a code means throttling, of whichever service.
#[must_use]
pub fn is_throttling(code: &str) -> bool {
    THROTTLED.contains(&code)
}

/// Whether a DryRun was answered that the request would have succeeded.
#[must_use]
pub fn would_succeed(code: &str) -> bool {
    code == "DryRunOperation"
}

/// Whether EC2 does not do at all what was asked for, whatever the role and the key.
#[must_use]
pub fn is_unsupported(code: &str) -> bool {
    code.starts_with("SnapshotCopyUnsupported")
        || matches!(code, "UnsupportedOperation" | "InvalidParameterCombination" | "Unsupported")
}

/// Whether a snapshot has, or would have, more tags than EC2 allows.
#[must_use]
pub fn is_tag_limit(code: &str) -> bool {
    code == "TagLimitExceeded"
}

/// Whether a code means a mistake of the request, though it ends as those do that mean a full Region.
fn is_mistake(code: &str) -> bool {
    is_tag_limit(code) || code == "FilterLimitExceeded"
}

/// Whether EC2 refused a tag's key or value, and not a KMS key.
fn is_of_a_tag(code: &str, message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    code.starts_with("InvalidTag")
        || ["tag key", "tag-key", "tagkey", "tag value"].iter().any(|it| message.contains(it))
}

/// Tells what a failed CopySnapshot means.
#[must_use]
pub fn copy_failure(failed: Failed<'_>) -> CopyFailure {
    let Failed::Answered { status, code, message } = failed else {
        return CopyFailure::Silence;
    };
    if is_throttling(code) {
        CopyFailure::Throttled
    } else if code == "SnapshotLimitExceeded" {
        CopyFailure::QuotaExceeded
    } else if code.ends_with("LimitExceeded") && !is_mistake(code) {
        // ResourceLimitExceeded, PendingSnapshotLimitExceeded, ConcurrentSnapshotLimitExceeded.
        if is_of_throughput(message) { CopyFailure::DurationThroughput } else { CopyFailure::RegionFull }
    } else if status >= 500 || code.is_empty() {
        CopyFailure::Ambiguous
    } else {
        refused(code, message)
    }
}

/// The code with which EC2 refuses a copy with a CompletionDuration for want of throughput is not documented.
fn is_of_throughput(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    message.contains("throughput") || message.contains("quota")
}

const TAG_REFUSED: (CopyFailed, &str) = (
    CopyFailed::TagRefused,
    "EC2 does not accept the key or the value of one of the copy's tags; its own words are in error. Correct the policy's TagsToAdd.",
);

fn refused(code: &str, message: &str) -> CopyFailure {
    let (reason, remedy) = match code {
        "UnauthorizedOperation" | "AccessDenied" | "AccessDeniedException" => (
            CopyFailed::NotAuthorized,
            "The copier's role, or a service control policy of this account, does not allow this copy. Compare the role \
             with the template's, and check that SourceAccounts, TargetRegions and TargetKeyArns name this copy's. If they do, \
             `snapferry doctor --snapshot` looks for more.",
        ),
        "AuthFailure" => (
            CopyFailed::NotAuthorized,
            "EC2 refused the role's use of a key or of the Region. Check that the target Region is enabled in this account \
             and that the key's policy names the copier's role.",
        ),
        "OptInRequired" | "InvalidRegion" => {
            (CopyFailed::RegionNotEnabled, "Enable the target Region in this account, or correct Target in the policy.")
        }
        "InvalidSnapshot.NotFound" | "InvalidSnapshotID.Malformed" => (
            CopyFailed::SourceNotFound,
            "EC2 does not find the source snapshot any more: it was deleted or is no longer shared. Share it again from the \
             source account.",
        ),
        _ if is_tag_limit(code) => (
            CopyFailed::TagLimitExceeded,
            "The copy would have more than the 50 tags that EC2 allows: Snapferry's own, the policy's TagsToAdd, and what this \
             account adds to every snapshot. Remove some of TagsToAdd.",
        ),
        "TagPolicyViolation" => (
            CopyFailed::TagPolicyViolation,
            "A tag policy of the organization does not allow one of the copy's tags. Change the policy's TagsToAdd, or let the tag \
             policy allow it, and the keys that begin with snapferry:.",
        ),
        _ if is_of_a_tag(code, message) => TAG_REFUSED,
        "SnapshotCopyUnsupported.InterRegion" => (
            CopyFailed::CopyUnsupported,
            "EC2 does not copy this snapshot between these Regions. Choose another Target.",
        ),
        "InvalidParameterValue" | "InvalidParameterCombination" if message.to_ascii_lowercase().contains("key") => (
            CopyFailed::KeyRefused,
            "EC2 does not accept the configured key. Check that it is enabled, symmetric and in the target Region.",
        ),
        _ if is_of_throughput(message) => return CopyFailure::DurationThroughput,
        _ => (
            CopyFailed::CallRefused,
            "EC2 refused the request; its own words are in error. It is asked again after a pause.",
        ),
    };
    CopyFailure::Refused { reason, remedy }
}

/// Tells what a failed DeleteSnapshot means. The code for a locked snapshot is not documented, so the message counts, too.
#[must_use]
pub fn delete_failure(failed: Failed<'_>) -> DeleteFailure {
    let (status, code, message) = match failed {
        Failed::Answered { status, code, message } => (status, code, message),
        Failed::NotSent => return DeleteFailure::Refused(Refusal::Other),
        Failed::Silent => return DeleteFailure::Unknown,
    };
    DeleteFailure::Refused(match code {
        _ if is_throttling(code) => Refusal::Throttled,
        _ if status >= 500 || code.is_empty() => return DeleteFailure::Unknown,
        "InvalidSnapshot.NotFound" => return DeleteFailure::Gone,
        "InvalidSnapshot.InUse" => Refusal::InUse,
        "SnapshotLocked" => Refusal::Locked,
        "UnauthorizedOperation" | "AccessDenied" | "AccessDeniedException" | "AuthFailure" => Refusal::NotAuthorized,
        _ if code.ends_with("LimitExceeded") => Refusal::Throttled,
        _ if message.to_lowercase().contains("lock") => Refusal::Locked,
        "OperationNotPermitted" => Refusal::Locked,
        _ => Refusal::Other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered<'e>(status: u16, code: &'e str, message: &'e str) -> Failed<'e> {
        Failed::Answered { status, code, message }
    }

    /// The same code means the same to every request: that nothing was done.
    #[test]
    fn throttling_is_throttling_whatever_was_asked_for_and_with_any_status() {
        for code in THROTTLED {
            for status in [400, 503] {
                assert_eq!(copy_failure(answered(status, code, "")), CopyFailure::Throttled, "{code}");
                let refused = DeleteFailure::Refused(Refusal::Throttled);
                assert_eq!(delete_failure(answered(status, code, "")), refused, "{code}");
            }
        }
    }

    #[test]
    fn what_a_copy_was_refused_for_is_told_apart() {
        for (code, message, expected) in [
            ("UnauthorizedOperation", "You are not authorized", "not-authorized"),
            ("AuthFailure", "Not authorized to use key", "not-authorized"),
            ("OptInRequired", "", "region-not-enabled"),
            ("InvalidSnapshot.NotFound", "", "source-not-found"),
            ("SnapshotCopyUnsupported.InterRegion", "", "copy-unsupported"),
            ("TagLimitExceeded", "The maximum number of Tags for a resource has been reached.", "tag-limit-exceeded"),
            (
                "TagPolicyViolation",
                "The tag policy does not allow the value for the tag key 'a'",
                "tag-policy-violation",
            ),
            ("InvalidParameterValue", "Tag key exceeds the maximum length of 127 characters.", "tag-refused"),
            ("InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use", "tag-refused"),
            ("InvalidParameterValue", "The tag value is too long", "tag-refused"),
            ("InvalidTagKey.Malformed", "", "tag-refused"),
            ("FilterLimitExceeded", "", "call-refused"),
            ("InvalidParameterValue", "The specified keyId x is disabled", "key-refused"),
            ("InvalidParameterValue", "The specified keyId alias/stage-key is invalid", "key-refused"),
            ("InvalidParameterValue", "something else", "call-refused"),
        ] {
            let failure = copy_failure(answered(400, code, message));
            assert!(
                matches!(failure, CopyFailure::Refused { reason, .. } if reason.name() == expected),
                "{code}: {failure:?}"
            );
        }
        for (code, message, failure) in [
            ("ResourceLimitExceeded", "Too many snapshot copies in progress.", CopyFailure::RegionFull),
            ("PendingSnapshotLimitExceeded", "", CopyFailure::RegionFull),
            ("SnapshotLimitExceeded", "", CopyFailure::QuotaExceeded),
            ("InvalidParameterValue", "The throughput quota is exceeded.", CopyFailure::DurationThroughput),
            ("CopyThroughputLimitExceeded", "Throughput exceeded", CopyFailure::DurationThroughput),
            ("Unheard", "quota reached", CopyFailure::DurationThroughput),
        ] {
            assert_eq!(copy_failure(answered(400, code, message)), failure, "{code} {message}");
        }
    }

    #[test]
    fn what_a_deletion_was_refused_for_is_told_apart() {
        for (code, message, refusal) in [
            ("SnapshotLocked", "", Refusal::Locked),
            ("OperationNotPermitted", "", Refusal::Locked),
            ("InvalidParameterValue", "The snapshot snap-1 is locked", Refusal::Locked),
            ("InvalidSnapshot.InUse", "in use by ami-1", Refusal::InUse),
            ("UnauthorizedOperation", "You are not authorized", Refusal::NotAuthorized),
            ("ResourceLimitExceeded", "", Refusal::Throttled),
            ("IncorrectState", "", Refusal::Other),
        ] {
            assert_eq!(delete_failure(answered(400, code, message)), DeleteFailure::Refused(refusal), "{code}");
        }
        assert_eq!(delete_failure(answered(400, "InvalidSnapshot.NotFound", "")), DeleteFailure::Gone);
        assert_eq!(delete_failure(Failed::NotSent), DeleteFailure::Refused(Refusal::Other));
    }

    #[test]
    fn what_leaves_open_what_happened_is_no_refusal() {
        for (status, code) in [(500, "InternalError"), (503, "Unavailable"), (502, ""), (400, "")] {
            assert_eq!(copy_failure(answered(status, code, "")), CopyFailure::Ambiguous, "{status} {code}");
            assert_eq!(delete_failure(answered(status, code, "")), DeleteFailure::Unknown, "{status} {code}");
        }
        assert_eq!(copy_failure(Failed::Silent), CopyFailure::Silence);
        assert_eq!(delete_failure(Failed::Silent), DeleteFailure::Unknown);
    }
}
