//! The mappings that give functions the messages of queues.

use snapferry_core::facts::CallError;
use snapferry_core::text::printable;

use super::parts::is_own;
use super::repair::{command, gone, physical};
use crate::commands::doctor::check::{Check, is_gone};
use crate::commands::doctor::facts::{Facts, Mapping, Part, Stack};

/// Longer filters are cut.
const LONGEST: usize = 200;

/// The checks of all mappings.
pub(super) fn checks(facts: &Facts, stack: &Stack) -> Vec<Check> {
    stack.mappings.iter().map(|(part, found)| mapping(facts, stack, *part, found)).collect()
}

/// The queue that a mapping takes from, and the function that it gives to.
pub(super) fn between(mapping: Part) -> (Part, Part) {
    match mapping {
        Part::QueueToVerifier => (Part::VerifierQueue, Part::VerifyCopies),
        _ => (Part::CopierQueue, Part::CopySharedSnapshots),
    }
}

fn mapping(facts: &Facts, stack: &Stack, part: Part, found: &Result<Mapping, CallError>) -> Check {
    let (_, name) = part.of_template();
    let (check, without) = match part {
        Part::QueueToVerifier => {
            ("queue-to-verifier", "copies that ended are verified by schedule only, minutes later")
        }
        _ => ("queue-to-copier", "the copier gets no event and no sweep, so nothing is copied"),
    };
    let found = match found {
        Ok(found) => found,
        Err(error) if is_gone(error) => {
            let message = format!("it was deleted: {without}");
            return Check::fail(check, name, message).because(error).remedy(gone(stack, name));
        }
        Err(error) => return Check::unread(check, name, error),
    };
    let update = |option: &str| {
        let what = format_args!("--uuid {} {option}", physical(stack, part));
        let update = command(stack, "lambda update-event-source-mapping", what);
        format!("{update} puts it back; find out in CloudTrail who changed it.")
    };
    let (queue, function) = between(part);
    let ((_, queue_name), (_, function_name)) = (queue.of_template(), function.of_template());
    // Lambda API reference, GetEventSourceMapping, `State`.
    let is_on = match found.state.as_str() {
        "Disabled" | "Disabling" => {
            return Check::fail(check, name, format!("{}: {without}", found.state)).remedy(update("--enabled"));
        }
        "Deleting" => {
            return Check::fail(check, name, format!("somebody deletes it: {without}")).remedy(gone(stack, name));
        }
        state => state == "Enabled",
    };
    if !found.filters.is_empty() {
        let filters = printable(&found.filters.join(" or "), LONGEST);
        let message = format!("Lambda deletes from {queue_name} what does not match its filter, {filters}: {without}");
        return Check::fail(check, name, message).remedy(update("--filter-criteria '{}'"));
    }
    // Whether there is such a queue or function at all, other checks say.
    if stack.part(function).is_some() && !is_own(facts, stack, function, &found.function) {
        let message = format!("it gives the messages to {}, not to {function_name}: {without}", found.function);
        return Check::fail(check, name, message)
            .remedy(update(&format!("--function-name {}", physical(stack, function))));
    }
    if stack.part(queue).is_some() && !is_own(facts, stack, queue, &found.queue) {
        let message = format!("it takes from {}, not from {queue_name}: {without}", found.queue);
        return Check::fail(check, name, message).remedy(gone(stack, name));
    }
    if !is_on {
        return Check::unknown(check, name, found.state.as_str()).remedy("Repeat in a minute.");
    }
    Check::pass(check, name, format!("Enabled, from {queue_name} to {function_name}, without a filter"))
}
