//! What is read page by page, and what cannot be read.

use aws_sdk_rds::operation::describe_db_cluster_snapshots::DescribeDbClusterSnapshotsOutput;
use aws_sdk_rds::operation::describe_db_snapshots::DescribeDbSnapshotsOutput;
use aws_sdk_rds::types::{DbClusterSnapshot, DbSnapshot, Tag};
use aws_smithy_mocks::mock;
use snapferry_aws::rds;
use snapferry_core::rds::Kind;

use crate::common::rds::{ARN, CLUSTER, CREATED, clients_of_rds, in_region, shared};
use crate::common::{KEY, region};
use crate::{described, moment};

#[tokio::test]
async fn what_is_shared_is_read_page_by_page() {
    let odd = |arn: &str| DbSnapshot::builder().db_snapshot_arn(arn).encrypted(true).engine("postgres").build();
    let first = mock!(aws_sdk_rds::Client::describe_db_snapshots)
        .match_requests(|read| {
            read.snapshot_type() == Some("shared") && read.max_records() == Some(100) && read.marker().is_none()
        })
        .then_output(move || {
            let page = DescribeDbSnapshotsOutput::builder().marker("m");
            page.db_snapshots(odd("nightly")).db_snapshots(described()).db_snapshots(odd(ARN)).build()
        });
    let second = mock!(aws_sdk_rds::Client::describe_db_snapshots)
        .match_requests(|read| read.marker() == Some("m"))
        .then_output(|| DescribeDbSnapshotsOutput::builder().marker("").build());
    let clients = clients_of_rds([in_region("us-east-1", &[&first, &second])]);
    let page = rds::shared(&clients, Kind::Instance, None).await.unwrap();
    assert_eq!((page.snapshots, page.next.as_deref()), (vec![shared(ARN)], Some("m")));
    assert_eq!(page.unreadable.len(), 2, "{:?}", page.unreadable);
    assert!(page.unreadable[1].starts_with(ARN), "{:?}", page.unreadable);
    let page = rds::shared(&clients, Kind::Instance, Some("m")).await.unwrap();
    assert_eq!((page.snapshots, page.next), (vec![], None));
}

#[tokio::test]
async fn what_a_copy_loses_is_read_of_instances() {
    let snapshot = || {
        let (mut snapshot, mut plain) = (described(), described());
        snapshot.option_group_name = Some("oracle-options".to_owned());
        snapshot.tde_credential_arn = Some("arn:aws:cloudhsm:us-east-1:111111111111:tde".to_owned());
        plain.tde_credential_arn = Some(String::new());
        [snapshot, plain]
    };
    let rule = mock!(aws_sdk_rds::Client::describe_db_snapshots)
        .then_output(move || DescribeDbSnapshotsOutput::builder().set_db_snapshots(Some(snapshot().into())).build());
    let clients = clients_of_rds([in_region("us-east-1", &[&rule])]);
    let page = rds::shared(&clients, Kind::Instance, None).await.unwrap();
    let found: Vec<_> = page.snapshots.iter().map(|shared| (shared.option_group.as_deref(), shared.has_tde)).collect();
    assert_eq!(found, [(Some("oracle-options"), true), (None, false)]);
}

/// To take such a page for the last one would hide whatever comes behind it.
#[tokio::test]
async fn a_page_that_leads_to_itself_is_an_error() {
    let rule = mock!(aws_sdk_rds::Client::describe_db_cluster_snapshots)
        .then_output(|| DescribeDbClusterSnapshotsOutput::builder().marker("m").build());
    let clients = clients_of_rds([in_region("us-east-1", &[&rule])]);
    assert!(rds::shared(&clients, Kind::Cluster, None).await.is_ok());
    assert_eq!(rds::shared(&clients, Kind::Cluster, Some("m")).await.unwrap_err().code, "UnreadableAnswer");
}

/// A source that was taken for plain, or for one of another time, would be copied as what it is not.
#[tokio::test]
async fn of_what_is_shared_nothing_is_guessed() {
    type Change = fn(&mut DbSnapshot);
    let changes: [(bool, Change); 7] = [
        (true, |_| {}),
        (true, |s| (s.dbi_resource_id, s.engine_version) = (None, None)),
        (false, |s| s.snapshot_create_time = None),
        (false, |s| s.encrypted = None),
        (false, |s| s.engine = None),
        (false, |s| s.allocated_storage = None),
        (false, |s| s.db_snapshot_arn = None),
    ];
    for (index, (is_read, change)) in changes.into_iter().enumerate() {
        let rule = mock!(aws_sdk_rds::Client::describe_db_snapshots).then_output(move || {
            let mut snapshot = described();
            change(&mut snapshot);
            DescribeDbSnapshotsOutput::builder().db_snapshots(snapshot).build()
        });
        let page =
            rds::shared(&clients_of_rds([in_region("us-east-1", &[&rule])]), Kind::Instance, None).await.unwrap();
        assert_eq!((page.snapshots.len(), page.unreadable.len()), if is_read { (1, 0) } else { (0, 1) }, "{index}");
    }
}

#[tokio::test]
async fn own_snapshots_are_read_with_their_tags() {
    let snapshot = DbClusterSnapshot::builder()
        .db_cluster_snapshot_arn("arn:aws:rds:eu-west-1:222222222222:cluster-snapshot:a")
        .status("available")
        .storage_encrypted(true)
        .kms_key_id(KEY)
        .source_db_cluster_snapshot_arn(CLUSTER)
        .tag_list(Tag::builder().key("snapferry:policy").value("default").build())
        .tag_list(Tag::builder().key("empty").build())
        .build();
    let mut without = snapshot.clone();
    without.storage_encrypted = None;
    let rule = mock!(aws_sdk_rds::Client::describe_db_cluster_snapshots)
        .match_requests(|read| read.snapshot_type() == Some("manual") && read.max_records() == Some(100))
        .then_output(move || {
            let page = DescribeDbClusterSnapshotsOutput::builder();
            page.db_cluster_snapshots(snapshot.clone()).db_cluster_snapshots(without.clone()).build()
        });
    let clients = clients_of_rds([in_region("eu-west-1", &[&rule])]);
    let page = rds::own(&clients, &region("eu-west-1"), Kind::Cluster, None).await.unwrap();
    let [found] = page.snapshots.as_slice() else { panic!("{page:?}") };
    assert_eq!((found.tag("snapferry:policy"), found.tag("empty")), (Some("default"), Some("")));
    assert_eq!(found.key.as_ref().map(ToString::to_string).as_deref(), Some(KEY));
    assert_eq!(found.source_arn.as_deref(), Some(CLUSTER));
    // What is available and says nothing of its encryption gets no verdict.
    assert_eq!(page.unreadable.len(), 1);
}

#[tokio::test]
async fn when_an_instances_data_was_taken_is_read() {
    let snapshot = || {
        let mut snapshot = described();
        snapshot.original_snapshot_create_time = Some(moment(CREATED));
        snapshot
    };
    let rule = mock!(aws_sdk_rds::Client::describe_db_snapshots)
        .then_output(move || DescribeDbSnapshotsOutput::builder().db_snapshots(snapshot()).build());
    let clients = clients_of_rds([in_region("eu-west-1", &[&rule])]);
    let found = rds::named(&clients, &region("eu-west-1"), Kind::Instance, "nightly").await.unwrap().unwrap();
    assert_eq!(found.original, Some(CREATED.parse().unwrap()));
}
