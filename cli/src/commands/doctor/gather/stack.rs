//! Looks at a deployed stack.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use aws_sdk_cloudformation::types::StackResourceSummary;
use aws_sdk_sqs::types::QueueAttributeName;
use snapferry_aws::errors::call_error;
use snapferry_core::facts::CallError;

use super::ledger;
use crate::commands::doctor::facts::{Part, Resource, Stack};

/// Looks at the stack, its rule, its schedules, its functions, its queues and its ledger.
pub(super) async fn look(config: &SdkConfig, name: &str) -> Result<Stack, CallError> {
    let cloudformation = aws_sdk_cloudformation::Client::new(config);
    let mut stack = Stack::default();
    let mut pages = cloudformation.list_stack_resources().stack_name(name).into_paginator().items().send();
    while let Some(found) = pages.next().await {
        stack.resources.push(resource(&found.map_err(|error| call_error(&error))?));
    }
    stack.parameters = Some(parameters(&cloudformation, name).await);
    if let Some(id) = physical_id(&stack, Part::ShareRule) {
        stack.rule = Some(rule(config, &id).await);
    }
    for part in Part::SCHEDULES {
        if let Some(id) = physical_id(&stack, part) {
            stack.schedules.insert(part, schedule(config, &id).await);
        }
    }
    for part in Part::FUNCTIONS {
        if let Some(id) = physical_id(&stack, part) {
            stack.functions.insert(part, function(config, &id).await);
        }
    }
    if let Some(id) = physical_id(&stack, Part::QueueToCopier) {
        stack.mapping = Some(mapping(config, &id).await);
    }
    for part in Part::QUEUES {
        if let Some(id) = physical_id(&stack, part) {
            stack.queues.insert(part, queue(config, &id).await);
        }
    }
    if let Some(id) = physical_id(&stack, Part::Ledger) {
        stack.ledger = Some(ledger::look(config, &id).await);
    }
    Ok(stack)
}

fn resource(found: &StackResourceSummary) -> Resource {
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    Resource {
        logical_id: text(found.logical_resource_id()),
        kind: text(found.resource_type()),
        physical_id: text(found.physical_resource_id()),
        status: text(found.resource_status().map(|status| status.as_str())),
    }
}

fn physical_id(stack: &Stack, part: Part) -> Option<String> {
    stack.part(part).map(|resource| resource.physical_id.clone()).filter(|id| !id.is_empty())
}

async fn parameters(
    cloudformation: &aws_sdk_cloudformation::Client,
    name: &str,
) -> Result<BTreeMap<String, String>, CallError> {
    let answer = cloudformation.describe_stacks().stack_name(name).send().await.map_err(|error| call_error(&error))?;
    let parameters = answer.stacks().iter().flat_map(aws_sdk_cloudformation::types::Stack::parameters);
    let pair = |each: &aws_sdk_cloudformation::types::Parameter| {
        Some((each.parameter_key()?.to_owned(), each.parameter_value()?.to_owned()))
    };
    Ok(parameters.filter_map(pair).collect())
}

async fn rule(config: &SdkConfig, id: &str) -> Result<String, CallError> {
    // On another bus than the default one the ID is "bus|rule" (CloudFormation User Guide, AWS::Events::Rule).
    let (bus, name) = id.split_once('|').map_or((None, id), |(bus, name)| (Some(bus.to_owned()), name));
    let rules = aws_sdk_eventbridge::Client::new(config);
    let answer = rules.describe_rule().name(name).set_event_bus_name(bus).send().await;
    let answer = answer.map_err(|error| call_error(&error))?;
    Ok(answer.state().map(|state| state.as_str().to_owned()).unwrap_or_default())
}

async fn schedule(config: &SdkConfig, id: &str) -> Result<String, CallError> {
    let answer = aws_sdk_scheduler::Client::new(config).get_schedule().name(id).send().await;
    let answer = answer.map_err(|error| call_error(&error))?;
    Ok(answer.state().map(|state| state.as_str().to_owned()).unwrap_or_default())
}

async fn function(config: &SdkConfig, name: &str) -> Result<String, CallError> {
    let answer = aws_sdk_lambda::Client::new(config).get_function_configuration().function_name(name).send().await;
    let answer = answer.map_err(|error| call_error(&error))?;
    Ok(answer.state().map(|state| state.as_str().to_owned()).unwrap_or_default())
}

async fn mapping(config: &SdkConfig, id: &str) -> Result<String, CallError> {
    let answer = aws_sdk_lambda::Client::new(config).get_event_source_mapping().uuid(id).send().await;
    let answer = answer.map_err(|error| call_error(&error))?;
    Ok(answer.state().unwrap_or_default().to_owned())
}

async fn queue(config: &SdkConfig, url: &str) -> Result<BTreeMap<String, String>, CallError> {
    let queues = aws_sdk_sqs::Client::new(config);
    let answer = queues.get_queue_attributes().queue_url(url).attribute_names(QueueAttributeName::All).send().await;
    let answer = answer.map_err(|error| call_error(&error))?;
    let attributes = answer.attributes.unwrap_or_default();
    Ok(attributes.into_iter().map(|(name, value)| (name.as_str().to_owned(), value)).collect())
}
