//! Snapshots of databases against mocked RDS: what is asked for, what its answers become, what a taken name leads to.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

#[path = "../common/mod.rs"]
mod common;
mod copies;
mod expiring;
mod kept;
mod reads;
mod verifying;
mod wire;
mod world;

use aws_sdk_rds::operation::add_tags_to_resource::AddTagsToResourceOutput;
use aws_sdk_rds::operation::delete_db_cluster_snapshot::DeleteDbClusterSnapshotOutput;
use aws_sdk_rds::operation::delete_db_snapshot::DeleteDbSnapshotOutput;
use aws_sdk_rds::types::DbSnapshot;
use aws_smithy_mocks::mock;
use aws_smithy_types::DateTime;
use common::rds::{ARN, CREATED, clients_of_rds, in_region, rds_error};
use common::region;
use jiff::Timestamp;
use snapferry_aws::rds;
use snapferry_core::expiring::{DeleteFailure, Refusal};
use snapferry_core::policy::Policy;
use snapferry_core::rds::{CopyRequest, Kind, Shared, SnapshotArn};

fn request<'f>(policy: &'f Policy, source: &'f Shared) -> CopyRequest<'f> {
    CopyRequest { policy: &policy.name, source, target: &policy.targets[0], attempt: 1 }
}

fn moment(text: &str) -> DateTime {
    let time: Timestamp = text.parse().unwrap();
    DateTime::from_nanos(time.as_nanosecond()).unwrap()
}

/// What another account shares, as RDS describes it.
fn described() -> DbSnapshot {
    DbSnapshot::builder()
        .db_snapshot_identifier(ARN)
        .db_snapshot_arn(ARN)
        .db_instance_identifier("orders")
        .dbi_resource_id("db-A")
        .snapshot_create_time(moment(CREATED))
        .status("available")
        .encrypted(true)
        .engine("postgres")
        .engine_version("16.4")
        .allocated_storage(20)
        .build()
}

#[tokio::test]
async fn each_kind_is_deleted_by_its_own_call() {
    let instance = mock!(aws_sdk_rds::Client::delete_db_snapshot)
        .match_requests(|call| call.db_snapshot_identifier() == Some("snapferry-1"))
        .then_output(|| DeleteDbSnapshotOutput::builder().build());
    let cluster = mock!(aws_sdk_rds::Client::delete_db_cluster_snapshot)
        .match_requests(|call| call.db_cluster_snapshot_identifier() == Some("snapferry-1"))
        .then_output(|| DeleteDbClusterSnapshotOutput::builder().build());
    let clients = clients_of_rds([in_region("eu-west-1", &[&instance, &cluster])]);
    for kind in Kind::ALL {
        assert_eq!(rds::delete(&clients, &region("eu-west-1"), kind, "snapferry-1").await, Ok(()));
    }
    assert_eq!((instance.num_calls(), cluster.num_calls()), (1, 1));
}

#[tokio::test]
async fn a_deletion_that_failed_says_what_it_means() {
    for (status, code, expected) in [
        (404, "DBSnapshotNotFound", DeleteFailure::Gone),
        (400, "InvalidDBSnapshotState", DeleteFailure::Refused(Refusal::Other)),
        (403, "AccessDenied", DeleteFailure::Refused(Refusal::NotAuthorized)),
    ] {
        let rule =
            mock!(aws_sdk_rds::Client::delete_db_snapshot).then_http_response(move || rds_error(status, code, "no"));
        let clients = clients_of_rds([in_region("eu-west-1", &[&rule])]);
        let (failure, error) =
            rds::delete(&clients, &region("eu-west-1"), Kind::Instance, "snapferry-1").await.unwrap_err();
        assert_eq!((failure, error.code.as_str()), (expected, code));
    }
}

#[tokio::test]
async fn a_verdict_is_written_by_the_copys_arn() {
    let rule = mock!(aws_sdk_rds::Client::add_tags_to_resource)
        .match_requests(|call| {
            call.resource_name() == Some("arn:aws:rds:eu-west-1:222222222222:snapshot:snapferry-1")
                && call.tags()[0].key() == Some("snapferry:status")
                && call.tags()[0].value() == Some("verified")
        })
        .then_output(|| AddTagsToResourceOutput::builder().build());
    let clients = clients_of_rds([in_region("eu-west-1", &[&rule])]);
    let tags = [("snapferry:status", "verified".to_owned())];
    let arn = SnapshotArn::parse("arn:aws:rds:eu-west-1:222222222222:snapshot:snapferry-1").unwrap();
    assert_eq!(rds::tag(&clients, &arn, &tags).await, Ok(()));
}
