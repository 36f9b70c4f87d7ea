//! How what somebody changed in a stack is put back. A deployment does not: CloudFormation compares a template with the one that
//! it had last, and not with what is there (CloudFormation User Guide, "Detecting unmanaged configuration changes").

use std::fmt::Display;

use crate::commands::doctor::facts::{Part, Stack};

/// A command of the AWS CLI in the stack's Region, such as `events enable-rule`.
pub(super) fn command(stack: &Stack, operation: &str, rest: impl Display) -> String {
    format!("`aws {operation} --region {} {rest}`", stack.region)
}

/// What a part is called in AWS: its name, URL or ARN.
pub(super) fn physical(stack: &Stack, part: Part) -> &str {
    stack.part(part).map(|resource| resource.physical_id.as_str()).unwrap_or_default()
}

/// For a resource that is not there any more.
pub(super) fn gone(stack: &Stack, name: &str) -> String {
    format!(
        "Deploying the same template again does not bring it back: CloudFormation compares a template with its last one, not with \
         what is there. Take {name} and what refers to it out of the template, deploy that, and deploy the template itself again; \
         or deploy a new stack. {} says what else was changed. CloudTrail says who did it.",
        drift(stack)
    )
}

/// For a resource that is not as the template makes it, where no single command puts it back.
pub(super) fn changed(stack: &Stack) -> String {
    format!(
        "Put it back by hand: deploying the same template again changes nothing, because CloudFormation compares a template with its \
         last one, not with what is there. {} and describe-stack-resource-drifts say what differs. CloudTrail says who did it.",
        drift(stack)
    )
}

/// For a schedule. Its settings are replaced as a whole, so an end, a beginning and a state that are not given again are gone.
pub(super) fn schedule(stack: &Stack, part: Part, correct: &str) -> String {
    let name = physical(stack, part);
    let settings = "{Name:Name,GroupName:GroupName,ScheduleExpression:ScheduleExpression,FlexibleTimeWindow:FlexibleTimeWindow,Target:Target}";
    format!(
        "{}{correct}, and {}; and find out in CloudTrail who changed it.",
        command(stack, "scheduler get-schedule", format_args!("--name {name} --query '{settings}' > schedule.json")),
        command(stack, "scheduler update-schedule", "--cli-input-json file://schedule.json --state ENABLED")
    )
}

/// A rule as the AWS CLI names it: on another bus than the default one its ID is "bus|rule".
pub(super) fn rule(stack: &Stack, part: Part) -> String {
    match physical(stack, part).split_once('|') {
        Some((bus, name)) => format!("--event-bus-name {bus} --name {name}"),
        None => format!("--name {}", physical(stack, part)),
    }
}

fn drift(stack: &Stack) -> String {
    command(stack, "cloudformation detect-stack-drift", format_args!("--stack-name {}", stack.name))
}
