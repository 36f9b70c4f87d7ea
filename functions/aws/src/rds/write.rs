//! What is done to a copy after it was made. All of it may be repeated without harm, so the SDK's standard retries apply.

use aws_sdk_rds::types::Tag;
use snapferry_core::expiring::DeleteFailure;
use snapferry_core::facts::CallError;
use snapferry_core::ids::Region;
use snapferry_core::rds::errors::delete_failure;
use snapferry_core::rds::{Kind, SnapshotArn};

use super::clients::RdsClients;
use crate::errors::{call_error, failed};
use crate::writes::write_timeouts;

/// Sets `tags` on a copy.
///
/// # Errors
/// When RDS refused, or did not say that they are set.
pub async fn tag(clients: &RdsClients, copy: &SnapshotArn, tags: &[(&'static str, String)]) -> Result<(), CallError> {
    let tags = tags.iter().map(|(key, value)| Tag::builder().key(*key).value(value).build()).collect();
    let call = clients.rds(&copy.region).add_tags_to_resource().resource_name(copy.to_string()).set_tags(Some(tags));
    call.customize().config_override(timeouts()).send().await.map_err(|error| call_error(&error))?;
    Ok(())
}

/// Deletes the copy that has this name. One that is still being made would be cancelled by it: that it is available was seen before.
///
/// # Errors
/// What it means, and RDS's words, when RDS refused, or did not say that it is gone.
pub async fn delete(
    clients: &RdsClients,
    region: &Region,
    kind: Kind,
    name: &str,
) -> Result<(), (DeleteFailure, CallError)> {
    let client = clients.rds(region);
    match kind {
        Kind::Instance => {
            let call = client.delete_db_snapshot().db_snapshot_identifier(name);
            let answer = call.customize().config_override(timeouts()).send().await;
            answer.map(drop).map_err(|error| (delete_failure(failed(&error)), call_error(&error)))
        }
        Kind::Cluster => {
            let call = client.delete_db_cluster_snapshot().db_cluster_snapshot_identifier(name);
            let answer = call.customize().config_override(timeouts()).send().await;
            answer.map(drop).map_err(|error| (delete_failure(failed(&error)), call_error(&error)))
        }
    }
}

fn timeouts() -> aws_sdk_rds::config::Builder {
    aws_sdk_rds::config::Builder::default().timeout_config(write_timeouts())
}
