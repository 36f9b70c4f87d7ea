//! The requests to RDS, held as in requests.rs.

use aws_sdk_rds::types::{Filter, Tag};

use crate::{KEY, hold};

fn filter() -> Filter {
    Filter::builder().name("engine").values("postgres").values("a b&c=d/é").build()
}

fn tag() -> Tag {
    Tag::builder().key("snapferry:source-start-time").value("2026-11-22T03:00:00Z").build()
}

const ARN: &str = "arn:aws:rds:us-east-1:111111111111:snapshot:nightly";
const URL: &str = "https://rds.us-east-1.amazonaws.com/?Action=CopyDBSnapshot&X-Amz-Expires=3600";

#[tokio::test]
async fn snapshots_are_read_as_by_the_whole_crate() {
    hold!(aws_sdk_rds, describe_account_attributes);
    hold!(
        aws_sdk_rds,
        describe_db_cluster_snapshots,
        db_cluster_identifier("orders"),
        db_cluster_snapshot_identifier(ARN),
        snapshot_type("shared"),
        filters(filter()),
        max_records(100),
        marker("m"),
        include_shared(true),
        include_public(true),
        db_cluster_resource_id("cluster-A"),
    );
    hold!(
        aws_sdk_rds,
        describe_db_snapshots,
        db_instance_identifier("orders"),
        db_snapshot_identifier(ARN),
        snapshot_type("shared"),
        filters(filter()),
        max_records(100),
        marker("m"),
        include_shared(true),
        include_public(true),
        dbi_resource_id("db-A"),
    );
}

#[tokio::test]
async fn snapshots_are_made_and_changed_as_by_the_whole_crate() {
    hold!(aws_sdk_rds, add_tags_to_resource, resource_name(ARN), tags(tag()));
    hold!(
        aws_sdk_rds,
        copy_db_cluster_snapshot,
        source_db_cluster_snapshot_identifier(ARN),
        target_db_cluster_snapshot_identifier("snapferry-1"),
        kms_key_id(KEY),
        pre_signed_url(URL),
        copy_tags(true),
        tags(tag()),
    );
    hold!(
        aws_sdk_rds,
        copy_db_snapshot,
        source_db_snapshot_identifier(ARN),
        target_db_snapshot_identifier("snapferry-1"),
        kms_key_id(KEY),
        tags(tag()),
        copy_tags(true),
        pre_signed_url(URL),
        option_group_name("og"),
        target_custom_availability_zone("rds-caz-1"),
        snapshot_target("region"),
        copy_option_group(true),
        snapshot_availability_zone("us-east-1-lz-1a"),
    );
    hold!(aws_sdk_rds, delete_db_cluster_snapshot, db_cluster_snapshot_identifier("snapferry-1"));
    hold!(aws_sdk_rds, delete_db_snapshot, db_snapshot_identifier("snapferry-1"));
}
