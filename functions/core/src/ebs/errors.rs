//! What EC2's error codes mean.

use crate::copying::CopyFailure;

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

impl Failed<'_> {
    /// Whether EC2 certainly did nothing: a refusal or throttling. Everything else leaves open what happened.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::NotSent => true,
            Self::Answered { status, code, .. } => THROTTLED.contains(code) || (*status < 500 && !code.is_empty()),
            Self::Silent => false,
        }
    }
}

/// Tells what a failed CopySnapshot means.
#[must_use]
pub fn copy_failure(failed: Failed<'_>) -> CopyFailure {
    let Failed::Answered { status, code, message } = failed else {
        return CopyFailure::Silence;
    };
    if THROTTLED.contains(&code) {
        CopyFailure::Throttled
    } else if code.ends_with("LimitExceeded") {
        // ResourceLimitExceeded, SnapshotLimitExceeded, PendingSnapshotLimitExceeded, ConcurrentSnapshotLimitExceeded.
        CopyFailure::RegionFull
    } else if status >= 500 || code.is_empty() {
        CopyFailure::Ambiguous
    } else {
        refused(code, message)
    }
}

fn refused(code: &str, message: &str) -> CopyFailure {
    let (reason, remedy) = match code {
        "UnauthorizedOperation" | "AccessDenied" | "AccessDeniedException" => (
            "not-authorized",
            "The copier's role, or a service control policy of this account, does not allow this copy. Compare the role \
             with the template's, and check that SourceAccounts, TargetRegions and TargetKeyArns name this copy's.",
        ),
        "AuthFailure" => (
            "not-authorized",
            "EC2 refused the role's use of a key or of the Region. Check that the target Region is enabled in this account \
             and that the key's policy names the copier's role.",
        ),
        "OptInRequired" | "InvalidRegion" => {
            ("region-not-enabled", "Enable the target Region in this account, or correct Target in the policy.")
        }
        "InvalidSnapshot.NotFound" | "InvalidSnapshotID.Malformed" => (
            "source-not-found",
            "EC2 does not find the source snapshot any more: it was deleted or is no longer shared. Share it again from the \
             source account.",
        ),
        "SnapshotCopyUnsupported.InterRegion" => {
            ("copy-unsupported", "EC2 does not copy this snapshot between these Regions. Choose another Target.")
        }
        "InvalidParameterValue" | "InvalidParameterCombination" if message.to_ascii_lowercase().contains("key") => (
            "key-refused",
            "EC2 does not accept the configured key. Check that it is enabled, symmetric and in the target Region.",
        ),
        _ => ("call-refused", "EC2 refused the request; its own words are in error. The next sweep asks again."),
    };
    CopyFailure::Refused { reason, remedy }
}
