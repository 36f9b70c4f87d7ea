//! Looks at schedules of EventBridge Scheduler's.

use aws_config::SdkConfig;
use aws_sdk_scheduler::types;
use aws_smithy_types::DateTime;
use jiff::Timestamp;
use snapferry_aws::errors::call_error;
use snapferry_core::facts::CallError;

use crate::commands::doctor::facts::{Input, Schedule, Target};

/// The schedule of this name, and what it starts.
pub(super) async fn look(config: &SdkConfig, name: &str) -> Result<(Schedule, Vec<Target>), CallError> {
    let answer = aws_sdk_scheduler::Client::new(config).get_schedule().name(name).send().await;
    let answer = answer.map_err(|error| call_error(&error))?;
    let time = |at: &DateTime| Timestamp::new(at.secs(), at.subsec_nanos().cast_signed()).ok();
    let schedule = Schedule {
        state: answer.state().map(|state| state.as_str().to_owned()).unwrap_or_default(),
        expression: answer.schedule_expression().unwrap_or_default().to_owned(),
        start: answer.start_date().and_then(time),
        end: answer.end_date().and_then(time),
    };
    Ok((schedule, answer.target().map(target).into_iter().collect()))
}

fn target(target: &types::Target) -> Target {
    Target {
        arn: target.arn().to_owned(),
        input: target.input().map_or(Input::Event, |input| Input::Constant(input.to_owned())),
        group: target.sqs_parameters().and_then(|sqs| sqs.message_group_id()).map(str::to_owned),
        dead_letters: target.dead_letter_config().and_then(|config| config.arn()).map(str::to_owned),
    }
}
