//! The one call that starts a copy. Its name makes it safe to repeat: RDS makes no second copy under it, and says so.

use aws_sdk_rds::types::Tag;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use jiff::Timestamp;
use snapferry_core::copying::{CALL_TIMEOUT, CopyError};
use snapferry_core::facts::CallError;
use snapferry_core::ids::SnapshotId;
use snapferry_core::rds::errors::{NotStarted, copy_failure};
use snapferry_core::rds::{CopyRequest, Kind, name_taken, refusal};

use super::clients::RdsClients;
use super::read::{named, usage};
use crate::errors::{call_error, failed};
use crate::presign::{self, not_signed};

/// Asks for one copy, once. `at` is the time that its expiry counts from. Where its name is taken the holder is looked at, where
/// RDS takes no more the quota's usage.
///
/// # Errors
/// [`CopyError`] when RDS neither started the copy nor shows that it did so before.
pub async fn copy(clients: &RdsClients, request: &CopyRequest<'_>, at: Timestamp) -> Result<SnapshotId, CopyError> {
    let (started, error) = match ask(clients, request, at).await? {
        Ok(()) => return Ok(request.name().id()),
        Err(refused) => refused,
    };
    let (region, kind) = (&request.target.region, request.source.source.arn.kind);
    let failure = match started {
        NotStarted::Failed(failure) => failure,
        NotStarted::Quota => match usage(clients, region, kind).await {
            Ok(usage) => refusal(Some(usage)).failure(),
            Err(unread) => return Err(CopyError { failure: refusal(None).failure(), error: in_doubt(error, &unread) }),
        },
        NotStarted::NameTaken => {
            return name_taken(request, error, named(clients, region, kind, request.name().as_str()).await);
        }
    };
    Err(CopyError { failure, error })
}

type Asked = Result<(), (NotStarted, CallError)>;

async fn ask(clients: &RdsClients, request: &CopyRequest<'_>, at: Timestamp) -> Result<Asked, CopyError> {
    let (region, arn) = (&request.target.region, &request.source.source.arn);
    let (client, name) = (clients.rds(region), request.name());
    let key = request.key().map(ToString::to_string);
    let tag = |(key, value): (String, String)| Tag::builder().key(key).value(value).build();
    let tags = Some(request.tags(at).into_iter().map(tag).collect());
    let timeouts =
        TimeoutConfig::builder().operation_attempt_timeout(CALL_TIMEOUT).operation_timeout(CALL_TIMEOUT).build();
    let once = aws_sdk_rds::config::Builder::default().retry_config(RetryConfig::disabled()).timeout_config(timeouts);
    // Elsewhere RDS ignores the URL (RDS API reference, CopyDBSnapshot, PreSignedUrl).
    let needs_url = region.partition() == "aws-us-gov" && *region != arn.region;
    // The two operations have types of their own, and are sent alike.
    macro_rules! sent {
        ($copy:expr) => {{
            let mut copy = $copy.set_kms_key_id(key).set_tags(tags);
            if needs_url {
                let input = copy.as_input().clone();
                let url = presign::copy_db_url(clients.config(), &arn.region, region, async move |client| {
                    input.send_with(&client).await.err().map(|error| call_error(&error))
                });
                copy = copy.pre_signed_url(url.await.map_err(not_signed)?);
            }
            let answer = copy.customize().config_override(once).send().await;
            answer.map(drop).map_err(|error| (copy_failure(failed(&error)), call_error(&error)))
        }};
    }
    Ok(match arn.kind {
        Kind::Instance => sent!(
            client
                .copy_db_snapshot()
                .source_db_snapshot_identifier(arn.to_string())
                .target_db_snapshot_identifier(name.as_str())
        ),
        Kind::Cluster => sent!(
            client
                .copy_db_cluster_snapshot()
                .source_db_cluster_snapshot_identifier(arn.to_string())
                .target_db_cluster_snapshot_identifier(name.as_str())
        ),
    })
}

/// RDS's words for a full Region, which are those for a used-up quota, too, and why nobody knows which of them it is.
fn in_doubt(said: CallError, unread: &CallError) -> CallError {
    let CallError { code, message, request_id } = said;
    let message = format!(
        "{message} (or the quota of manual snapshots is used up: DescribeAccountAttributes, which tells, was answered {}: {})",
        unread.code, unread.message
    );
    CallError { code, message, request_id }
}
