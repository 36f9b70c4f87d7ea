//! Copies as they are asked for, and what RDS's answers lead to.

use aws_sdk_rds::operation::copy_db_cluster_snapshot::CopyDbClusterSnapshotOutput;
use aws_sdk_rds::operation::copy_db_snapshot::CopyDbSnapshotOutput;
use aws_sdk_rds::operation::describe_account_attributes::DescribeAccountAttributesOutput;
use aws_sdk_rds::operation::describe_db_snapshots::DescribeDbSnapshotsOutput;
use aws_sdk_rds::types::{AccountQuota, DbSnapshot, Tag};
use aws_smithy_mocks::{Rule, mock};
use jiff::Timestamp;
use snapferry_aws::rds::{self, RdsClients};
use snapferry_core::audit::CopyFailed;
use snapferry_core::copying::{CopyError, CopyFailure};
use snapferry_core::ids::SnapshotId;
use snapferry_core::policy::Policy;
use snapferry_core::rds::{CopyRequest, Kind, Shared, Usage};

use crate::common::rds::{
    ARN, CLUSTER, CREATED, clients_of_rds, in_region, in_region_with_retries, policy, rds_error, shared,
};
use crate::common::{KEY, region};
use crate::{described, request};

async fn copy(clients: &RdsClients, policy: &Policy, source: &Shared) -> Result<SnapshotId, CopyError> {
    rds::copy(clients, &request(policy, source), Timestamp::now()).await
}

/// The copy that `request` asks for, as RDS describes it.
fn made(request: &CopyRequest<'_>) -> DbSnapshot {
    let tag = |(key, value): (String, String)| Tag::builder().key(key).value(value).build();
    let tags = request.tags("2026-11-22T04:00:00Z".parse().unwrap()).into_iter().map(tag).collect();
    DbSnapshot::builder()
        .db_snapshot_arn(format!("arn:aws:rds:eu-west-1:222222222222:snapshot:{}", request.name()))
        .status("copying")
        .encrypted(true)
        .kms_key_id(KEY)
        .source_db_snapshot_identifier(ARN)
        .set_tag_list(Some(tags))
        .build()
}

fn exists() -> Rule {
    mock!(aws_sdk_rds::Client::copy_db_snapshot)
        .then_http_response(|| rds_error(400, "DBSnapshotAlreadyExists", "it exists"))
}

fn has_tags(tags: &[Tag]) -> bool {
    let tag = |key: &str| tags.iter().find(|tag| tag.key() == Some(key)).and_then(Tag::value);
    tag("snapferry:status") == Some("copying")
        && tag("snapferry:kms-key") == Some(KEY)
        && tag("snapferry:source-snapshot") == Some("nightly")
        && tag("snapferry:source-start-time") == Some(CREATED)
        && tag("snapferry:attempt") == Some("1")
        && tag("snapferry:expire-after").is_some()
        && tag("team") == Some("a")
}

#[tokio::test]
async fn the_request_carries_all_that_the_policy_asks_for() {
    let instance = mock!(aws_sdk_rds::Client::copy_db_snapshot)
        .match_requests(|copy| {
            copy.source_db_snapshot_identifier() == Some(ARN)
                && copy.target_db_snapshot_identifier().is_some_and(|name| name.starts_with("snapferry-"))
                && copy.kms_key_id() == Some(KEY)
                && copy.pre_signed_url().is_none()
                && has_tags(copy.tags())
        })
        .then_output(|| CopyDbSnapshotOutput::builder().build());
    let cluster = mock!(aws_sdk_rds::Client::copy_db_cluster_snapshot)
        .match_requests(|copy| {
            copy.source_db_cluster_snapshot_identifier() == Some(CLUSTER)
                && copy.target_db_cluster_snapshot_identifier().is_some_and(|name| name.starts_with("snapferry-"))
                && copy.kms_key_id() == Some(KEY)
                && copy.pre_signed_url().is_none()
                && has_tags(copy.tags())
        })
        .then_output(|| CopyDbClusterSnapshotOutput::builder().build());
    let (clients, policy) = (clients_of_rds([in_region("eu-west-1", &[&instance, &cluster])]), policy("eu-west-1"));
    for source in [ARN, CLUSTER].map(shared) {
        let name = request(&policy, &source).name();
        assert_eq!(copy(&clients, &policy, &source).await, Ok(name.id()), "{source:?}");
    }
}

/// RDS wants the URL in GovCloud, and only across Regions.
#[tokio::test]
async fn between_regions_of_gov_cloud_a_url_is_sent() {
    let shows = |url: &str, action: &str| {
        url.starts_with(&format!("https://rds.us-gov-west-1.amazonaws.com/?Action={action}&"))
            && url.contains("&DestinationRegion=us-gov-east-1&")
            && url.contains("%2Fus-gov-west-1%2Frds%2Faws4_request&")
            && url.contains("&X-Amz-Expires=3600&")
            && url.contains("nightly")
    };
    let instance = mock!(aws_sdk_rds::Client::copy_db_snapshot)
        .match_requests(move |copy| shows(copy.pre_signed_url().unwrap_or_default(), "CopyDBSnapshot"))
        .then_output(|| CopyDbSnapshotOutput::builder().build());
    let cluster = mock!(aws_sdk_rds::Client::copy_db_cluster_snapshot)
        .match_requests(move |copy| shows(copy.pre_signed_url().unwrap_or_default(), "CopyDBClusterSnapshot"))
        .then_output(|| CopyDbClusterSnapshotOutput::builder().build());
    let within = mock!(aws_sdk_rds::Client::copy_db_snapshot)
        .match_requests(|copy| copy.pre_signed_url().is_none())
        .then_output(|| CopyDbSnapshotOutput::builder().build());
    let clients =
        clients_of_rds([in_region("us-gov-east-1", &[&instance, &cluster]), in_region("us-gov-west-1", &[&within])]);
    for (kind, target) in
        [("snapshot", "us-gov-east-1"), ("cluster-snapshot", "us-gov-east-1"), ("snapshot", "us-gov-west-1")]
    {
        let source = shared(&format!("arn:aws-us-gov:rds:us-gov-west-1:111111111111:{kind}:nightly"));
        assert!(copy(&clients, &policy(target), &source).await.is_ok(), "{kind} {target}");
    }
}

#[tokio::test]
async fn a_copy_that_was_asked_for_before_is_found_under_its_name() {
    let (policy, source) = (policy("eu-west-1"), shared(ARN));
    let holder = made(&request(&policy, &source));
    let id = request(&policy, &source).name().id();
    let name = id.to_string();
    let look = mock!(aws_sdk_rds::Client::describe_db_snapshots)
        .match_requests(move |read| read.db_snapshot_identifier() == Some(&name))
        .then_output(move || DescribeDbSnapshotsOutput::builder().db_snapshots(holder.clone()).build());
    let exists = exists();
    let clients = clients_of_rds([in_region("eu-west-1", &[&exists, &look])]);
    assert_eq!(copy(&clients, &policy, &source).await, Ok(id));
    assert_eq!((exists.num_calls(), look.num_calls()), (1, 1));
}

#[tokio::test]
async fn a_strangers_snapshot_under_the_name_is_told_and_left_alone() {
    let look = mock!(aws_sdk_rds::Client::describe_db_snapshots)
        .then_output(|| DescribeDbSnapshotsOutput::builder().db_snapshots(described()).build());
    let clients = clients_of_rds([in_region("eu-west-1", &[&exists(), &look])]);
    let error = copy(&clients, &policy("eu-west-1"), &shared(ARN)).await.unwrap_err();
    assert!(matches!(error.failure, CopyFailure::Refused { reason: CopyFailed::NameTaken, .. }), "{error:?}");
}

#[tokio::test]
async fn who_holds_the_name_and_is_not_shown_is_looked_for_later() {
    let gone = || rds_error(404, "DBSnapshotNotFound", "not found");
    let silent = || rds_error(500, "InternalFailure", "try again");
    for (look, code) in [
        (mock!(aws_sdk_rds::Client::describe_db_snapshots).then_http_response(gone), "NameTaken"),
        (mock!(aws_sdk_rds::Client::describe_db_snapshots).then_http_response(silent), "InternalFailure"),
    ] {
        let clients = clients_of_rds([in_region("eu-west-1", &[&exists(), &look])]);
        let error = copy(&clients, &policy("eu-west-1"), &shared(ARN)).await.unwrap_err();
        assert_eq!((error.failure, error.error.code.as_str()), (CopyFailure::Ambiguous, code));
    }
}

fn quotas(used: i64) -> DescribeAccountAttributesOutput {
    let quota = |name: &str, used| AccountQuota::builder().account_quota_name(name).used(used).max(100).build();
    DescribeAccountAttributesOutput::builder()
        .account_quotas(quota("ManualClusterSnapshots", 7))
        .account_quotas(quota("ManualSnapshots", used))
        .build()
}

#[tokio::test]
async fn the_usage_tells_a_busy_region_from_a_full_one() {
    let full = mock!(aws_sdk_rds::Client::copy_db_snapshot)
        .then_http_response(|| rds_error(400, "SnapshotQuotaExceeded", "too many"));
    for (usage, expected, is_denied) in [
        (
            mock!(aws_sdk_rds::Client::describe_account_attributes).then_output(|| quotas(30)),
            CopyFailure::RegionFull,
            false,
        ),
        (
            mock!(aws_sdk_rds::Client::describe_account_attributes).then_output(|| quotas(100)),
            CopyFailure::QuotaExceeded,
            false,
        ),
        (
            mock!(aws_sdk_rds::Client::describe_account_attributes)
                .then_http_response(|| rds_error(403, "AccessDenied", "no")),
            CopyFailure::RegionFull,
            true,
        ),
    ] {
        let clients = clients_of_rds([in_region("eu-west-1", &[&full, &usage])]);
        let error = copy(&clients, &policy("eu-west-1"), &shared(ARN)).await.unwrap_err();
        assert_eq!((error.failure, error.error.code.as_str()), (expected, "SnapshotQuotaExceeded"));
        let is_in_doubt =
            error.error.message.contains("DescribeAccountAttributes, which tells, was answered AccessDenied: no");
        assert_eq!(is_in_doubt, is_denied);
    }
    let usage = mock!(aws_sdk_rds::Client::describe_account_attributes).then_output(|| quotas(30));
    let clients = clients_of_rds([in_region("eu-west-1", &[&usage])]);
    for (kind, used) in [(Kind::Instance, 30), (Kind::Cluster, 7)] {
        let found = rds::usage(&clients, &region("eu-west-1"), kind).await;
        assert_eq!(found, Ok(Usage { used, max: 100 }));
    }
    let none = mock!(aws_sdk_rds::Client::describe_account_attributes)
        .then_output(|| DescribeAccountAttributesOutput::builder().build());
    let clients = clients_of_rds([in_region("eu-west-1", &[&none])]);
    assert!(rds::usage(&clients, &region("eu-west-1"), Kind::Instance).await.is_err());
}

/// Whether it is asked for again is the line's to say, also where the SDK would do it by itself.
#[tokio::test]
async fn a_copy_is_asked_for_once() {
    for (code, expected) in [("Throttling", CopyFailure::Throttled), ("InternalFailure", CopyFailure::Ambiguous)] {
        let rule =
            mock!(aws_sdk_rds::Client::copy_db_snapshot).then_http_response(move || rds_error(500, code, "slow down"));
        let clients = clients_of_rds([in_region_with_retries("eu-west-1", &[&rule])]);
        let error = copy(&clients, &policy("eu-west-1"), &shared(ARN)).await.unwrap_err();
        assert_eq!((error.failure, rule.num_calls()), (expected, 1));
    }
}
