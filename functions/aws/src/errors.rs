//! What a failed call means.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use snapferry_core::facts::CallError;

/// Puts an SDK error into the service's words. Never the raw HTTP: a request holds a presigned URL.
pub fn call_error<E>(error: &SdkError<E, HttpResponse>) -> CallError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    match error {
        SdkError::ServiceError(context) => {
            let metadata = context.err().meta();
            CallError {
                code: metadata.code().map_or_else(|| format!("Http{}", context.raw().status().as_u16()), str::to_owned),
                message: metadata.message().unwrap_or("the service gave no message").to_owned(),
                request_id: request_id(metadata, context.raw()),
            }
        }
        SdkError::TimeoutError(_) => no_answer("Timeout", "the service did not answer in time"),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => {
            no_answer("Timeout", "the service did not answer in time")
        }
        SdkError::DispatchFailure(failure) if failure.is_io() => {
            no_answer("ConnectionFailed", "the connection could not be made, or broke before the answer")
        }
        SdkError::DispatchFailure(failure) => {
            no_answer("NotSent", &chain(failure.as_connector_error().map(|error| error as _)))
        }
        SdkError::ResponseError(_) => no_answer("UnreadableAnswer", "the service's answer could not be read"),
        SdkError::ConstructionFailure(_) => no_answer("NotSent", "the request could not be built"),
        _ => no_answer("Unknown", "the call failed in a way that this version does not know"),
    }
}

fn no_answer(code: &str, message: &str) -> CallError {
    CallError { code: code.to_owned(), message: message.to_owned(), request_id: None }
}

fn request_id(metadata: &aws_smithy_types::error::ErrorMetadata, raw: &HttpResponse) -> Option<String> {
    let header = || raw.headers().get("x-amzn-requestid").or_else(|| raw.headers().get("x-amz-request-id"));
    metadata.extra("aws_request_id").or_else(header).map(str::to_owned)
}

/// An error with all its causes in one line, for failures before anything was sent (credentials above all).
fn chain(error: Option<&(dyn std::error::Error + 'static)>) -> String {
    let mut causes = Vec::new();
    let mut next = error;
    while let Some(error) = next {
        causes.push(error.to_string());
        next = error.source();
    }
    if causes.is_empty() { "the request was not sent".to_owned() } else { causes.join(": ") }
}

/// What a failed CopySnapshot means for its copy and for those that wait behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyFailure {
    /// EC2 throttled the request: the copy was not started and may be asked for again.
    Throttled,
    /// The Region has as many copies in flight as it allows: not started, and the next would not be either.
    RegionFull,
    /// No answer: the copy may have been started, and the Region is best left alone.
    Silence,
    /// An answer that does not say whether the copy was started (5xx).
    Ambiguous,
    /// EC2 refused; asking again the same way would give the same.
    Refused {
        /// The audit record's reason.
        reason: &'static str,
        /// What the operator does next.
        remedy: &'static str,
    },
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

/// Whether EC2 answered that it did nothing: a refusal or throttling. Everything else leaves open what happened.
pub fn is_refusal<E>(error: &SdkError<E, HttpResponse>) -> bool
where
    E: ProvideErrorMetadata,
{
    match error {
        SdkError::ServiceError(context) => {
            let code = context.err().meta().code().unwrap_or_default();
            THROTTLED.contains(&code) || (context.raw().status().as_u16() < 500 && !code.is_empty())
        }
        SdkError::ConstructionFailure(_) => true,
        _ => false,
    }
}

/// Tells what a failed CopySnapshot means.
#[must_use]
pub fn copy_failure<E>(error: &SdkError<E, HttpResponse>) -> CopyFailure
where
    E: ProvideErrorMetadata,
{
    let SdkError::ServiceError(context) = error else {
        return CopyFailure::Silence;
    };
    let code = context.err().meta().code().unwrap_or_default();
    if THROTTLED.contains(&code) {
        CopyFailure::Throttled
    } else if code.ends_with("LimitExceeded") {
        // ResourceLimitExceeded, SnapshotLimitExceeded, PendingSnapshotLimitExceeded, ConcurrentSnapshotLimitExceeded.
        CopyFailure::RegionFull
    } else if context.raw().status().as_u16() >= 500 || code.is_empty() {
        CopyFailure::Ambiguous
    } else {
        refused(code, context.err().meta().message().unwrap_or_default())
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
