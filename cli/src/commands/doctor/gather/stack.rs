//! Looks at a deployed stack.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use aws_sdk_cloudformation::types::StackResourceSummary;
use aws_sdk_lambda::operation::get_function_configuration::GetFunctionConfigurationOutput;
use aws_sdk_sqs::types::QueueAttributeName;
use snapferry_aws::errors::call_error;
use snapferry_core::facts::CallError;

use super::{around, document, ledger, rules, schedules};
use crate::commands::doctor::facts::{Function, Mapping, Part, Resource, Stack};

/// Looks at the stack, its rules, its schedules, its functions, its queues and its ledger.
pub(super) async fn look(config: &SdkConfig, name: &str) -> Result<Stack, CallError> {
    let cloudformation = aws_sdk_cloudformation::Client::new(config);
    let region = config.region().map(ToString::to_string).unwrap_or_default();
    let mut stack = Stack { name: name.to_owned(), region, ..Stack::default() };
    let mut pages = cloudformation.list_stack_resources().stack_name(name).into_paginator().items().send();
    while let Some(found) = pages.next().await {
        stack.resources.push(resource(&found.map_err(|error| call_error(&error))?));
    }
    let described = described(&cloudformation, name).await;
    (stack.status, stack.parameters) = match described {
        Ok((status, parameters)) => (Some(status), Some(Ok(parameters))),
        Err(error) => (None, Some(Err(error))),
    };
    for part in Part::RULES {
        if let Some(id) = physical_id(&stack, part) {
            stack.rules.insert(part, rules::look(config, &id).await);
            stack.targets.insert(part, rules::targets(config, &id).await);
        }
    }
    for part in Part::SCHEDULES {
        if let Some(id) = physical_id(&stack, part) {
            let found = schedules::look(config, &id).await;
            stack.targets.extend(found.as_ref().ok().map(|(_, targets)| (part, Ok(targets.clone()))));
            stack.schedules.insert(part, found.map(|(schedule, _)| schedule));
        }
    }
    let mut documents = document::Documents::default();
    for part in Part::FUNCTIONS {
        if let Some(id) = physical_id(&stack, part) {
            let found = function(config, &id).await;
            if let Ok(found) = &found {
                stack.documents.insert(part, documents.of(config, found).await);
            }
            stack.functions.insert(part, found.map(|found| function_of(&found)));
        }
    }
    for part in Part::MAPPINGS {
        if let Some(id) = physical_id(&stack, part) {
            stack.mappings.insert(part, mapping(config, &id).await);
        }
    }
    for part in Part::QUEUES {
        if let Some(id) = physical_id(&stack, part) {
            stack.queues.insert(part, queue(config, &id).await);
        }
    }
    for part in Part::LEDGERS {
        if let Some(id) = physical_id(&stack, part) {
            stack.ledgers.insert(part, ledger::look(config, &id).await);
        }
    }
    around::look(config, &mut stack).await;
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

/// The stack's status and its parameters.
async fn described(
    cloudformation: &aws_sdk_cloudformation::Client,
    name: &str,
) -> Result<(String, BTreeMap<String, String>), CallError> {
    let answer = cloudformation.describe_stacks().stack_name(name).send().await.map_err(|error| call_error(&error))?;
    let status = answer.stacks().iter().find_map(|stack| stack.stack_status()).map(|status| status.as_str().to_owned());
    let parameters = answer.stacks().iter().flat_map(aws_sdk_cloudformation::types::Stack::parameters);
    let pair = |each: &aws_sdk_cloudformation::types::Parameter| {
        Some((each.parameter_key()?.to_owned(), each.parameter_value()?.to_owned()))
    };
    Ok((status.unwrap_or_default(), parameters.filter_map(pair).collect()))
}

async fn function(config: &SdkConfig, name: &str) -> Result<GetFunctionConfigurationOutput, CallError> {
    let answer = aws_sdk_lambda::Client::new(config).get_function_configuration().function_name(name).send().await;
    answer.map_err(|error| call_error(&error))
}

fn function_of(found: &GetFunctionConfigurationOutput) -> Function {
    let variables = match document::unread_environment(found) {
        Some(error) => Err(error),
        None => {
            let variables = found.environment().and_then(|environment| environment.variables());
            Ok(variables.into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())).collect())
        }
    };
    Function {
        state: found.state().map(|state| state.as_str().to_owned()).unwrap_or_default(),
        role: found.role().unwrap_or_default().to_owned(),
        variables,
    }
}

async fn mapping(config: &SdkConfig, id: &str) -> Result<Mapping, CallError> {
    let answer = aws_sdk_lambda::Client::new(config).get_event_source_mapping().uuid(id).send().await;
    let answer = answer.map_err(|error| call_error(&error))?;
    let filters = answer.filter_criteria().into_iter().flat_map(|criteria| criteria.filters());
    Ok(Mapping {
        state: answer.state().unwrap_or_default().to_owned(),
        queue: answer.event_source_arn().unwrap_or_default().to_owned(),
        function: answer.function_arn().unwrap_or_default().to_owned(),
        filters: filters.map(|filter| filter.pattern().unwrap_or_default().to_owned()).collect(),
    })
}

async fn queue(config: &SdkConfig, url: &str) -> Result<BTreeMap<String, String>, CallError> {
    let queues = aws_sdk_sqs::Client::new(config);
    let answer = queues.get_queue_attributes().queue_url(url).attribute_names(QueueAttributeName::All).send().await;
    let answer = answer.map_err(|error| call_error(&error))?;
    let attributes = answer.attributes.unwrap_or_default();
    Ok(attributes.into_iter().map(|(name, value)| (name.as_str().to_owned(), value)).collect())
}
