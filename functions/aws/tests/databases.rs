//! Snapshots of databases against mocked RDS: what is asked for, what its answers become, what a taken name leads to.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use aws_sdk_rds::operation::add_tags_to_resource::AddTagsToResourceOutput;
use aws_sdk_rds::operation::copy_db_cluster_snapshot::CopyDbClusterSnapshotOutput;
use aws_sdk_rds::operation::copy_db_snapshot::CopyDbSnapshotOutput;
use aws_sdk_rds::operation::delete_db_cluster_snapshot::DeleteDbClusterSnapshotOutput;
use aws_sdk_rds::operation::delete_db_snapshot::DeleteDbSnapshotOutput;
use aws_sdk_rds::operation::describe_account_attributes::DescribeAccountAttributesOutput;
use aws_sdk_rds::operation::describe_db_cluster_snapshots::DescribeDbClusterSnapshotsOutput;
use aws_sdk_rds::operation::describe_db_snapshots::DescribeDbSnapshotsOutput;
use aws_sdk_rds::types::{AccountQuota, DbClusterSnapshot, DbSnapshot, Tag};
use aws_smithy_mocks::{Rule, mock};
use aws_smithy_types::DateTime;
use common::rds::{clients_of_rds, in_region, in_region_with_retries, policy, rds_error};
use common::{KEY, region};
use jiff::Timestamp;
use snapferry_aws::rds::{self, RdsClients};
use snapferry_core::copying::{CopyError, CopyFailure};
use snapferry_core::expiring::{DeleteFailure, Refusal};
use snapferry_core::policy::Policy;
use snapferry_core::rds::{Answer, CopyRequest, Disagreement, Held, Kind, Shared, SnapshotArn, Source, Usage};

const ARN: &str = "arn:aws:rds:us-east-1:111111111111:snapshot:nightly";
const CLUSTER: &str = "arn:aws:rds:us-east-1:111111111111:cluster-snapshot:nightly";
const CREATED: &str = "2026-11-22T03:00:00.123Z";

fn shared(arn: &str) -> Shared {
    Shared {
        source: Source {
            arn: SnapshotArn::parse(arn).unwrap(),
            created: CREATED.parse().unwrap(),
            resource_id: "db-A".to_owned(),
        },
        database: "orders".to_owned(),
        status: "available".to_owned(),
        encrypted: true,
        engine: "postgres".to_owned(),
        engine_version: Some("16.4".to_owned()),
        allocated_storage: 20,
    }
}

fn request<'f>(policy: &'f Policy, source: &'f Shared) -> CopyRequest<'f> {
    CopyRequest { policy: &policy.name, source, target: &policy.targets[0], attempt: 1 }
}

async fn copy(clients: &RdsClients, policy: &Policy, source: &Shared) -> Result<Answer, CopyError> {
    rds::copy(clients, &request(policy, source), Timestamp::now()).await
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
    for arn in [ARN, CLUSTER] {
        assert_eq!(copy(&clients, &policy, &shared(arn)).await, Ok(Answer::Started), "{arn}");
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
        assert_eq!(copy(&clients, &policy(target), &source).await, Ok(Answer::Started), "{kind} {target}");
    }
}

#[tokio::test]
async fn a_copy_that_was_asked_for_before_is_found_under_its_name() {
    let (policy, source) = (policy("eu-west-1"), shared(ARN));
    let holder = made(&request(&policy, &source));
    let name = request(&policy, &source).name().to_string();
    let look = mock!(aws_sdk_rds::Client::describe_db_snapshots)
        .match_requests(move |read| read.db_snapshot_identifier() == Some(&name))
        .then_output(move || DescribeDbSnapshotsOutput::builder().db_snapshots(holder.clone()).build());
    let exists = exists();
    let clients = clients_of_rds([in_region("eu-west-1", &[&exists, &look])]);
    assert_eq!(copy(&clients, &policy, &source).await, Ok(Answer::Held(Held::Ours)));
    assert_eq!((exists.num_calls(), look.num_calls()), (1, 1));
}

#[tokio::test]
async fn a_strangers_snapshot_under_the_name_is_told_and_left_alone() {
    let look = mock!(aws_sdk_rds::Client::describe_db_snapshots)
        .then_output(|| DescribeDbSnapshotsOutput::builder().db_snapshots(described()).build());
    let clients = clients_of_rds([in_region("eu-west-1", &[&exists(), &look])]);
    let answer = copy(&clients, &policy("eu-west-1"), &shared(ARN)).await;
    assert_eq!(answer, Ok(Answer::Held(Held::Taken(Disagreement::Source))));
}

#[tokio::test]
async fn who_holds_the_name_and_is_not_shown_is_looked_for_later() {
    let gone = || rds_error(404, "DBSnapshotNotFound", "not found");
    let silent = || rds_error(500, "InternalFailure", "try again");
    for (look, code) in [
        (mock!(aws_sdk_rds::Client::describe_db_snapshots).then_http_response(gone), "UnreadableAnswer"),
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
    for (usage, expected) in [
        (mock!(aws_sdk_rds::Client::describe_account_attributes).then_output(|| quotas(30)), CopyFailure::RegionFull),
        (
            mock!(aws_sdk_rds::Client::describe_account_attributes).then_output(|| quotas(100)),
            CopyFailure::QuotaExceeded,
        ),
        (
            mock!(aws_sdk_rds::Client::describe_account_attributes)
                .then_http_response(|| rds_error(403, "AccessDenied", "no")),
            CopyFailure::RegionFull,
        ),
    ] {
        let clients = clients_of_rds([in_region("eu-west-1", &[&full, &usage])]);
        let error = copy(&clients, &policy("eu-west-1"), &shared(ARN)).await.unwrap_err();
        assert_eq!((error.failure, error.error.code.as_str()), (expected, "SnapshotQuotaExceeded"));
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

fn copy_of(kind: Kind) -> SnapshotArn {
    SnapshotArn::parse(&format!("arn:aws:rds:eu-west-1:222222222222:{}:snapferry-1", kind.arn_type())).unwrap()
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
        assert_eq!(rds::delete(&clients, &copy_of(kind)).await, Ok(()));
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
        let (failure, error) = rds::delete(&clients, &copy_of(Kind::Instance)).await.unwrap_err();
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
    assert_eq!(rds::tag(&clients, &copy_of(Kind::Instance), &tags).await, Ok(()));
}
