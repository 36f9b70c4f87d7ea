//! Looks at rules of EventBridge's.

use aws_config::SdkConfig;
use aws_sdk_eventbridge::types;
use snapferry_aws::errors::call_error;
use snapferry_core::facts::CallError;

use crate::commands::doctor::facts::{Input, Rule, Target};

/// The rule of this ID.
pub(super) async fn look(config: &SdkConfig, id: &str) -> Result<Rule, CallError> {
    let (bus, name) = bus_and_name(id);
    let rules = aws_sdk_eventbridge::Client::new(config);
    let answer = rules.describe_rule().name(name).set_event_bus_name(bus).send().await;
    let answer = answer.map_err(|error| call_error(&error))?;
    Ok(Rule {
        state: answer.state().map(|state| state.as_str().to_owned()).unwrap_or_default(),
        pattern: answer.event_pattern().unwrap_or_default().to_owned(),
    })
}

/// A rule has at most five targets, or as many more as somebody was granted: one page is read.
pub(super) async fn targets(config: &SdkConfig, id: &str) -> Result<Vec<Target>, CallError> {
    let (bus, name) = bus_and_name(id);
    let rules = aws_sdk_eventbridge::Client::new(config);
    let answer = rules.list_targets_by_rule().rule(name).set_event_bus_name(bus).send().await;
    let answer = answer.map_err(|error| call_error(&error))?;
    Ok(answer.targets().iter().map(target).collect())
}

fn target(target: &types::Target) -> Target {
    let input = match target.input() {
        Some(constant) => Input::Constant(constant.to_owned()),
        None if target.input_path().is_some() || target.input_transformer().is_some() => Input::Changed,
        None => Input::Event,
    };
    Target {
        arn: target.arn().to_owned(),
        input,
        group: target.sqs_parameters().and_then(|sqs| sqs.message_group_id()).map(str::to_owned),
        dead_letters: target.dead_letter_config().and_then(|config| config.arn()).map(str::to_owned),
    }
}

/// A rule's bus, unless it is the default one, and its name: on another bus the ID is "bus|rule" (CloudFormation User Guide,
/// AWS::Events::Rule).
fn bus_and_name(id: &str) -> (Option<String>, &str) {
    id.split_once('|').map_or((None, id), |(bus, name)| (Some(bus.to_owned()), name))
}
