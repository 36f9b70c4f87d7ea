//! The queues: whether they are the template's, and what waits in them.

use std::collections::BTreeMap;

use serde_json::Value;
use snapferry_core::facts::CallError;
use snapferry_core::text::printable;

use super::mappings::between;
use super::parts::is_own;
use super::repair::{command, gone, physical};
use crate::commands::doctor::check::{Check, is_gone};
use crate::commands::doctor::facts::{Facts, Part, Stack};

/// Attributes with their values, by SQS's names.
type Attributes = BTreeMap<String, String>;

/// More than wait after any ordinary night: the copier takes ten at a time.
const MANY: u64 = 1000;

/// The checks of all queues.
pub(super) fn checks(facts: &Facts, stack: &Stack) -> Vec<Check> {
    stack.queues.iter().map(|(part, attributes)| queue(facts, stack, *part, attributes)).collect()
}

/// The attributes that the template gives a queue, and that can be set again; a test holds them against it.
pub(super) fn settings(part: Part) -> Vec<(&'static str, &'static str)> {
    let mut settings = match part {
        Part::CopierQueue => vec![("VisibilityTimeout", "360"), ("MessageRetentionPeriod", "1209600")],
        Part::VerifierQueue => vec![("VisibilityTimeout", "360"), ("MessageRetentionPeriod", "300")],
        _ => vec![("MessageRetentionPeriod", "1209600")],
    };
    settings.extend([("DelaySeconds", "0"), ("SqsManagedSseEnabled", "true")]);
    settings
}

fn queue(facts: &Facts, stack: &Stack, part: Part, found: &Result<Attributes, CallError>) -> Check {
    let (_, name) = part.of_template();
    let attributes = match found {
        Ok(attributes) => attributes,
        Err(error) if is_gone(error) => {
            return Check::fail("queue", name, "it was deleted").because(error).remedy(gone(stack, name));
        }
        Err(error) => return Check::unread("queue", name, error),
    };
    let is_true = |name: &str| attributes.get(name).is_some_and(|value| value == "true");
    let is_of_work = matches!(part, Part::CopierQueue | Part::VerifierQueue);
    if is_of_work && !is_true("FifoQueue") {
        let message = "it does not keep to one run at a time: it is not FIFO";
        return Check::fail("queue", name, message).remedy(gone(stack, name));
    }
    let mut wrong = altered(part, attributes);
    if is_of_work && !is_true("ContentBasedDeduplication") {
        wrong.push(("ContentBasedDeduplication", "true".to_owned(), "a retried delivery is taken twice".to_owned()));
    }
    if part == Part::CopierQueue
        && let Some(message) = other_redrive(facts, stack, attributes)
    {
        let arn = attributes.get("QueueArn").map(String::as_str).unwrap_or_default();
        let arn = arn.rsplit_once(':').map(|(before, _)| before).unwrap_or_default();
        let letters = physical(stack, Part::CopierDeadLetterQueue).rsplit('/').next().unwrap_or_default();
        let redrive = format!(r#"{{\"deadLetterTargetArn\":\"{arn}:{letters}\",\"maxReceiveCount\":\"20\"}}"#);
        wrong.push(("RedrivePolicy", redrive, message));
    }
    if !wrong.is_empty() {
        let messages: Vec<&str> = wrong.iter().map(|(_, _, message)| message.as_str()).collect();
        return Check::fail("queue", name, messages.join("; ")).remedy(set(stack, part, &wrong));
    }
    waiting(stack, part, attributes)
}

/// Attributes that are not the template's: which, what it should be, and what is said of it. One that SQS does not name is as it is
/// by default.
fn altered(part: Part, attributes: &Attributes) -> Vec<(&'static str, String, String)> {
    let other = |(name, wanted): (&'static str, &'static str)| {
        let found = attributes.get(name).filter(|found| *found != wanted)?;
        let message = format!("its {name} is {}, not the template's {wanted}", printable(found, 100));
        Some((name, wanted.to_owned(), message))
    };
    let mut altered: Vec<_> = settings(part).into_iter().filter_map(other).collect();
    if let Some(key) = attributes.get("KmsMasterKeyId").filter(|key| !key.is_empty()) {
        let message = format!("it is under the key {}, not under SQS's own as in the template", printable(key, 200));
        altered.push(("KmsMasterKeyId", String::new(), message));
    }
    altered
}

fn other_redrive(facts: &Facts, stack: &Stack, attributes: &Attributes) -> Option<String> {
    let Some(redrive) = attributes.get("RedrivePolicy") else { return Some("it has no dead-letter queue".to_owned()) };
    let redrive: Value = serde_json::from_str(redrive).unwrap_or_default();
    let arn = redrive.get("deadLetterTargetArn").and_then(Value::as_str).unwrap_or_default();
    let part = Part::CopierDeadLetterQueue;
    if stack.part(part).is_none() || is_own(facts, stack, part, arn) {
        return None;
    }
    Some(format!("its dead-letter queue is {}, not {}", printable(arn, 200), part.of_template().1))
}

fn set(stack: &Stack, part: Part, wrong: &[(&str, String, String)]) -> String {
    let mut attributes: BTreeMap<&str, &str> = wrong.iter().map(|(name, value, _)| (*name, value.as_str())).collect();
    if attributes.contains_key("KmsMasterKeyId") {
        // Without a key it would not be encrypted at all.
        attributes.insert("SqsManagedSseEnabled", "true");
    }
    let attributes: Vec<String> = attributes.iter().map(|(name, value)| format!("\"{name}\":\"{value}\"")).collect();
    let rest = format!("--queue-url {} --attributes '{{{}}}'", physical(stack, part), attributes.join(","));
    let set = command(stack, "sqs set-queue-attributes", rest);
    format!("{set} puts it back; find out in CloudTrail who changed it.")
}

fn waiting(stack: &Stack, part: Part, attributes: &Attributes) -> Check {
    let (_, name) = part.of_template();
    let count = |name: &str| attributes.get(name).and_then(|value| value.parse::<u64>().ok()).unwrap_or_default();
    let messages = count("ApproximateNumberOfMessages").saturating_add(count("ApproximateNumberOfMessagesNotVisible"));
    let mapping = Part::MAPPINGS.into_iter().find(|mapping| between(*mapping).0 == part);
    let Some(mapping) = mapping else {
        return match messages {
            0 => Check::pass("dead-letter-queue", name, "empty"),
            _ => Check::fail("dead-letter-queue", name, format!("{messages} messages that nobody has looked at"))
                .remedy("See RUNBOOK.md, CopierDeadLetterAlarm and UndeliveredAlarm."),
        };
    };
    let state = stack.mappings.get(&mapping).and_then(|found| found.as_ref().ok()).map(|found| found.state.as_str());
    let many = "See RUNBOOK.md, CopierQueueAgeAlarm, and repeat in some minutes: they should become fewer.";
    match state {
        Some(state @ ("Disabled" | "Disabling" | "Deleting")) if messages > 0 => {
            let (_, by) = mapping.of_template();
            Check::fail("queue", name, format!("{messages} messages in it, and nothing takes them: {by} is {state}"))
                .remedy(format!("Put {by} right, as said there."))
        }
        _ if messages > MANY => {
            Check::unknown("queue", name, format!("{messages} messages in it, which is many")).remedy(many)
        }
        _ => Check::pass("queue", name, format!("FIFO, with the template's settings, {messages} messages in it")),
    }
}
