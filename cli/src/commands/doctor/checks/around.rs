//! What may keep a stack's functions from running or its records from staying, and who hears of it.

use std::collections::BTreeMap;

use snapferry_core::facts::CallError;
use snapferry_core::policy::{self, Policy};

use super::functions::correct_environment;
use super::parts::what_stops;
use super::repair::{changed, command, gone};
use crate::commands::doctor::check::{Check, is_gone};
use crate::commands::doctor::facts::{Alarm, Document, Part, Retention, Stack};

/// All these checks.
pub(super) fn checks(stack: &Stack, policies: &[Policy]) -> Vec<Check> {
    let mut checks: Vec<Check> =
        stack.reserved.iter().filter_map(|(name, found)| reserved(stack, name, found)).collect();
    checks.extend(stack.functions.iter().filter_map(|(part, found)| {
        let document = stack.documents.get(part).map(|document| self::document(stack, *part, document, policies));
        // That the function is gone its own check says.
        let unread = found.as_ref().err().filter(|error| !is_gone(error));
        document.or_else(|| unread.map(|error| Check::unread("deployed-policy", part.of_template().1, error)))
    }));
    let given = stack.given("LogRetentionDays").and_then(|days| days.parse().ok());
    checks.extend(stack.logs.iter().map(|(name, found)| logs(stack, name, found, given)));
    checks.extend(alarms(stack));
    checks.push(topic(stack));
    checks
}

/// Lambda Developer Guide, "Configuring reserved concurrency": 0 stops all processing.
fn reserved(stack: &Stack, name: &str, found: &Result<Option<i32>, CallError>) -> Option<Check> {
    let check = "function-concurrency";
    Some(match found {
        Ok(Some(0)) => {
            let part = Part::FUNCTIONS.into_iter().find(|part| part.of_template().1 == name);
            let stops = part.map(|part| format!(": {}", what_stops(part))).unwrap_or_default();
            // What the stack itself reserves for the copier comes back.
            let own =
                stack.given("ReservedConcurrency").filter(|own| *own != "0" && part == Some(Part::CopySharedSnapshots));
            let function = format!("--function-name {}", named(stack, name));
            let put_back = match own {
                Some(own) => {
                    let rest = format_args!("{function} --reserved-concurrent-executions {own}");
                    command(stack, "lambda put-function-concurrency", rest)
                }
                None => command(stack, "lambda delete-function-concurrency", function),
            };
            Check::fail(check, name, format!("its reserved concurrency is 0, so it does not run{stops}"))
                .remedy(format!("{put_back} puts it back; find out in CloudTrail who set it."))
        }
        Ok(Some(reserved)) => Check::pass(check, name, format!("{reserved} reserved")),
        Ok(None) => Check::pass(check, name, "not throttled by a reserved concurrency"),
        // The check of the function says so.
        Err(error) if is_gone(error) => return None,
        Err(error) => Check::unread(check, name, error),
    })
}

/// Whether a function works by the policies that were given, however its document is laid out.
fn document(stack: &Stack, part: Part, found: &Document, policies: &[Policy]) -> Check {
    let (check, (_, name)) = ("deployed-policy", part.of_template());
    let deploy = format!(
        "Deploy this file, or give the one that is deployed (infra/sam/deployed.py prints it). If it was this one that was deployed, \
         somebody changed the function: {}",
        correct_environment(stack, part)
    );
    match found {
        Document::Text(text) => match policy::parse(text) {
            Ok(parsed) if parsed.policies == policies => Check::pass(check, name, "it works by this policy"),
            Ok(parsed) => {
                let other = different(&parsed.policies, policies);
                Check::fail(check, name, format!("it works by another policy than this one: {other}")).remedy(deploy)
            }
            Err(_) => Check::fail(check, name, "its policy is not valid, so it does nothing").remedy(deploy),
        },
        Document::Missing(why) => Check::fail(check, name, why.as_str()).remedy(changed(stack)),
        Document::Elsewhere(why) => Check::unknown(check, name, format!("{why}, so it was not compared"))
            .remedy("Compare it by hand: aws lambda get-function names the package."),
        Document::Unread(error) => Check::unread(check, name, error),
    }
}

/// In which policies two documents differ.
fn different(deployed: &[Policy], given: &[Policy]) -> String {
    let by_name = |policies: &[Policy]| -> BTreeMap<String, Policy> {
        policies.iter().map(|policy| (policy.name.to_string(), policy.clone())).collect()
    };
    let (deployed, given) = (by_name(deployed), by_name(given));
    let changed = given.iter().filter_map(|(name, policy)| match deployed.get(name) {
        Some(other) if other == policy => None,
        Some(_) => Some(format!("{name} differs")),
        None => Some(format!("{name} is not deployed")),
    });
    let more = deployed.keys().filter(|name| !given.contains_key(*name)).map(|name| format!("{name} is only deployed"));
    let all: Vec<String> = changed.chain(more).collect();
    if all.is_empty() { "the order differs".to_owned() } else { all.join(", ") }
}

/// `given` is the stack's parameter, where it is known.
fn logs(stack: &Stack, name: &str, found: &Result<Option<Retention>, CallError>, given: Option<i32>) -> Check {
    let check = "log-group";
    match found {
        Ok(Some(Retention(Some(days)))) if given.is_some_and(|given| *days < given) => {
            let given = given.unwrap_or_default();
            let message = format!("it keeps the audit for {days} days only, and LogRetentionDays is {given}");
            Check::fail(check, name, message).remedy(keep(stack, name, Some(given)))
        }
        Ok(Some(Retention(Some(days)))) => Check::pass(check, name, format!("it keeps its records for {days} days")),
        Ok(Some(Retention(None))) => {
            Check::fail(check, name, "it has no retention: its records are kept, and paid for, for good")
                .remedy(keep(stack, name, given))
        }
        Ok(None) => Check::fail(check, name, "it was deleted, and the audit records with it; the function writes none")
            .remedy("Make it again under the same name, with its retention and deletion protection; find out who deleted it."),
        Err(error) => Check::unread(check, name, error),
    }
}

fn keep(stack: &Stack, name: &str, days: Option<i32>) -> String {
    let days = days.map_or("DAYS".to_owned(), |days| days.to_string());
    let rest = format_args!("--log-group-name {} --retention-in-days {days}", named(stack, name));
    format!(
        "{} puts it back; find out in CloudTrail who changed it.",
        command(stack, "logs put-retention-policy", rest)
    )
}

/// What a resource of this logical ID is called in AWS.
fn named<'s>(stack: &'s Stack, logical_id: &str) -> &'s str {
    let found = stack.resources.iter().find(|resource| resource.logical_id == logical_id);
    found.map(|resource| resource.physical_id.as_str()).unwrap_or_default()
}

/// One line for what rings by itself, and one for all that are well.
fn alarms(stack: &Stack) -> Vec<Check> {
    let check = "alarm";
    let alarms = match &stack.alarms {
        None => return Vec::new(),
        Some(Err(error)) => return vec![Check::unread(check, "", error)],
        Some(Ok(alarms)) => alarms,
    };
    let topic = stack.topic.as_ref().map(|(arn, _)| arn);
    let bad: Vec<Check> = alarms.iter().filter_map(|(name, found)| alarm(stack, name, found.as_ref(), topic)).collect();
    let well = alarms.len().saturating_sub(bad.len());
    let rest = Check::pass(check, "", format!("{well} of {} alarms are there, on and quiet", alarms.len()));
    bad.into_iter().chain((well > 0).then_some(rest)).collect()
}

/// What is wrong with an alarm. `topic` is what the stack's alarms notify.
fn alarm(stack: &Stack, name: &str, found: Option<&Alarm>, topic: Option<&String>) -> Option<Check> {
    let check = "alarm";
    let Some(alarm) = found else {
        return Some(Check::fail(check, name, "it was deleted: what it is for tells nobody").remedy(gone(stack, name)));
    };
    if !alarm.is_on {
        let on =
            command(stack, "cloudwatch enable-alarm-actions", format_args!("--alarm-names {}", named(stack, name)));
        return Some(
            Check::fail(check, name, "its actions are off: it tells nobody")
                .remedy(format!("Turn them on, {on}, and find out in CloudTrail who turned them off.")),
        );
    }
    // One that only another alarm looks at has no actions of its own.
    if let Some(topic) = topic
        && !alarm.actions.is_empty()
        && !alarm.actions.contains(topic)
    {
        return Some(Check::fail(check, name, format!("it does not notify {topic}")).remedy(changed(stack)));
    }
    let rings = alarm.state == "ALARM";
    rings.then(|| Check::fail(check, name, "it rings now").remedy("RUNBOOK.md says what it means and what to do."))
}

/// SNS API reference, Subscription: in the place of an ARN stands `PendingConfirmation` until somebody has confirmed it, and
/// `Deleted` for a while after its end.
fn topic(stack: &Stack) -> Check {
    let check = "alarm-topic";
    let Some((arn, found)) = &stack.topic else {
        return Check::unknown(check, "", "the stack names no topic, so its alarms tell nobody")
            .remedy("Give AlarmTopicArn or AlarmEmail, or see that somebody else's rule picks the alarms up.");
    };
    let subscriptions = match found {
        Ok(subscriptions) => subscriptions,
        Err(error) if error.code.contains("NotFound") => {
            return Check::fail(check, arn, "it was deleted: alarms tell nobody")
                .because(error)
                .remedy("Give AlarmTopicArn one that is there; the stack's own comes back when AlarmEmail is emptied, and given again.");
        }
        Err(error) => return Check::unread(check, arn, error),
    };
    match subscriptions.iter().filter(|subscription| subscription.starts_with("arn:")).count() {
        0 => Check::unknown(
            check,
            arn,
            format!("none of its {} subscriptions is confirmed: alarms tell nobody", subscriptions.len()),
        )
        .remedy("Subscribe somebody, and let them follow the link in the mail that SNS sends."),
        confirmed => Check::pass(check, arn, format!("confirmed subscriptions: {confirmed}")),
    }
}
