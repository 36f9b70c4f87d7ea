//! The presigned URL against botocore's own, captured under a frozen clock by `tests/presign/capture.py`, and its host
//! against the one that the SDK calls.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::time::SystemTime;

use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_ec2::operation::copy_snapshot::builders::CopySnapshotInputBuilder;
use aws_sdk_ec2::types::{Tag, TagSpecification};
use aws_sdk_rds::operation::copy_db_cluster_snapshot::builders::CopyDbClusterSnapshotInputBuilder;
use aws_sdk_rds::operation::copy_db_snapshot::builders::CopyDbSnapshotInputBuilder;
use aws_smithy_http_client::test_util::capture_request;
use aws_types::sdk_config::{Builder, TimeSource};
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};
use serde_json::Value;
use snapferry_aws::errors::call_error;
use snapferry_aws::presign::{copy_db_url, copy_snapshot_url};
use snapferry_core::ids::Region;

#[derive(Debug)]
struct Frozen(SystemTime);

impl TimeSource for Frozen {
    fn now(&self) -> SystemTime {
        self.0
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn config(token: Option<&str>) -> Builder {
    let token = token.map(str::to_owned);
    let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", token, None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(SharedCredentialsProvider::new(credentials))
}

/// The request whose members the query protocol writes as `form`.
fn request(form: &[(String, String)]) -> CopySnapshotInputBuilder {
    let mut request = CopySnapshotInputBuilder::default();
    let (mut key, mut tags, mut is_tagged) = ("", TagSpecification::builder(), false);
    for (name, value) in form {
        match name.as_str() {
            "SourceRegion" => request = request.source_region(value),
            "SourceSnapshotId" => request = request.source_snapshot_id(value),
            "Description" => request = request.description(value),
            "Encrypted" => request = request.encrypted(value == "true"),
            "KmsKeyId" => request = request.kms_key_id(value),
            "CompletionDurationMinutes" => request = request.completion_duration_minutes(value.parse().unwrap()),
            "TagSpecification.1.ResourceType" => (tags, is_tagged) = (tags.resource_type(value.as_str().into()), true),
            name if name.ends_with(".Key") => key = value,
            name if name.ends_with(".Value") => tags = tags.tags(Tag::builder().key(key).value(value).build()),
            name => panic!("{name}"),
        }
    }
    if is_tagged { request.tag_specifications(tags.build()) } else { request }
}

/// Host and path, and the query's parameters as they stand in the URL. A parameter that stands there twice is none.
fn parts(url: &str) -> (&str, BTreeMap<&str, &str>) {
    let (base, query) = url.split_once('?').unwrap();
    let pairs: Vec<_> = query.split('&').map(|pair| pair.split_once('=').unwrap()).collect();
    let parameters: BTreeMap<_, _> = pairs.iter().copied().collect();
    assert_eq!(parameters.len(), pairs.len(), "{url}");
    (base, parameters)
}

#[tokio::test]
async fn the_url_is_botocores_parameter_for_parameter_and_signature_for_signature() {
    let fixture: Value = serde_json::from_str(include_str!("fixtures/presigned_urls.json")).unwrap();
    let now: SystemTime = text(&fixture["now"]).parse::<jiff::Timestamp>().unwrap().into();
    let cases = fixture["cases"].as_object().unwrap();
    assert!(cases.len() >= 8);
    for (name, case) in cases {
        let mut config = config(case["token"].as_str()).time_source(Frozen(now));
        config.set_endpoint_url(case["endpoint"].as_str().map(str::to_owned));
        let source = Region::parse(text(&case["source"])).unwrap();
        let form: Vec<(String, String)> = serde_json::from_value(case["form"].clone()).unwrap();
        let request = request(&form).destination_region(text(&case["destination"]));
        let url = copy_snapshot_url(&config.build(), &source, request).await.unwrap();
        assert_eq!(parts(&url), parts(text(&case["url"])), "{name}");
    }
}

/// RDS's requests of a case's form, of both kinds: that of which the form has members is meant.
fn db_requests(form: &[(String, String)]) -> (CopyDbSnapshotInputBuilder, CopyDbClusterSnapshotInputBuilder) {
    let (mut instance, mut cluster, mut key) =
        (CopyDbSnapshotInputBuilder::default(), CopyDbClusterSnapshotInputBuilder::default(), "");
    for (name, value) in form {
        match name.as_str() {
            "KmsKeyId" => (instance, cluster) = (instance.kms_key_id(value), cluster.kms_key_id(value)),
            "SourceDBSnapshotIdentifier" => instance = instance.source_db_snapshot_identifier(value),
            "TargetDBSnapshotIdentifier" => instance = instance.target_db_snapshot_identifier(value),
            "SourceDBClusterSnapshotIdentifier" => cluster = cluster.source_db_cluster_snapshot_identifier(value),
            "TargetDBClusterSnapshotIdentifier" => cluster = cluster.target_db_cluster_snapshot_identifier(value),
            name if name.ends_with(".Key") => key = value,
            name if name.ends_with(".Value") => {
                let tag = aws_sdk_rds::types::Tag::builder().key(key).value(value).build();
                (instance, cluster) = (instance.tags(tag.clone()), cluster.tags(tag));
            }
            name => panic!("{name}"),
        }
    }
    (instance, cluster)
}

#[tokio::test]
async fn the_url_for_rds_is_botocores_too() {
    let fixture: Value = serde_json::from_str(include_str!("fixtures/presigned_db_urls.json")).unwrap();
    let now: SystemTime = text(&fixture["now"]).parse::<jiff::Timestamp>().unwrap().into();
    for (name, case) in fixture["cases"].as_object().unwrap() {
        let config = config(case["token"].as_str()).time_source(Frozen(now)).build();
        let [source, destination] = ["source", "destination"].map(|place| Region::parse(text(&case[place])).unwrap());
        let form: Vec<(String, String)> = serde_json::from_value(case["form"].clone()).unwrap();
        let (instance, cluster) = db_requests(&form);
        let url = copy_db_url(&config, &source, &destination, async move |client| match name.as_str() {
            "instance" => instance.send_with(&client).await.err().map(|error| call_error(&error)),
            _ => cluster.send_with(&client).await.err().map(|error| call_error(&error)),
        });
        assert_eq!(parts(&url.await.unwrap()), parts(text(&case["url"])), "{name}");
    }
}

/// What a profile or the environment says of EC2's endpoint alone.
#[derive(Debug)]
struct OfEc2;

impl LoadServiceConfig for OfEc2 {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        (key.service_id() == "EC2" && key.env() == "AWS_ENDPOINT_URL").then(|| "https://ec2.test".to_owned())
    }
}

#[tokio::test]
async fn the_url_goes_where_a_call_of_the_source_region_goes() {
    let configured = |url: &str| config(None).endpoint_url(url);
    let cases = [
        ("https://ec2.eu-west-1.amazonaws.com/", config(None)),
        ("https://ec2-fips.eu-west-1.amazonaws.com/", config(None).use_fips(true)),
        ("https://ec2.eu-west-1.api.aws/", config(None).use_dual_stack(true)),
        ("https://all.test/", configured("https://all.test")),
        ("https://ec2.test/", config(None).service_config(OfEc2)),
        ("https://ec2.test/", configured("https://all.test").service_config(OfEc2)),
    ];
    let source = Region::parse("eu-west-1").unwrap();
    for (expected, config) in cases {
        let (network, sent) = capture_request(None);
        let config = config.region(aws_config::Region::new("eu-west-1")).http_client(network).build();
        aws_sdk_ec2::Client::new(&config).describe_snapshots().send().await.unwrap_err();
        let called = sent.expect_request();
        let url = copy_snapshot_url(&config, &source, CopySnapshotInputBuilder::default()).await.unwrap();
        assert_eq!((called.uri(), parts(&url).0), (expected, expected));
    }
}

#[tokio::test]
async fn what_keeps_a_url_from_being_made_is_said_and_nothing_is_sent() {
    let (network, sent) = capture_request(None);
    let config = SdkConfig::builder().behavior_version(BehaviorVersion::latest()).http_client(network).build();
    let source = Region::parse("eu-west-1").unwrap();
    let error = copy_snapshot_url(&config, &source, CopySnapshotInputBuilder::default()).await.unwrap_err();
    assert_eq!(error.code, "NotSent");
    assert!(error.message.contains("identity"), "{}", error.message);
    sent.expect_no_request();
}
