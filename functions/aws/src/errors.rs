//! A failed call, in the words of the service; what they mean stands in core.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use snapferry_core::ebs::errors::Failed;
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

/// How a call failed, for core to say what that means.
pub fn failed<E>(error: &SdkError<E, HttpResponse>) -> Failed<'_>
where
    E: ProvideErrorMetadata,
{
    match error {
        SdkError::ServiceError(context) => Failed::Answered {
            status: context.raw().status().as_u16(),
            code: context.err().meta().code().unwrap_or_default(),
            message: context.err().meta().message().unwrap_or_default(),
        },
        SdkError::ConstructionFailure(_) => Failed::NotSent,
        _ => Failed::Silent,
    }
}
