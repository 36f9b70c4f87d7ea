//! Looks at what stands around a stack's parts: what may keep its functions from running, and who hears of it.

use aws_config::SdkConfig;
use snapferry_aws::errors::call_error;
use snapferry_core::facts::CallError;

use crate::commands::doctor::facts::{Retention, Stack};

/// Adds the functions' reserved concurrency, the log groups, and the topic of the alarms.
pub(super) async fn look(config: &SdkConfig, stack: &mut Stack) {
    let of = |kind: &str| -> Vec<(String, String)> {
        let named = stack.resources.iter().filter(|found| found.kind == kind && !found.physical_id.is_empty());
        named.map(|found| (found.logical_id.clone(), found.physical_id.clone())).collect()
    };
    let (functions, logs) = (of("AWS::Lambda::Function"), of("AWS::Logs::LogGroup"));
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
