//! RDS, answering by rules.

use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_sdk_rds::config::retry::RetryConfig;
use aws_smithy_mocks::{Rule, create_mock_http_client};
use aws_smithy_runtime_api::client::http::{SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use snapferry_aws::rds::RdsClients;
use snapferry_core::ids::Region;
use snapferry_core::policy::{Policy, parse};
use snapferry_core::rds::{Shared, SnapshotArn, Source};

use super::{KEY, Says, clients, credentials, http, interceptor, region};

pub const ARN: &str = "arn:aws:rds:us-east-1:111111111111:snapshot:nightly";
pub const CLUSTER: &str = "arn:aws:rds:us-east-1:111111111111:cluster-snapshot:nightly";
pub const CREATED: &str = "2026-11-22T03:00:00.123Z";

/// What another account shares.
pub fn shared(arn: &str) -> Shared {
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
        option_group: None,
        has_tde: false,
    }
}

/// RDS in one Region.
pub fn in_region(code: &str, rules: &[&Rule]) -> (Region, aws_sdk_rds::Client) {
    made(code, rules, RetryConfig::disabled())
}

/// The same, with a client that asks again by itself where it may.
pub fn in_region_with_retries(code: &str, rules: &[&Rule]) -> (Region, aws_sdk_rds::Client) {
    made(code, rules, RetryConfig::standard().with_initial_backoff(Duration::from_millis(1)))
}

fn made(code: &str, rules: &[&Rule], retries: RetryConfig) -> (Region, aws_sdk_rds::Client) {
    let config = aws_sdk_rds::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(aws_config::Region::new(code.to_owned()))
        .credentials_provider(credentials())
        .retry_config(retries)
        .http_client(create_mock_http_client())
        .interceptor(interceptor(rules))
        .build();
    (region(code), aws_sdk_rds::Client::from_conf(config))
}

/// RDS in one Region that answers every request with this body, read as the functions read it.
pub fn saying(code: &str, body: &str) -> (Region, aws_sdk_rds::Client) {
    let connector = SharedHttpConnector::new(Says(200, body.to_owned()));
    let config = aws_sdk_rds::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(aws_config::Region::new(code.to_owned()))
        .credentials_provider(credentials())
        .retry_config(RetryConfig::disabled())
        .http_client(snapferry_aws::legible::legible(http_client_fn(move |_, _| connector.clone())))
        .build();
    (region(code), aws_sdk_rds::Client::from_conf(config))
}

/// Clients with `us-east-1` as home.
pub fn clients_of_rds(rds: impl IntoIterator<Item = (Region, aws_sdk_rds::Client)>) -> RdsClients {
    RdsClients::with(clients([], []).config().clone(), region("us-east-1"), rds.into_iter().collect())
}

/// RDS's form of an error.
pub fn rds_error(status: u16, code: &str, message: &str) -> HttpResponse {
    http(
        status,
        &format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
             <RequestId>1</RequestId></ErrorResponse>"
        ),
    )
}

/// A policy of databases into `target`: into eu-west-1 under [`KEY`], elsewhere under a key of that Region.
pub fn policy(target: &str) -> Policy {
    let partition = region(target).partition();
    let key = KEY.replace("arn:aws:", &format!("arn:{partition}:")).replace("eu-west-1", target);
    let document = format!(
        r#"{{"PolicyType": "EVENT_BASED_POLICY",
            "EventSource": {{"Type": "MANAGED_CWE", "Parameters": {{"EventType": "shareSnapshot",
                "SnapshotOwner": ["111111111111"], "SourceTypes": ["DB_SNAPSHOT", "DB_CLUSTER_SNAPSHOT"]}}}},
            "Actions": [{{"Name": "copy", "CrossRegionCopy": [{{"Target": "{target}",
                "EncryptionConfiguration": {{"Encrypted": true, "CmkArn": "{key}"}},
                "RetainRule": {{"Interval": 1, "IntervalUnit": "MONTHS"}},
                "TagsToAdd": [{{"Key": "team", "Value": "a"}}]}}]}}]}}"#
    );
    parse(&document).unwrap().policies.remove(0)
}
