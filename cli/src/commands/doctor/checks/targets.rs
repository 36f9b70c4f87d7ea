//! What rules and schedules start, and with what.

use serde_json::Value;
use snapferry_core::facts::CallError;
use snapferry_core::text::printable;

use super::parts::{is_own, what_stops};
use super::repair;
use super::rules;
use crate::commands::doctor::check::{Check, is_gone};
use crate::commands::doctor::facts::{Facts, Input, Part, Stack, Target};

/// Longer inputs are cut.
const LONGEST: usize = 200;

/// The checks of all rules and schedules.
pub(super) fn checks(facts: &Facts, stack: &Stack) -> Vec<Check> {
    stack.targets.iter().filter_map(|(part, found)| check(facts, stack, *part, found)).collect()
}

/// What the template has something started with.
#[derive(Debug, Clone, Copy)]
enum Given {
    /// The event as it comes.
    Event,
    /// This.
    Exactly(&'static str),
    /// Any JSON object: the function reads nothing in it.
    Object,
}

/// A target in the template.
#[derive(Debug, Clone, Copy)]
struct Wanted {
    part: Part,
    group: Option<&'static str>,
    given: Given,
    /// Whether what cannot be delivered is kept.
    keeps: bool,
}

/// The targets in the template; a test holds them against it.
fn wanted(part: Part) -> Vec<Wanted> {
    const SWEEP: Given = Given::Exactly(r#"{"sweep":"<aws.scheduler.execution-id>"}"#);
    const SERVE: Given = Given::Exactly(r#"{"serve":"<aws.scheduler.execution-id>"}"#);
    let copier = |given, keeps| Wanted { part: Part::CopierQueue, group: Some("copier"), given, keeps };
    let of_databases = |given| vec![Wanted { part: Part::CopySharedDatabases, group: None, given, keeps: true }];
    let verifier = Wanted { part: Part::VerifierQueue, group: Some("verifier"), given: Given::Event, keeps: false };
    let run = |part| vec![Wanted { part, group: None, given: Given::Object, keeps: true }];
    match part {
        Part::CopyRule => vec![verifier, copier(Given::Event, false)],
        Part::SweepTimer => vec![copier(SWEEP, true)],
        Part::ServeTimer => vec![copier(SERVE, true)],
        Part::VerifyTimer => run(Part::VerifyCopies),
        Part::ExpiryTimer => run(Part::DeleteExpiredCopies),
        Part::ProveTimer => run(Part::ProveCopies),
        Part::DatabaseSweepTimer => of_databases(SWEEP),
        Part::DatabaseServeTimer => of_databases(SERVE),
        Part::DatabaseVerifyTimer => run(Part::VerifyCopiedDatabases),
        Part::DatabaseExpiryTimer => run(Part::DeleteExpiredDatabaseCopies),
        _ => vec![copier(Given::Event, true)],
    }
}

fn check(facts: &Facts, stack: &Stack, part: Part, found: &Result<Vec<Target>, CallError>) -> Option<Check> {
    let (name, (_, subject)) = ("target", part.of_template());
    let found = match found {
        Ok(found) => found,
        // The check of the rule says so.
        Err(error) if is_gone(error) => return None,
        Err(error) => return Some(Check::unread(name, subject, error)),
    };
    let wanted = wanted(part);
    // So does the check of what is to be started.
    if wanted.iter().any(|wanted| stack.part(wanted.part).is_none()) {
        return None;
    }
    let is = |wanted: &Wanted, target: &Target| is_own(facts, stack, wanted.part, &target.arn);
    let missing = wanted.iter().filter(|wanted| !found.iter().any(|target| is(wanted, target)));
    let missing: Vec<&str> = missing.map(|wanted| wanted.part.of_template().1).collect();
    let pairs = wanted.iter().flat_map(|wanted| found.iter().map(move |target| (wanted, target)));
    let other = pairs.filter(|(wanted, target)| is(wanted, target));
    let other: Vec<String> = other.filter_map(|(wanted, target)| difference(facts, stack, wanted, target)).collect();
    let foreign = found.iter().filter(|target| !wanted.iter().any(|wanted| is(wanted, target)));
    let foreign: Vec<&str> = foreign.map(|target| target.arn.as_str()).collect();
    Some(if !missing.is_empty() {
        let message = format!("it does not start {}: {}", missing.join(" and "), without(part));
        Check::fail(name, subject, message).remedy(put_back(stack, part))
    } else if !other.is_empty() {
        Check::fail(name, subject, other.join("; ")).remedy(put_back(stack, part))
    } else if !foreign.is_empty() {
        let message = format!("it also starts what is not the stack's: {}", foreign.join(", "));
        Check::unknown(name, subject, message)
            .remedy("Find out who added it, and take it out if it does not belong there.")
    } else {
        let each: Vec<String> = wanted.iter().map(as_compared).collect();
        let message = format!("it starts {}", each.join("; and "));
        Check::pass(name, subject, message)
    })
}

/// A target that was found, with what of it was held against the template.
fn as_compared(wanted: &Wanted) -> String {
    let input = match wanted.given {
        Given::Event => "the event as it comes",
        Given::Exactly(input) => input,
        Given::Object => "a JSON object",
    };
    let group = wanted.group.map(|group| format!("in the message group {group}"));
    let keeps = wanted.keeps.then(|| "with the stack's dead-letter queue".to_owned());
    let rest: Vec<String> = [Some(format!("with {input}")), group, keeps].into_iter().flatten().collect();
    format!("{} {}", wanted.part.of_template().1, rest.join(", "))
}

/// In what a target is not the template's.
fn difference(facts: &Facts, stack: &Stack, wanted: &Wanted, target: &Target) -> Option<String> {
    let (_, name) = wanted.part.of_template();
    if let Some(other) = other_input(wanted.given, &target.input) {
        return Some(format!("it gives {name} {other}"));
    }
    if target.group.as_deref() != wanted.group {
        let [found, wanted] = [target.group.as_deref(), wanted.group]
            .map(|group| group.map_or("none".to_owned(), |group| printable(group, LONGEST)));
        return Some(format!("its message group in {name} is {found}, not {wanted}"));
    }
    if !wanted.keeps {
        return None;
    }
    let (_, queue) = Part::UndeliveredQueue.of_template();
    match &target.dead_letters {
        None => {
            Some(format!("it has no dead-letter queue: what cannot be delivered to {name} is lost and rings nothing"))
        }
        Some(arn)
            if stack.part(Part::UndeliveredQueue).is_some() && !is_own(facts, stack, Part::UndeliveredQueue, arn) =>
        {
            Some(format!(
                "its dead-letter queue is {arn}, not {queue}, so what cannot be delivered to {name} rings nothing"
            ))
        }
        Some(_) => None,
    }
}

/// What is given instead.
fn other_input(wanted: Given, found: &Input) -> Option<String> {
    let json = |text: &str| serde_json::from_str::<Value>(text).ok();
    let (text, instead) = match (wanted, found) {
        (Given::Event, Input::Event) => return None,
        (Given::Event, Input::Constant(text)) => (text.as_str(), "the event"),
        (Given::Exactly(wanted), Input::Constant(text)) if json(text) == json(wanted) => return None,
        (Given::Exactly(wanted), Input::Constant(text)) => (text.as_str(), wanted),
        (Given::Object, Input::Constant(text)) if json(text).is_some_and(|json| json.is_object()) => return None,
        (Given::Object, Input::Constant(text)) => (text.as_str(), "a JSON object"),
        // The functions read nothing in it.
        (Given::Object, Input::Event) => return None,
        (Given::Exactly(wanted), Input::Event) => ("no input", wanted),
        (Given::Event, Input::Changed) => ("what an InputPath or InputTransformer makes of it", "the event"),
        (Given::Exactly(wanted), Input::Changed) => ("what an InputTransformer makes", wanted),
        (Given::Object, Input::Changed) => return None,
    };
    Some(format!("{} and not {instead}", printable(text, LONGEST)))
}

fn put_back(stack: &Stack, part: Part) -> String {
    if Part::SCHEDULES.contains(&part) {
        return repair::schedule(stack, part, ", put the template's Target into that file");
    }
    let rule = repair::rule(stack, part).replace("--name", "--rule");
    format!(
        "{}, make its Targets those of the template, and {}; and find out in CloudTrail who changed it.",
        repair::command(stack, "events list-targets-by-rule", format_args!("{rule} > targets.json")),
        repair::command(stack, "events put-targets", format_args!("{rule} --cli-input-json file://targets.json"))
    )
}

fn without(part: Part) -> &'static str {
    match part {
        Part::ShareRule | Part::CopyRule => rules::without(part),
        _ => what_stops(part),
    }
}
