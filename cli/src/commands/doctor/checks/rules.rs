//! The rules: whether they are on, and whether they take the events that the template has them take.

use serde_json::{Value, json};
use snapferry_core::facts::CallError;
use snapferry_core::text::printable;

use super::repair;
use crate::commands::doctor::check::{Check, is_gone};
use crate::commands::doctor::facts::{Facts, Part, Rule, Stack};

/// Longer patterns are cut.
const LONGEST: usize = 400;

/// The checks of all rules.
pub(super) fn checks(facts: &Facts, stack: &Stack) -> Vec<Check> {
    let of_rule = |(part, rule): (&Part, &Result<Rule, CallError>)| {
        let taken = rule.as_ref().ok().map(|rule| takes(facts, stack, *part, rule));
        [Some(state(stack, *part, rule)), taken].into_iter().flatten().collect::<Vec<_>>()
    };
    stack.rules.iter().flat_map(of_rule).collect()
}

/// What the template has a rule take.
pub(super) fn pattern(facts: &Facts, part: Part) -> Value {
    let kind = json!({"source": ["aws.ec2"], "detail-type": ["EBS Snapshot Notification"]});
    let mut pattern = kind;
    if let (Part::CopyRule, Some(members)) = (part, pattern.as_object_mut()) {
        let (partition, home) = (facts.arn.split(':').nth(1).unwrap_or_default(), &facts.home);
        let of_home = [format!("arn:{partition}:ec2::{home}:"), format!("arn:{partition}:ec2:{home}:")];
        members.insert("account".to_owned(), json!([facts.account.as_str()]));
        let source = of_home.map(|prefix| json!({"prefix": prefix}));
        members.insert("detail".to_owned(), json!({"event": ["copySnapshot"], "source": source}));
    } else if let Some(members) = pattern.as_object_mut() {
        members.insert("detail".to_owned(), json!({"event": ["shareSnapshot"], "result": ["succeeded"]}));
    }
    pattern
}

/// What does not happen without a rule.
pub(super) fn without(part: Part) -> &'static str {
    match part {
        Part::CopyRule => "ends of copies are noticed by schedules only, minutes later",
        _ => "shares are noticed by sweeps only",
    }
}

fn state(stack: &Stack, part: Part, rule: &Result<Rule, CallError>) -> Check {
    let (check, (_, name), without) = ("rule", part.of_template(), without(part));
    match rule.as_ref().map(|rule| rule.state.as_str()) {
        // The second form says that it also takes what CloudTrail records; either delivers.
        Ok(state @ ("ENABLED" | "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS")) => Check::pass(check, name, state),
        Ok(state) => Check::fail(check, name, format!("{state}: {without}")).remedy(format!(
            "Enable it, {}, and find out in CloudTrail who disabled it.",
            repair::command(stack, "events enable-rule", repair::rule(stack, part))
        )),
        Err(error) if is_gone(error) => Check::fail(check, name, format!("it was deleted: {without}"))
            .because(error)
            .remedy(repair::gone(stack, name)),
        Err(error) => Check::unread(check, name, error),
    }
}

fn takes(facts: &Facts, stack: &Stack, part: Part, rule: &Rule) -> Check {
    let (check, (_, name)) = ("rule-pattern", part.of_template());
    let wanted = pattern(facts, part);
    let is_same = serde_json::from_str(&rule.pattern).is_ok_and(|found: Value| sorted(found) == sorted(wanted.clone()));
    if is_same {
        return Check::pass(check, name, "it takes the events that the template has it take");
    }
    let found = if rule.pattern.is_empty() { "it has none" } else { &printable(&rule.pattern, LONGEST) };
    let message = format!("its pattern is not that of this release's template, so {}: {found}", without(part));
    let given = format!("{} --event-pattern '{wanted}'", repair::rule(stack, part));
    Check::fail(check, name, message).remedy(format!(
        "{} puts it back; find out in CloudTrail who changed it.",
        repair::command(stack, "events put-rule", given)
    ))
}

/// The values of a pattern's member are alternatives, in any order.
fn sorted(value: Value) -> Value {
    match value {
        Value::Array(values) => {
            let mut values: Vec<Value> = values.into_iter().map(sorted).collect();
            values.sort_by_key(Value::to_string);
            values.into()
        }
        Value::Object(members) => members.into_iter().map(|(name, value)| (name, sorted(value))).collect(),
        scalar => scalar,
    }
}
