//! Answers as RDS writes them.

use snapferry_aws::rds;
use snapferry_core::facts::DatabaseCopy;
use snapferry_core::rds::{Held, Kind, Usage, judge};

use crate::common::rds::{ARN, CLUSTER, CREATED, clients_of_rds, policy, saying, shared};
use crate::common::{KEY, region};
use crate::request;

/// As RDS writes it (RDS API reference, DescribeDBSnapshots, and its service model of 2014-10-31), with a character that XML does
/// not have.
#[tokio::test]
async fn a_page_is_read_as_rds_writes_it() {
    let page = format!(
        r#"<DescribeDBSnapshotsResponse xmlns="http://rds.amazonaws.com/doc/2014-10-31/"><DescribeDBSnapshotsResult>
        <Marker>m</Marker><DBSnapshots><DBSnapshot><DBSnapshotIdentifier>{ARN}</DBSnapshotIdentifier>
        <DBInstanceIdentifier>orders</DBInstanceIdentifier><SnapshotCreateTime>{CREATED}</SnapshotCreateTime>
        <Engine>postgres</Engine><AllocatedStorage>20</AllocatedStorage><Status>available</Status>
        <MasterUsername>a&#1;b</MasterUsername><EngineVersion>16.4</EngineVersion><SnapshotType>shared</SnapshotType>
        <PercentProgress>100</PercentProgress><Encrypted>true</Encrypted>
        <KmsKeyId>arn:aws:kms:us-east-1:111111111111:key/1</KmsKeyId><DBSnapshotArn>{ARN}</DBSnapshotArn>
        <DbiResourceId>db-A</DbiResourceId><TagList/></DBSnapshot></DBSnapshots></DescribeDBSnapshotsResult>
        <ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></DescribeDBSnapshotsResponse>"#
    );
    let page = rds::shared(&clients_of_rds([saying("us-east-1", &page)]), Kind::Instance, None).await.unwrap();
    let expected = rds::Page { snapshots: vec![shared(ARN)], unreadable: vec![], next: Some("m".to_owned()) };
    assert_eq!(page, expected);
}

#[tokio::test]
async fn a_clusters_copy_is_read_as_rds_writes_it() {
    let (policy, source) = (policy("eu-west-1"), shared(CLUSTER));
    let request = request(&policy, &source);
    let arn = format!("arn:aws:rds:eu-west-1:222222222222:cluster-snapshot:{}", request.name());
    let tag = |(key, value): (String, String)| format!("<Tag><Key>{key}</Key><Value>{value}</Value></Tag>");
    let tags: String = request.tags("2026-11-22T04:00:00Z".parse().unwrap()).into_iter().map(tag).collect();
    let answer = format!(
        r#"<DescribeDBClusterSnapshotsResponse xmlns="http://rds.amazonaws.com/doc/2014-10-31/">
        <DescribeDBClusterSnapshotsResult><DBClusterSnapshots><DBClusterSnapshot>
        <DBClusterSnapshotIdentifier>{}</DBClusterSnapshotIdentifier><DBClusterIdentifier>orders</DBClusterIdentifier>
        <SnapshotCreateTime>2026-11-22T04:00:01.5Z</SnapshotCreateTime><Engine>postgres</Engine>
        <AllocatedStorage>20</AllocatedStorage><Status>available</Status><SnapshotType>manual</SnapshotType>
        <StorageEncrypted>true</StorageEncrypted><KmsKeyId>{KEY}</KmsKeyId><DBClusterSnapshotArn>{arn}</DBClusterSnapshotArn>
        <SourceDBClusterSnapshotArn>{CLUSTER}</SourceDBClusterSnapshotArn><TagList>{tags}</TagList>
        <DbClusterResourceId>db-A</DbClusterResourceId></DBClusterSnapshot></DBClusterSnapshots>
        </DescribeDBClusterSnapshotsResult></DescribeDBClusterSnapshotsResponse>"#,
        request.name()
    );
    let clients = clients_of_rds([saying("eu-west-1", &answer)]);
    let found = rds::named(&clients, &region("eu-west-1"), Kind::Cluster, request.name().as_str()).await;
    let copy = found.unwrap().unwrap();
    assert_eq!(judge(&request.asked(), &copy), Held::Ours);
    let fact = copy.fact().unwrap();
    assert_eq!((fact.tags.problems, fact.size_gib, fact.kms_key.as_deref()), (vec![], 20, Some(KEY)));
    let DatabaseCopy { source, engine, resource, is_dated, taken } = *fact.database.unwrap();
    assert_eq!(([source.missed(), engine.missed(), resource.missed()], is_dated), ([None; 3], true));
    assert_eq!(taken, None);
    assert_eq!(copy.created, Some("2026-11-22T04:00:01.5Z".parse().unwrap()));
}

#[tokio::test]
async fn the_quotas_are_read_as_rds_writes_them() {
    let quota = |name: &str, used: u32| {
        format!(
            "<AccountQuota><AccountQuotaName>{name}</AccountQuotaName><Used>{used}</Used><Max>100</Max></AccountQuota>"
        )
    };
    let answer = format!(
        "<DescribeAccountAttributesResponse><DescribeAccountAttributesResult><AccountQuotas>{}{}</AccountQuotas>\
         </DescribeAccountAttributesResult></DescribeAccountAttributesResponse>",
        quota("ManualSnapshots", 30),
        quota("ManualClusterSnapshots", 7)
    );
    let clients = clients_of_rds([saying("eu-west-1", &answer)]);
    let usage = rds::usage(&clients, &region("eu-west-1"), Kind::Cluster).await;
    assert_eq!(usage, Ok(Usage { used: 7, max: 100 }));
}
