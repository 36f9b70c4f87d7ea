//! What the seam's tests share: clients whose answers are mocked below the SDK's own error handling and retries.
#![allow(clippy::panic, clippy::unwrap_used, dead_code, unreachable_pub)]

pub mod copies;
pub mod rds;
pub mod table;

use std::collections::BTreeMap;

use aws_config::BehaviorVersion;
use aws_sdk_ec2::config::retry::RetryConfig;
use aws_smithy_mocks::{MockResponseInterceptor, Rule, RuleMode, create_mock_http_client};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use snapferry_aws::clients::Clients;
use snapferry_aws::ledger::Table;
use snapferry_core::facts::{SourceSnapshot, State};
use snapferry_core::ids::{AccountId, PolicyName, Region, SnapshotId, VolumeId};
use snapferry_core::policy::{Policy, parse};

pub const KEY: &str = "arn:aws:kms:eu-west-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab";

pub fn region(code: &str) -> Region {
    Region::parse(code).unwrap()
}

pub fn snapshot_id(number: u32) -> SnapshotId {
    SnapshotId::parse(&format!("snap-{number:08x}")).unwrap()
}

pub fn name(text: &str) -> PolicyName {
    PolicyName::parse(text).unwrap()
}

fn interceptor(rules: &[&Rule]) -> MockResponseInterceptor {
    let any = MockResponseInterceptor::new().rule_mode(RuleMode::MatchAny);
    rules.iter().fold(any, |mock, rule| mock.with_rule(rule))
}

fn credentials() -> aws_credential_types::Credentials {
    aws_credential_types::Credentials::new("AKIDEXAMPLE", "secret", None, None, "test")
}

/// EC2 in one Region, answering by `rules`.
pub fn ec2(code: &str, rules: &[&Rule]) -> (Region, aws_sdk_ec2::Client) {
    let config = aws_sdk_ec2::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(aws_config::Region::new(code.to_owned()))
        .credentials_provider(credentials())
        .retry_config(RetryConfig::disabled())
        .http_client(create_mock_http_client())
        .interceptor(interceptor(rules))
        .build();
    (region(code), aws_sdk_ec2::Client::from_conf(config))
}

/// EC2 in one Region that takes requests and never answers.
pub fn silent_ec2(code: &str) -> (Region, aws_sdk_ec2::Client) {
    let config = aws_sdk_ec2::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(aws_config::Region::new(code.to_owned()))
        .credentials_provider(credentials())
        .http_client(aws_smithy_http_client::test_util::NeverClient::new())
        .build();
    (region(code), aws_sdk_ec2::Client::from_conf(config))
}

/// KMS in one Region, answering by `rules`.
pub fn kms(code: &str, rules: &[&Rule]) -> (Region, aws_sdk_kms::Client) {
    let config = aws_sdk_kms::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(aws_config::Region::new(code.to_owned()))
        .credentials_provider(credentials())
        .retry_config(RetryConfig::disabled())
        .http_client(create_mock_http_client())
        .interceptor(interceptor(rules))
        .build();
    (region(code), aws_sdk_kms::Client::from_conf(config))
}

/// The ledger's table, answering by `rules`.
pub fn ledger(rules: &[&Rule]) -> Table {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(aws_config::Region::new("us-east-1"))
        .credentials_provider(credentials())
        .retry_config(RetryConfig::disabled())
        .http_client(create_mock_http_client())
        .interceptor(interceptor(rules))
        .build();
    Table::with(aws_sdk_dynamodb::Client::from_conf(config), "ledger")
}

/// EC2 in one Region that answers every request with this body, read as the functions read it.
pub fn ec2_saying(code: &str, body: &str) -> (Region, aws_sdk_ec2::Client) {
    let connector = SharedHttpConnector::new(Says(200, body.to_owned()));
    let config = aws_sdk_ec2::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(aws_config::Region::new(code.to_owned()))
        .credentials_provider(credentials())
        .retry_config(RetryConfig::disabled())
        .http_client(snapferry_aws::legible::legible(http_client_fn(move |_, _| connector.clone())))
        .build();
    (region(code), aws_sdk_ec2::Client::from_conf(config))
}

/// KMS in one Region that answers every request with this body.
pub fn kms_saying(code: &str, status: u16, body: &str) -> (Region, aws_sdk_kms::Client) {
    let connector = SharedHttpConnector::new(Says(status, body.to_owned()));
    let config = aws_sdk_kms::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(aws_config::Region::new(code.to_owned()))
        .credentials_provider(credentials())
        .retry_config(RetryConfig::disabled())
        .http_client(snapferry_aws::legible::legible(http_client_fn(move |_, _| connector.clone())))
        .build();
    (region(code), aws_sdk_kms::Client::from_conf(config))
}

/// A status and a body.
#[derive(Debug)]
struct Says(u16, String);

impl HttpConnector for Says {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(Ok(http(self.0, &self.1)))
    }
}

/// Clients with `us-east-1` as home.
pub fn clients(
    ec2: impl IntoIterator<Item = (Region, aws_sdk_ec2::Client)>,
    kms: impl IntoIterator<Item = (Region, aws_sdk_kms::Client)>,
) -> Clients {
    let config = aws_config::SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(aws_sdk_ec2::config::SharedCredentialsProvider::new(credentials()))
        .build();
    let (ec2, kms): (BTreeMap<_, _>, BTreeMap<_, _>) = (ec2.into_iter().collect(), kms.into_iter().collect());
    Clients::with(config, region("us-east-1"), ec2, kms)
}

/// An answer as EC2 sends it.
pub fn http(status: u16, body: &str) -> HttpResponse {
    let mut response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
    response.headers_mut().insert("x-amzn-requestid", "11111111-2222-3333-4444-555555555555");
    response
}

/// EC2's form of an error.
pub fn ec2_error(status: u16, code: &str, message: &str) -> HttpResponse {
    http(
        status,
        &format!(
            "<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>\
             </Response>"
        ),
    )
}

/// One policy with a target in each of `targets`, under [`KEY`] in `eu-west-1` and the default key elsewhere.
pub fn policies(targets: &[&str]) -> Vec<Policy> {
    policies_with(targets, ".*")
}

/// The same with a DescriptionRegex.
pub fn policies_with(targets: &[&str], regex: &str) -> Vec<Policy> {
    let copy = |target: &&str| {
        let key = if *target == "eu-west-1" { format!(", \"CmkArn\": \"{KEY}\"") } else { String::new() };
        format!(
            "{{\"Target\": \"{target}\", \"EncryptionConfiguration\": {{\"Encrypted\": true{key}}}, \
             \"RetainRule\": {{\"Interval\": 1, \"IntervalUnit\": \"MONTHS\"}}}}"
        )
    };
    let copies: Vec<String> = targets.iter().map(copy).collect();
    let document = format!(
        "{{\"PolicyType\": \"EVENT_BASED_POLICY\", \"EventSource\": {{\"Type\": \"MANAGED_CWE\", \"Parameters\": \
         {{\"EventType\": \"shareSnapshot\", \"SnapshotOwner\": [\"111111111111\"], \"DescriptionRegex\": \"{regex}\"}}}}, \
         \"Actions\": [{{\"Name\": \"copy\", \"CrossRegionCopy\": [{}]}}]}}",
        copies.join(", ")
    );
    parse(&document).unwrap().policies
}

/// A completed snapshot of account 111111111111.
pub fn source(number: u32) -> SourceSnapshot {
    SourceSnapshot {
        kind: snapferry_core::facts::SourceKind::Volume,
        id: snapshot_id(number),
        owner: AccountId::parse("111111111111").unwrap(),
        volume: VolumeId::parse("vol-0123456789abcdef0").unwrap(),
        size_gib: 8,
        state: State::Completed,
        start_time: "2026-11-22T03:00:00Z".parse().unwrap(),
        encrypted: true,
        storage: snapferry_core::facts::Storage::Standard,
        description: "nightly".into(),
    }
}
