//! The one call that starts a copy. CopySnapshot has no client token, so it is repeated only after EC2 said that it
//! did not happen.

use aws_sdk_ec2::operation::copy_snapshot::CopySnapshotOutput;
use aws_sdk_ec2::types::{ResourceType, Tag, TagSpecification};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use jiff::Timestamp;
use snapferry_core::copying::{CALL_TIMEOUT, CopyError, CopyFailure, CopyRequest};
use snapferry_core::ebs::errors::{copy_failure, would_succeed};
use snapferry_core::facts::CallError;
use snapferry_core::ids::SnapshotId;
use snapferry_core::policy::Encryption;

use crate::clients::Clients;
use crate::errors::{call_error, failed};
use crate::presign::{self, not_signed};

/// Asks for one copy, once. `at` is the time that its expiry counts from.
///
/// # Errors
/// [`CopyError`] when EC2 did not answer with a copy's ID.
pub async fn copy_snapshot(
    clients: &Clients,
    request: &CopyRequest<'_>,
    at: Timestamp,
) -> Result<SnapshotId, CopyError> {
    let answer = ask(clients, request, at, None).await?;
    let id = answer.snapshot_id().unwrap_or_default();
    SnapshotId::parse(id).map_err(|problem| unreadable(problem.to_string()))
}

/// Asks whether [`copy_snapshot`] would be accepted, by a DryRun of the same request: nothing is copied.
///
/// # Errors
/// [`CopyError`] when EC2 did not answer that it would.
pub async fn dry_run(clients: &Clients, request: &CopyRequest<'_>, at: Timestamp) -> Result<(), CopyError> {
    match ask(clients, request, at, Some(true)).await {
        Err(failed) if would_succeed(&failed.error.code) => Ok(()),
        Err(failed) => Err(failed),
        Ok(_) => Err(unreadable("EC2 answered a DryRun as if it were none".to_owned())),
    }
}

async fn ask(
    clients: &Clients,
    request: &CopyRequest<'_>,
    at: Timestamp,
    dry_run: Option<bool>,
) -> Result<CopySnapshotOutput, CopyError> {
    let region = &request.target.region;
    let tag = |(key, value): (String, String)| Tag::builder().key(key).value(value).build();
    let specification = TagSpecification::builder()
        .resource_type(ResourceType::Snapshot)
        .set_tags(Some(request.tags(at).into_iter().map(tag).collect()))
        .build();
    let copy = clients
        .ec2(region)
        .copy_snapshot()
        .set_dry_run(dry_run)
        .source_region(request.home.as_str())
        .source_snapshot_id(request.source.id.as_str())
        .description(request.description())
        .set_encrypted(encrypted(request))
        .set_kms_key_id(request.key().map(ToString::to_string))
        .set_completion_duration_minutes(completion_duration(request))
        .tag_specifications(specification)
        .destination_region(region.as_str());
    let url = presign::copy_snapshot_url(clients.config(), request.home, copy.as_input().clone()).await;
    let timeouts =
        TimeoutConfig::builder().operation_attempt_timeout(CALL_TIMEOUT).operation_timeout(CALL_TIMEOUT).build();
    let once = aws_sdk_ec2::config::Builder::default().retry_config(RetryConfig::disabled()).timeout_config(timeouts);
    copy.presigned_url(url.map_err(not_signed)?)
        .customize()
        .config_override(once)
        .send()
        .await
        .map_err(|error| CopyError { failure: copy_failure(failed(&error)), error: call_error(&error) })
}

fn unreadable(message: String) -> CopyError {
    CopyError {
        failure: CopyFailure::Ambiguous,
        error: CallError { code: "UnreadableAnswer".to_owned(), message, request_id: None },
    }
}

/// `Encrypted=false` cannot be asked for: the member is left out then (EC2 API reference, CopySnapshot).
fn encrypted(request: &CopyRequest<'_>) -> Option<bool> {
    match request.target.encryption {
        Encryption::AsSource => None,
        Encryption::DefaultKey | Encryption::Key(_) => Some(true),
    }
}

fn completion_duration(request: &CopyRequest<'_>) -> Option<i32> {
    request.target.completion_duration_minutes.and_then(|minutes| i32::try_from(minutes).ok())
}
