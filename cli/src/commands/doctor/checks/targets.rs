//! What rules and schedules start.

use snapferry_core::facts::CallError;

use super::parts::{DEPLOY, what_stops};
use crate::commands::doctor::check::{Check, is_gone};
use crate::commands::doctor::facts::{Facts, Part, Stack};

/// The checks of all rules and schedules.
pub(super) fn checks(facts: &Facts, stack: &Stack) -> Vec<Check> {
    stack.targets.iter().filter_map(|(part, found)| check(facts, stack, *part, found)).collect()
}

/// What the template has a rule or schedule start.
fn wanted(part: Part) -> &'static [Part] {
    match part {
        Part::CopyRule => &[Part::VerifierQueue, Part::CopierQueue],
        Part::VerifyTimer => &[Part::VerifyCopies],
        Part::ExpiryTimer => &[Part::DeleteExpiredCopies],
        Part::ProveTimer => &[Part::ProveCopies],
        _ => &[Part::CopierQueue],
    }
}

fn check(facts: &Facts, stack: &Stack, part: Part, found: &Result<Vec<String>, CallError>) -> Option<Check> {
    let (name, (_, subject)) = ("target", part.of_template());
    let found = match found {
        Ok(found) => found,
        // The check of the rule says so.
        Err(error) if is_gone(error) => return None,
        Err(error) => return Some(Check::unread(name, subject, error)),
    };
    // So does the check of what is to be started.
    if wanted(part).iter().any(|wanted| stack.part(*wanted).is_none()) {
        return None;
    }
    let is = |wanted: &Part, arn: &String| is_of(facts, stack, *wanted, arn);
    let missing = wanted(part).iter().filter(|wanted| !found.iter().any(|arn| is(wanted, arn)));
    let missing: Vec<&str> = missing.map(|part| part.of_template().1).collect();
    let foreign = found.iter().filter(|arn| !wanted(part).iter().any(|wanted| is(wanted, arn)));
    let foreign: Vec<&str> = foreign.map(String::as_str).collect();
    Some(if !missing.is_empty() {
        let message = format!("it does not start {}: {}", missing.join(" and "), without(part));
        Check::fail(name, subject, message).remedy(DEPLOY)
    } else if !foreign.is_empty() {
        let message = format!("it also starts what is not the stack's: {}", foreign.join(", "));
        Check::unknown(name, subject, message)
            .remedy("Find out who added it, and take it out if it does not belong there.")
    } else {
        Check::pass(name, subject, "it starts what the template has it start")
    })
}

fn without(part: Part) -> &'static str {
    match part {
        Part::ShareRule => "shares are noticed by sweeps only",
        Part::CopyRule => "ends of copies are noticed by schedules only, minutes later",
        _ => what_stops(part),
    }
}

/// Whether an ARN is that of the stack's own part, in its account and Region.
fn is_of(facts: &Facts, stack: &Stack, part: Part, arn: &str) -> bool {
    let Some(resource) = stack.part(part) else { return false };
    // A queue's physical ID is its URL, a function's its name.
    let name = resource.physical_id.rsplit('/').next().unwrap_or_default();
    let of_service =
        if resource.kind == "AWS::SQS::Queue" { ("sqs", String::new()) } else { ("lambda", "function:".to_owned()) };
    let (service, kind) = of_service;
    let behind = format!(":{service}:{}:{}:{kind}{name}", facts.home, facts.account);
    let partition = arn.strip_prefix("arn:").and_then(|rest| rest.strip_suffix(&behind));
    !name.is_empty() && partition.is_some_and(|partition| !partition.contains(':'))
}
