//! What is done to a copy after it was made: tags, a lock, its end. All of it may be repeated without harm, so the SDK's
//! standard retries apply.

use std::time::Duration;

use aws_sdk_ec2::types::{LockMode as Ec2LockMode, Tag};
use aws_smithy_types::timeout::TimeoutConfig;
use snapferry_core::ebs::errors::delete_failure;
use snapferry_core::expiring::DeleteFailure;
use snapferry_core::facts::CallError;
use snapferry_core::ids::{Region, SnapshotId};
use snapferry_core::policy::LockMode;
use snapferry_core::verifying::LockRequest;

use crate::clients::Clients;
use crate::errors::{call_error, failed};

/// One write with its retries. It ends before the 10 s that a function keeps in reserve do, so that a write that was
/// begun also gets its record.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(8);
/// One attempt of it.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);

/// Sets `tags` on a copy.
///
/// # Errors
/// When EC2 refused, or did not say that they are set.
pub async fn tag(
    clients: &Clients,
    region: &Region,
    id: &SnapshotId,
    tags: &[(&'static str, String)],
) -> Result<(), CallError> {
    let tags = tags.iter().map(|(key, value)| Tag::builder().key(*key).value(value).build()).collect();
    let call = clients.ec2(region).create_tags().resources(id.as_str()).set_tags(Some(tags));
    call.customize().config_override(timeouts()).send().await.map_err(|error| call_error(&error))?;
    Ok(())
}

/// Locks a copy.
///
/// # Errors
/// When EC2 refused, or did not say that it is locked.
pub async fn lock(clients: &Clients, region: &Region, id: &SnapshotId, lock: &LockRequest) -> Result<(), CallError> {
    let mode = match lock.mode {
        LockMode::Governance => Ec2LockMode::Governance,
        LockMode::Compliance => Ec2LockMode::Compliance,
    };
    let call = clients
        .ec2(region)
        .lock_snapshot()
        .snapshot_id(id.as_str())
        .lock_mode(mode)
        .set_lock_duration(i32::try_from(lock.days).ok())
        .set_cool_off_period(lock.cool_off_hours.and_then(|hours| i32::try_from(hours).ok()));
    call.customize().config_override(timeouts()).send().await.map_err(|error| call_error(&error))?;
    Ok(())
}

/// Deletes a copy.
///
/// # Errors
/// What it means, and EC2's words, when EC2 refused, or did not say that it is gone.
pub async fn delete(clients: &Clients, region: &Region, id: &SnapshotId) -> Result<(), (DeleteFailure, CallError)> {
    let call = clients.ec2(region).delete_snapshot().snapshot_id(id.as_str());
    let answer = call.customize().config_override(timeouts()).send().await;
    answer.map_err(|error| (delete_failure(failed(&error)), call_error(&error)))?;
    Ok(())
}

fn timeouts() -> aws_sdk_ec2::config::Builder {
    aws_sdk_ec2::config::Builder::default().timeout_config(write_timeouts())
}

/// How long a write may take, of whichever service.
pub(crate) fn write_timeouts() -> TimeoutConfig {
    TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT_TIMEOUT).operation_timeout(OPERATION_TIMEOUT).build()
}
