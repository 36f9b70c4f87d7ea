//! The schedules: whether they are on, and often enough for the alarms that miss their runs.

use std::collections::BTreeMap;

use snapferry_core::facts::CallError;

use super::parts::{DEPLOY, what_stops};
use crate::commands::doctor::check::{Check, is_gone};
use crate::commands::doctor::facts::{Part, Schedule};

const MINUTES_IN_A_DAY: u64 = 1440;

/// The checks of a schedule; `given` are the stack's parameters, where they are known.
pub(super) fn checks(
    part: Part,
    schedule: &Result<Schedule, CallError>,
    given: Option<&BTreeMap<String, String>>,
) -> Vec<Check> {
    let (_, name) = part.of_template();
    let state = match schedule {
        Ok(Schedule { state, .. }) if state == "ENABLED" => Check::pass("schedule", name, "enabled"),
        Ok(Schedule { state, .. }) => Check::fail("schedule", name, format!("{state}: {}", what_stops(part)))
            .remedy("Enable it in EventBridge Scheduler, or deploy the stack again (and find out who disabled it)."),
        Err(error) if is_gone(error) => {
            Check::fail("schedule", name, format!("it was deleted: {}", what_stops(part))).because(error).remedy(DEPLOY)
        }
        Err(error) => Check::unread("schedule", name, error),
    };
    let rarity = schedule.as_ref().ok().zip(given).and_then(|(schedule, given)| often_enough(part, schedule, given));
    [Some(state), rarity].into_iter().flatten().collect()
}

/// Whether a run is due within the hours in which an alarm misses it. As many hours an alarm about what runs find goes by the worst
/// of their values: with rarer runs there are hours whose only value may be forged.
fn often_enough(part: Part, schedule: &Schedule, given: &BTreeMap<String, String>) -> Option<Check> {
    let parameter = match part {
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
    let [_, hours, days @ ..] = fields.as_slice() else { return None };
    if days.len() != 4 || !days.iter().all(|each| matches!(*each, "*" | "?")) {
        return None;
    }
    let step = hours.strip_prefix("0/").or_else(|| hours.strip_prefix("*/"));
    match step {
        Some(step) => step.parse::<u64>().ok().filter(|step| (1..24).contains(step)).map(|step| step * 60),
        None if *hours == "*" => Some(60),
        None => hours.parse::<u64>().ok().map(|_| MINUTES_IN_A_DAY),
    }
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
            ("cron(0/15 * * * ? *)", Some(60)),
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
