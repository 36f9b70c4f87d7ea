//! The schedules: whether they are on, as often as the stack was told, and often enough for the alarms that miss their runs.

use std::collections::BTreeMap;

use jiff::Timestamp;
use snapferry_core::facts::CallError;

use super::parts::what_stops;
use super::repair;
use crate::commands::doctor::check::{Check, Verdict, is_gone};
use crate::commands::doctor::facts::{Facts, Part, Schedule, Stack};

/// The template's ServeSchedule, where nobody gives another.
const SERVE_DEFAULT: &str = "rate(1 minute)";
const MINUTES_IN_A_DAY: u64 = 1440;

/// The checks of all schedules.
pub(super) fn checks(facts: &Facts, stack: &Stack) -> Vec<Check> {
    let of_schedule = |(part, found): (&Part, &Result<Schedule, CallError>)| {
        let rarity = found.as_ref().ok().and_then(|found| rarity(*part, found, stack));
        [Some(state(facts.now, stack, *part, found)), rarity].into_iter().flatten().collect::<Vec<_>>()
    };
    stack.schedules.iter().flat_map(of_schedule).collect()
}

/// EventBridge Scheduler API reference, GetSchedule: nothing starts before `StartDate`, or after `EndDate`.
fn state(now: Timestamp, stack: &Stack, part: Part, schedule: &Result<Schedule, CallError>) -> Check {
    let (check, (_, name)) = ("schedule", part.of_template());
    let fail = |message: String| Check::fail(check, name, message).remedy(repair::schedule(stack, part, ""));
    match schedule {
        Ok(Schedule { state, .. }) if state != "ENABLED" => fail(format!("{state}: {}", what_stops(part))),
        Ok(Schedule { end: Some(end), .. }) if *end <= now => {
            fail(format!("it starts nothing since its end, {end}: {}", what_stops(part)))
        }
        Ok(Schedule { end: Some(end), .. }) => fail(format!("it ends at {end}, and then {}", what_stops(part))),
        Ok(Schedule { start: Some(start), .. }) if *start > now => {
            fail(format!("it starts nothing until {start}: {}", what_stops(part)))
        }
        Ok(_) => Check::pass(check, name, "ENABLED, without an end"),
        Err(error) if is_gone(error) => {
            let message = format!("it was deleted: {}", what_stops(part));
            Check::fail(check, name, message).because(error).remedy(repair::gone(stack, name))
        }
        Err(error) => Check::unread(check, name, error),
    }
}

/// Whether it runs as often as its alarm and the stack's parameter want it to.
fn rarity(part: Part, schedule: &Schedule, stack: &Stack) -> Option<Check> {
    let by_alarm = stack.parameters.as_ref().and_then(|given| given.as_ref().ok());
    let by_alarm = by_alarm.and_then(|given| often_enough(part, schedule, given));
    match &by_alarm {
        Some(check) if check.verdict == Verdict::Fail => by_alarm,
        _ => as_given(part, schedule, stack).or(by_alarm),
    }
}

/// What is said of a schedule that may be rarer than the stack's parameter says, or than the template's default where the stack has
/// no parameters. No alarm misses a serve tick, so of that one something is always said.
fn as_given(part: Part, schedule: &Schedule, stack: &Stack) -> Option<Check> {
    let (parameter, default) = match part.of_volumes() {
        Part::SweepTimer => ("SweepSchedule", None),
        Part::ServeTimer => ("ServeSchedule", Some(SERVE_DEFAULT)),
        Part::VerifyTimer => ("VerifySchedule", None),
        Part::ExpiryTimer => ("ExpirySchedule", None),
        _ => ("ProofSchedule", None),
    };
    let (check, (_, name)) = ("schedule-interval", part.of_template());
    let (given, found) = (stack.given(parameter), schedule.expression.as_str());
    let wanted = given.or(default)?;
    let pauses = longest_pause(found).zip(longest_pause(wanted));
    let found = snapferry_core::text::printable(found, 100);
    if schedule.expression == wanted || pauses.is_some_and(|(found, wanted)| found <= wanted) {
        return default.map(|_| Check::pass(check, name, format!("{found} is no rarer than {wanted}, {parameter}")));
    }
    Some(match (given, pauses) {
        (Some(_), Some(_)) => {
            let message = format!("{found} is rarer than {parameter}, {wanted}: {}", late(part));
            let correct = format!(", put {wanted} into that file as ScheduleExpression");
            Check::fail(check, name, message).remedy(repair::schedule(stack, part, &correct))
        }
        (Some(_), None) => Check::unknown(
            check,
            name,
            format!("{found} is not {parameter}, {wanted}, and which of them is rarer is not known here"),
        )
        .remedy("Find out who changed it."),
        (None, _) => Check::unknown(
            check,
            name,
            format!("{found} may be rarer than {wanted}, the template's own, and the stack has no {parameter}"),
        )
        .remedy("See that it is as it was deployed."),
    })
}

fn late(part: Part) -> &'static str {
    match part {
        Part::DatabaseSweepTimer => "what is shared is copied later",
        Part::DatabaseServeTimer => "what stands in line waits longer",
        Part::DatabaseVerifyTimer => "copies are verified later",
        Part::SweepTimer => "what events miss is copied later",
        Part::ServeTimer => "what stands in line waits longer",
        Part::VerifyTimer => "copies are verified and locked later",
        Part::ProveTimer => "contents are proven later",
        _ => "copies expire later",
    }
}

/// Whether a run is due within the hours in which an alarm misses it. As many hours an alarm about what runs find goes by the worst
/// of their values: with rarer runs there are hours whose only value may be forged.
fn often_enough(part: Part, schedule: &Schedule, given: &BTreeMap<String, String>) -> Option<Check> {
    let parameter = match part.of_volumes() {
        Part::SweepTimer => "SweepMissingAlarmHours",
        Part::VerifyTimer => "VerifyMissingAlarmHours",
        Part::ExpiryTimer => "ExpiryMissingAlarmHours",
        Part::ProveTimer => "ProofMissingAlarmHours",
        _ => return None,
    };
    let (check, (_, name)) = ("schedule-interval", part.of_template());
    // 0 stands for no such alarm.
    let hours: u64 = given.get(parameter)?.parse().ok().filter(|hours| *hours > 0)?;
    let expression = snapferry_core::text::printable(&schedule.expression, 100);
    Some(match longest_pause(&schedule.expression) {
        Some(minutes) if minutes < hours.saturating_mul(60) => {
            Check::pass(check, name, format!("{expression} is more often than {parameter}, {hours} h"))
        }
        Some(_) => Check::fail(
            check,
            name,
            format!(
                "{expression} is not more often than {parameter}, {hours} h: its alarm rings between two runs, and those about what \
                 they find can be silenced"
            ),
        )
        .remedy(format!("Raise {parameter}, or let it run more often.")),
        None => Check::unknown(check, name, format!("how often {expression} runs is not known here"))
            .remedy(format!("See that its runs are never {hours} h apart, which is {parameter}.")),
    })
}

/// The longest time between two starts, in minutes, of a rate, or of a cron expression with the same hours each day (EventBridge
/// Scheduler User Guide, "Schedule types").
fn longest_pause(expression: &str) -> Option<u64> {
    if let Some(rate) = expression.strip_prefix("rate(").and_then(|rest| rest.strip_suffix(')')) {
        let (count, unit) = rate.trim().split_once(' ')?;
        let minutes = match unit.trim().trim_end_matches('s') {
            "minute" => 1,
            "hour" => 60,
            "day" => MINUTES_IN_A_DAY,
            _ => return None,
        };
        return count.parse::<u64>().ok()?.checked_mul(minutes);
    }
    let fields = expression.strip_prefix("cron(")?.strip_suffix(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let [minutes, hours, days @ ..] = fields.as_slice() else { return None };
    if days.len() != 4 || !days.iter().all(|each| matches!(*each, "*" | "?")) {
        return None;
    }
    match step(hours) {
        Some(step) => (1..24).contains(&step).then_some(step * 60),
        None if *hours == "*" && *minutes == "*" => Some(1),
        // Within the hour, and over its end no longer.
        None if *hours == "*" => Some(step(minutes).filter(|step| (1..60).contains(step)).unwrap_or(60)),
        None => hours.parse::<u64>().ok().map(|_| MINUTES_IN_A_DAY),
    }
}

/// The N of `0/N` or `*/N`.
fn step(field: &str) -> Option<u64> {
    field.strip_prefix("0/").or_else(|| field.strip_prefix("*/"))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_a_schedule_pauses() {
        for (expression, minutes) in [
            ("rate(15 minutes)", Some(15)),
            ("rate(1 minute)", Some(1)),
            ("rate(1 hour)", Some(60)),
            ("rate(6 hours)", Some(360)),
            ("rate(2 days)", Some(2880)),
            ("cron(0/15 * * * ? *)", Some(15)),
            ("cron(0/0 * * * ? *)", Some(60)),
            ("cron(7 * * * ? *)", Some(60)),
            ("cron(* * * * ? *)", Some(1)),
            ("cron(5 */6 * * ? *)", Some(360)),
            ("cron(5 0/6 ? * * *)", Some(360)),
            ("cron(30 3 * * ? *)", Some(1440)),
            ("cron(30 3 ? * MON *)", None),
            ("cron(30 8-18 * * ? *)", None),
            ("cron(30 0/0 * * ? *)", None),
            ("cron(30 3 * * ?)", None),
            ("at(2026-11-22T12:00:00)", None),
            ("rate(some minutes)", None),
            ("rate(99999999999999999999 days)", None),
            ("rate(9999999999999999999 days)", None),
            ("", None),
        ] {
            assert_eq!(longest_pause(expression), minutes, "{expression}");
        }
    }
}
