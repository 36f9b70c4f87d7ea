//! What each operation that survives the cutting of AWS's SDK crates sends, held against what the whole crates send.
//!
//! `make full-sdk` captures the fixtures, with the whole crates. Every member of a request is set, so that none that the cut
//! crate drops goes unnoticed.

#![allow(clippy::unwrap_used, clippy::panic)]

mod callers;
mod databases;

use std::path::PathBuf;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::types as dynamodb;
use aws_sdk_ec2::types as ec2;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::{Blob, DateTime};

/// Sends an operation with a client that records the request, and holds that against the operation's fixture.
macro_rules! hold {
    ($crate_name:ident, $operation:ident $(, $member:ident($($value:expr),+))* $(,)?) => {{
        let (http, request) = aws_smithy_http_client::test_util::capture_request(None);
        let config = $crate_name::Config::builder()
            .behavior_version($crate_name::config::BehaviorVersion::latest())
            .region($crate_name::config::Region::new("eu-west-1"))
            .credentials_provider($crate::credentials())
            .http_client(http)
            .build();
        // The recorder's empty answer is no answer of the service: only what was asked matters.
        let _ = $crate_name::Client::from_conf(config).$operation()$(.$member($($value),+))*.send().await;
        let name = format!("{}.{}", stringify!($crate_name).replace('_', "-"), stringify!($operation));
        $crate::hold_against_fixture(&name, &$crate::text(&request.expect_request()));
    }};
}

use hold;

fn credentials() -> SharedCredentialsProvider {
    SharedCredentialsProvider::new(Credentials::new("id", "secret", None, None, "fixture"))
}

fn hold_against_fixture(name: &str, request: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(format!("{name}.http"));
    if std::env::var_os("SNAPFERRY_CAPTURE").is_some() {
        std::fs::write(&path, request).unwrap();
    }
    let fixture =
        std::fs::read_to_string(&path).unwrap_or_else(|_| panic!("no fixture: make full-sdk captures {name}"));
    assert_eq!(request, fixture, "{name} sends something else than the whole crate");
}

/// The request as text, without what differs each time: who signed, when, and what sent it.
fn text(request: &HttpRequest) -> String {
    let says_what =
        |name: &&str| matches!(*name, "content-type" | "content-length" | "x-amz-target" | "x-amzn-query-mode");
    let mut headers: Vec<&str> = request.headers().iter().map(|(name, _)| name).filter(says_what).collect();
    headers.sort_unstable();
    let headers: String = headers
        .into_iter()
        .map(|name| format!("{name}: {}\n", request.headers().get(name).unwrap_or_default()))
        .collect();
    let body = request.body().bytes().unwrap_or_default();
    let body = match std::str::from_utf8(body) {
        Ok(text) => text.replace('&', "\n&"),
        Err(_) => body.escape_ascii().to_string(),
    };
    format!("{} {}\n{headers}\n{body}\n", request.method(), request.uri())
}

fn filter() -> ec2::Filter {
    ec2::Filter::builder().name("tag:snapferry:status").values("copying").values("a b&c=d/é").build()
}

fn tag() -> ec2::Tag {
    ec2::Tag::builder().key("snapferry:source-start-time").value("2026-11-22T03:00:00Z").build()
}

const SNAPSHOT: &str = "snap-0123456789abcdef0";
const KEY: &str = "arn:aws:kms:eu-west-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab";

#[tokio::test]
async fn ec2_is_asked_as_by_the_whole_crate() {
    let tags = ec2::TagSpecification::builder().resource_type(ec2::ResourceType::Snapshot).tags(tag()).build();
    hold!(
        aws_sdk_ec2,
        copy_snapshot,
        description("a b&c=d/é"),
        destination_outpost_arn("arn:aws:outposts:eu-west-1:222222222222:outpost/op-0123456789abcdef0"),
        destination_region("eu-west-1"),
        encrypted(true),
        kms_key_id(KEY),
        presigned_url("https://ec2.us-east-1.amazonaws.com/?Action=CopySnapshot&X-Amz-Expires=3600"),
        source_region("us-east-1"),
        source_snapshot_id(SNAPSHOT),
        tag_specifications(tags),
        completion_duration_minutes(15),
        destination_availability_zone("eu-west-1-lz-1a"),
        dry_run(true),
    );
    hold!(aws_sdk_ec2, create_tags, dry_run(true), resources(SNAPSHOT), tags(tag()));
    hold!(aws_sdk_ec2, delete_snapshot, snapshot_id(SNAPSHOT), dry_run(true));
    hold!(
        aws_sdk_ec2,
        describe_locked_snapshots,
        filters(filter()),
        max_results(5),
        next_token("t"),
        snapshot_ids(SNAPSHOT),
        dry_run(true)
    );
    hold!(
        aws_sdk_ec2,
        describe_regions,
        region_names("eu-west-1"),
        all_regions(true),
        dry_run(true),
        filters(filter())
    );
    hold!(
        aws_sdk_ec2,
        describe_snapshots,
        max_results(1000),
        next_token("t"),
        owner_ids("111111111111"),
        restorable_by_user_ids("self"),
        snapshot_ids(SNAPSHOT),
        dry_run(true),
        filters(filter()),
    );
    hold!(aws_sdk_ec2, get_ebs_default_kms_key_id, dry_run(true));
    hold!(aws_sdk_ec2, get_ebs_encryption_by_default, dry_run(true));
    hold!(
        aws_sdk_ec2,
        lock_snapshot,
        snapshot_id(SNAPSHOT),
        dry_run(true),
        lock_mode(ec2::LockMode::Compliance),
        cool_off_period(3),
        lock_duration(30),
        expiration_date(DateTime::from_secs(1_795_000_000)),
    );
}

#[tokio::test]
async fn volumes_are_asked_for_as_by_the_whole_crate() {
    let tags = ec2::TagSpecification::builder().resource_type(ec2::ResourceType::Volume).tags(tag()).build();
    hold!(
        aws_sdk_ec2,
        create_volume,
        availability_zone("eu-west-1a"),
        availability_zone_id("euw1-az1"),
        encrypted(true),
        iops(3000),
        kms_key_id(KEY),
        outpost_arn("arn:aws:outposts:eu-west-1:222222222222:outpost/op-0123456789abcdef0"),
        size(8),
        snapshot_id(SNAPSHOT),
        volume_type(ec2::VolumeType::Gp3),
        tag_specifications(tags),
        multi_attach_enabled(true),
        throughput(125),
        client_token("a b&c=d"),
        volume_initialization_rate(100),
        operator(ec2::OperatorRequest::builder().principal("p").build()),
        dry_run(true),
    );
    hold!(aws_sdk_ec2, delete_volume, volume_id("vol-0123456789abcdef0"), dry_run(true));
    hold!(
        aws_sdk_ec2,
        describe_volumes,
        volume_ids("vol-0123456789abcdef0"),
        include_managed_resources(true),
        dry_run(true),
        filters(filter()),
        next_token("t"),
        max_results(1000),
    );
}

/// A value of every type; of maps and sets one member, because they have no order.
fn value() -> dynamodb::AttributeValue {
    use dynamodb::AttributeValue::{B, Bool, Bs, L, M, N, Ns, Null, S, Ss};
    let blob = || Blob::new("a b&c=d/é");
    let types = [
        S("a b&c=d/é".to_owned()),
        N("1.5".to_owned()),
        B(blob()),
        Bool(true),
        Null(true),
        Ss(vec!["s".to_owned()]),
        Ns(vec!["1".to_owned()]),
        Bs(vec![blob()]),
        L(vec![]),
    ];
    M([("m".to_owned(), L(types.to_vec()))].into())
}

fn expected() -> dynamodb::ExpectedAttributeValue {
    let operator = dynamodb::ComparisonOperator::Eq;
    let value = value();
    dynamodb::ExpectedAttributeValue::builder()
        .value(value.clone())
        .exists(true)
        .comparison_operator(operator)
        .attribute_value_list(value)
        .build()
}

fn condition() -> dynamodb::Condition {
    let operator = dynamodb::ComparisonOperator::BeginsWith;
    dynamodb::Condition::builder().comparison_operator(operator).attribute_value_list(value()).build().unwrap()
}

#[tokio::test]
async fn dynamodb_is_asked_for_items_as_by_the_whole_crate() {
    let text = |text: &str| dynamodb::AttributeValue::S(text.to_owned());
    hold!(
        aws_sdk_dynamodb,
        delete_item,
        table_name("ledger"),
        key("pk", text("O#a")),
        expected("revision", expected()),
        conditional_operator(dynamodb::ConditionalOperator::And),
        return_values(dynamodb::ReturnValue::AllOld),
        return_consumed_capacity(dynamodb::ReturnConsumedCapacity::Indexes),
        return_item_collection_metrics(dynamodb::ReturnItemCollectionMetrics::Size),
        condition_expression("#revision = :revision"),
        expression_attribute_names("#revision", "revision"),
        expression_attribute_values(":revision", value()),
        return_values_on_condition_check_failure(dynamodb::ReturnValuesOnConditionCheckFailure::AllOld),
    );
    hold!(
        aws_sdk_dynamodb,
        get_item,
        table_name("ledger"),
        key("pk", text("O#a")),
        attributes_to_get("state"),
        consistent_read(true),
        return_consumed_capacity(dynamodb::ReturnConsumedCapacity::Total),
        projection_expression("#state"),
        expression_attribute_names("#state", "state"),
    );
    hold!(
        aws_sdk_dynamodb,
        put_item,
        table_name("ledger"),
        item("pk", value()),
        expected("revision", expected()),
        return_values(dynamodb::ReturnValue::AllOld),
        return_consumed_capacity(dynamodb::ReturnConsumedCapacity::None),
        return_item_collection_metrics(dynamodb::ReturnItemCollectionMetrics::None),
        conditional_operator(dynamodb::ConditionalOperator::Or),
        condition_expression("#revision = :revision"),
        expression_attribute_names("#revision", "revision"),
        expression_attribute_values(":revision", value()),
        return_values_on_condition_check_failure(dynamodb::ReturnValuesOnConditionCheckFailure::AllOld),
    );
}

#[tokio::test]
async fn dynamodb_is_asked_about_tables_as_by_the_whole_crate() {
    hold!(aws_sdk_dynamodb, describe_continuous_backups, table_name("ledger"));
    hold!(aws_sdk_dynamodb, describe_table, table_name("ledger"));
    hold!(
        aws_sdk_dynamodb,
        query,
        table_name("ledger"),
        index_name("line"),
        select(dynamodb::Select::AllAttributes),
        attributes_to_get("state"),
        limit(25),
        consistent_read(true),
        key_conditions("pk", condition()),
        query_filter("state", condition()),
        conditional_operator(dynamodb::ConditionalOperator::And),
        scan_index_forward(false),
        exclusive_start_key("pk", value()),
        return_consumed_capacity(dynamodb::ReturnConsumedCapacity::Total),
        projection_expression("#state"),
        filter_expression("#state = :state"),
        key_condition_expression("#pk = :pk"),
        expression_attribute_names("#pk", "pk"),
        expression_attribute_values(":pk", value()),
    );
}

#[tokio::test]
async fn the_other_services_are_asked_as_by_the_whole_crates() {
    hold!(aws_sdk_cloudformation, describe_stacks, stack_name("snapferry"), next_token("t"));
    hold!(aws_sdk_cloudformation, list_stack_resources, stack_name("snapferry"), next_token("t"));
    hold!(
        aws_sdk_cloudwatch,
        describe_alarms,
        alarm_names("snapferry-LateAlarm-1A2B"),
        alarm_name_prefix("snapferry"),
        alarm_types(aws_sdk_cloudwatch::types::AlarmType::CompositeAlarm),
        children_of_alarm_name("c"),
        parents_of_alarm_name("p"),
        state_value(aws_sdk_cloudwatch::types::StateValue::Alarm),
        action_prefix("arn:aws:sns"),
        max_records(100),
        next_token("t"),
    );
    hold!(
        aws_sdk_cloudwatchlogs,
        filter_log_events,
        log_group_name("/aws/lambda/f"),
        log_group_identifier("i"),
        log_stream_names("s"),
        log_stream_name_prefix("p"),
        start_time(1),
        end_time(2),
        filter_pattern("{ $.event = \"copy.failed\" }"),
        next_token("t"),
        limit(3),
        start_from_head(true),
        unmask(true),
    );
    hold!(
        aws_sdk_cloudwatchlogs,
        describe_log_groups,
        account_identifiers("222222222222"),
        log_group_name_prefix("/aws/lambda/f"),
        log_group_name_pattern("f"),
        next_token("t"),
        limit(3),
        include_linked_accounts(true),
        log_group_class(aws_sdk_cloudwatchlogs::types::LogGroupClass::Standard),
        log_group_identifiers("i"),
    );
    hold!(aws_sdk_eventbridge, describe_rule, name("r"), event_bus_name("default"));
    hold!(aws_sdk_eventbridge, list_targets_by_rule, rule("r"), event_bus_name("default"), next_token("t"), limit(3));
    hold!(aws_sdk_kms, describe_key, key_id(KEY), grant_tokens("t"));
    hold!(
        aws_sdk_kms,
        generate_data_key_without_plaintext,
        key_id(KEY),
        encryption_context("aws:ebs:id", "vol-1"),
        key_spec(aws_sdk_kms::types::DataKeySpec::Aes256),
        number_of_bytes(32),
        grant_tokens("t"),
        dry_run(true),
    );
    hold!(aws_sdk_lambda, get_event_source_mapping, uuid("14e0db71-5d35-4eb5-b481-8945cf9d10c2"));
    hold!(aws_sdk_lambda, get_function_concurrency, function_name("f"));
    hold!(aws_sdk_lambda, get_layer_version_by_arn, arn("arn:aws:lambda:eu-west-1:222222222222:layer:policy:3"));
    hold!(aws_sdk_lambda, get_function_configuration, function_name("f"), qualifier("1"));
    hold!(aws_sdk_organizations, list_accounts, next_token("t"), max_results(20));
    hold!(aws_sdk_scheduler, get_schedule, name("sweep"), group_name("default"));
    hold!(aws_sdk_sns, list_subscriptions_by_topic, topic_arn("arn:aws:sns:eu-west-1:222222222222:a"), next_token("t"));
}
