//! Looks at what stands around a stack's parts: what may keep its functions from running, and who hears of it.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use aws_sdk_cloudwatch::types::AlarmType;
use snapferry_aws::errors::call_error;
use snapferry_core::facts::CallError;

use crate::commands::doctor::facts::{Alarm, Retention, Stack};

/// How many names a request may have (CloudWatch API reference, DescribeAlarms).
const NAMES: usize = 100;

/// Adds the functions' reserved concurrency, the log groups, the alarms and their topic.
pub(super) async fn look(config: &SdkConfig, stack: &mut Stack) {
    let of = |kind: &str| -> Vec<(String, String)> {
        let named = stack.resources.iter().filter(|found| found.kind == kind && !found.physical_id.is_empty());
        named.map(|found| (found.logical_id.clone(), found.physical_id.clone())).collect()
    };
    let (functions, logs) = (of("AWS::Lambda::Function"), of("AWS::Logs::LogGroup"));
    let mut alarms = of("AWS::CloudWatch::Alarm");
    alarms.extend(of("AWS::CloudWatch::CompositeAlarm"));
    let topic = match stack.given("AlarmTopicArn") {
        Some(arn) if !arn.is_empty() => Some(arn.to_owned()),
        _ => of("AWS::SNS::Topic").into_iter().map(|(_, arn)| arn).next(),
    };
    for (id, name) in functions {
        stack.reserved.insert(id, reserved(config, &name).await);
    }
    for (id, name) in logs {
        stack.logs.insert(id, log_group(config, &name).await);
    }
    stack.alarms = Some(described(config, alarms).await);
    if let Some(arn) = topic {
        let found = subscriptions(config, &arn).await;
        stack.topic = Some((arn, found));
    }
}

async fn reserved(config: &SdkConfig, name: &str) -> Result<Option<i32>, CallError> {
    let answer = aws_sdk_lambda::Client::new(config).get_function_concurrency().function_name(name).send().await;
    Ok(answer.map_err(|error| call_error(&error))?.reserved_concurrent_executions())
}

/// One group of several may begin with another's name; they come in the order of their names, the shortest first.
async fn log_group(config: &SdkConfig, name: &str) -> Result<Option<Retention>, CallError> {
    let answer =
        aws_sdk_cloudwatchlogs::Client::new(config).describe_log_groups().log_group_name_prefix(name).send().await;
    let answer = answer.map_err(|error| call_error(&error))?;
    let found = answer.log_groups().iter().find(|group| group.log_group_name() == Some(name));
    Ok(found.map(|group| Retention(group.retention_in_days())))
}

/// `alarms` are logical IDs with names.
async fn described(
    config: &SdkConfig,
    alarms: Vec<(String, String)>,
) -> Result<BTreeMap<String, Option<Alarm>>, CallError> {
    let client = aws_sdk_cloudwatch::Client::new(config);
    let mut found: BTreeMap<String, Alarm> = BTreeMap::new();
    for names in alarms.chunks(NAMES) {
        let names = names.iter().map(|(_, name)| name.clone()).collect();
        let kinds = vec![AlarmType::MetricAlarm, AlarmType::CompositeAlarm];
        // As many as there are names fit on a page.
        let answer =
            client.describe_alarms().set_alarm_names(Some(names)).set_alarm_types(Some(kinds)).max_records(100);
        let answer = answer.send().await.map_err(|error| call_error(&error))?;
        found.extend(answer.metric_alarms().iter().filter_map(|each| {
            let state = each.state_value()?.as_str();
            Some((each.alarm_name()?.to_owned(), alarm(state, each.actions_enabled(), each.alarm_actions())))
        }));
        found.extend(answer.composite_alarms().iter().filter_map(|each| {
            let state = each.state_value()?.as_str();
            Some((each.alarm_name()?.to_owned(), alarm(state, each.actions_enabled(), each.alarm_actions())))
        }));
    }
    Ok(alarms.into_iter().map(|(id, name)| (id, found.remove(&name))).collect())
}

/// Actions are on where the answer does not say that they are off, as in a request.
fn alarm(state: &str, is_on: Option<bool>, actions: &[String]) -> Alarm {
    Alarm { state: state.to_owned(), is_on: is_on.unwrap_or(true), actions: actions.to_vec() }
}

/// The ARNs of a topic's subscriptions, in whose place there is a word where one is not confirmed.
async fn subscriptions(config: &SdkConfig, topic: &str) -> Result<Vec<String>, CallError> {
    let topics = aws_sdk_sns::Client::new(config);
    let mut pages = topics.list_subscriptions_by_topic().topic_arn(topic).into_paginator().items().send();
    let mut found = Vec::new();
    while let Some(subscription) = pages.next().await {
        let subscription = subscription.map_err(|error| call_error(&error))?;
        found.push(subscription.subscription_arn().unwrap_or_default().to_owned());
    }
    Ok(found)
}
