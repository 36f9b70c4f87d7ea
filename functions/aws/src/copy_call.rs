//! The one call that starts a copy. CopySnapshot has no client token, so it is repeated only after EC2 said that it
//! did not happen.

use std::time::{Duration, SystemTime};

use aws_credential_types::provider::ProvideCredentials as _;
use aws_sdk_ec2::operation::copy_snapshot::CopySnapshotOutput;
use aws_sdk_ec2::types::{ResourceType, Tag, TagSpecification};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use jiff::Timestamp;
use snapferry_core::copying::CopyRequest;
use snapferry_core::facts::CallError;
use snapferry_core::ids::SnapshotId;
use snapferry_core::policy::Encryption;

use crate::clients::Clients;
use crate::errors::{CopyFailure, call_error, copy_failure};
use crate::presign;

/// Longer than a read's: a copy whose answer is lost waits for the next sweep, so a slow answer is worth waiting for.
/// It ends before the 10 s that the copier keeps in reserve do.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(8);

/// A CopySnapshot that did not name a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyError {
    /// What it means.
    pub failure: CopyFailure,
    /// EC2's words.
    pub error: CallError,
}

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
        // EC2 API reference, "Error codes": the request would have succeeded.
        Err(failed) if failed.error.code == "DryRunOperation" => Ok(()),
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
    let tags = request.tags(at);
    let presigned = if request.home == region {
        None
    } else {
        let mut form = form(request, &tags);
        form.extend(dry_run.map(|dry_run| ("DryRun".to_owned(), dry_run.to_string())));
        Some(presigned_url(clients, request, &form).await?)
    };
    let tag = |(key, value): &(String, String)| Tag::builder().key(key).value(value).build();
    let specification = TagSpecification::builder()
        .resource_type(ResourceType::Snapshot)
        .set_tags(Some(tags.iter().map(tag).collect()))
        .build();
    let timeouts =
        TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT_TIMEOUT).operation_timeout(ATTEMPT_TIMEOUT).build();
    let once = aws_sdk_ec2::config::Builder::default().retry_config(RetryConfig::disabled()).timeout_config(timeouts);
    clients
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
        .set_destination_region(presigned.as_ref().map(|_| region.to_string()))
        .set_presigned_url(presigned)
        .customize()
        .config_override(once)
        .send()
        .await
        .map_err(|error| CopyError { failure: copy_failure(&error), error: call_error(&error) })
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

async fn presigned_url(
    clients: &Clients,
    request: &CopyRequest<'_>,
    form: &[(String, String)],
) -> Result<String, CopyError> {
    // Nothing has been sent yet, so the copy certainly was not started; asking the next sweep is right all the same.
    let not_sent = |message: String| CopyError {
        failure: CopyFailure::Refused {
            reason: "not-signed",
            remedy: "The presigned URL could not be made, so nothing was sent. Check the function's credentials.",
        },
        error: CallError { code: "NotSent".to_owned(), message, request_id: None },
    };
    let provider = clients.config().credentials_provider().ok_or_else(|| not_sent("no credentials".to_owned()))?;
    let credentials = provider.provide_credentials().await.map_err(|error| not_sent(error.to_string()))?;
    let home = request.home.as_str();
    let endpoint = presign::endpoint(clients.config(), home).await.map_err(|error| not_sent(error.to_string()))?;
    let now = SystemTime::now();
    presign::copy_snapshot_url(&credentials, &endpoint, home, request.target.region.as_str(), form, now)
        .map_err(|error| not_sent(error.to_string()))
}

/// The request's members as EC2's query protocol names them.
fn form(request: &CopyRequest<'_>, tags: &[(String, String)]) -> Vec<(String, String)> {
    let mut form = vec![
        ("SourceRegion".to_owned(), request.home.to_string()),
        ("SourceSnapshotId".to_owned(), request.source.id.to_string()),
        ("Description".to_owned(), request.description()),
    ];
    form.extend(encrypted(request).map(|encrypted| ("Encrypted".to_owned(), encrypted.to_string())));
    form.extend(request.key().map(|key| ("KmsKeyId".to_owned(), key.to_string())));
    let minutes = completion_duration(request);
    form.extend(minutes.map(|minutes| ("CompletionDurationMinutes".to_owned(), minutes.to_string())));
    form.push(("TagSpecification.1.ResourceType".to_owned(), "snapshot".to_owned()));
    for (number, (key, value)) in (1..).zip(tags) {
        form.push((format!("TagSpecification.1.Tag.{number}.Key"), key.clone()));
        form.push((format!("TagSpecification.1.Tag.{number}.Value"), value.clone()));
    }
    form
}
