//! The schedules: on, and often enough.

use super::stack::{given, stack_otherwise};
use super::*;

pub(super) fn well(part: Part) -> Schedule {
    schedule("ENABLED", if part.of_volumes() == Part::ServeTimer { "rate(1 minute)" } else { "rate(1 hour)" })
}

/// What is found when a schedule is otherwise.
fn with(part: Part, found: Result<Schedule, CallError>) -> Vec<String> {
    stack_otherwise(|stack| drop(stack.schedules.insert(part, found)))
}

#[test]
fn a_schedule_that_is_off_over_or_gone() {
    for part in Part::SCHEDULES {
        let name = part.of_template().1;
        let fail = [format!("Fail schedule {name}")];
        let at = |time: &str| Some(time.parse().unwrap());
        assert_eq!(with(part, Ok(Schedule { state: "DISABLED".to_owned(), ..well(part) })), fail);
        assert_eq!(with(part, Ok(Schedule { end: at("2026-11-22T12:00:00Z"), ..well(part) })), fail);
        assert_eq!(with(part, Ok(Schedule { end: at("2027-11-22T12:00:00Z"), ..well(part) })), fail, "it will be over");
        assert_eq!(with(part, Ok(Schedule { start: at("2026-11-22T12:00:01Z"), ..well(part) })), fail);
        assert_eq!(with(part, Ok(Schedule { start: at("2026-11-22T12:00:00Z"), ..well(part) })), [""; 0]);
        assert_eq!(with(part, Err(error("ResourceNotFoundException", ""))), fail);
        assert_eq!(with(part, Err(error("AccessDenied", ""))), [format!("Unknown schedule {name}")]);
    }
}

#[test]
fn an_end_is_told_as_past_or_to_come() {
    for (end, words) in
        [("2026-11-22T12:00:00Z", "it starts nothing since its end"), ("2026-11-22T12:00:01Z", "it ends at")]
    {
        let mut facts = facts();
        let stack = facts.stack.as_mut().unwrap().1.as_mut().unwrap();
        let ending = Schedule { end: Some(end.parse().unwrap()), ..well(Part::SweepTimer) };
        stack.schedules.insert(Part::SweepTimer, Ok(ending));
        let found = checks(&facts, &policies(""));
        let found = found.iter().find(|check| check.check == "schedule" && check.subject == "SweepTimer").unwrap();
        assert!(found.message.starts_with(words), "{found:?}");
    }
}

#[test]
fn how_often_it_runs() {
    for (part, expression, verdict) in [
        (Part::SweepTimer, "rate(119 minutes)", ""),
        (Part::SweepTimer, "rate(2 hours)", "Fail schedule-interval SweepTimer"),
        (Part::SweepTimer, "cron(0 0/6 * * ? *)", "Fail schedule-interval SweepTimer"),
        (Part::SweepTimer, "cron(0 8-18 * * ? *)", "Unknown schedule-interval SweepTimer"),
        (Part::VerifyTimer, "rate(1 day)", "Fail schedule-interval VerifyTimer"),
        (Part::ExpiryTimer, "rate(5 hours)", ""),
        (Part::ExpiryTimer, "rate(6 hours)", "Fail schedule-interval ExpiryTimer"),
        (Part::DatabaseSweepTimer, "rate(119 minutes)", ""),
        (Part::DatabaseSweepTimer, "rate(2 hours)", "Fail schedule-interval DatabaseSweepTimer"),
        (Part::DatabaseVerifyTimer, "rate(1 day)", "Fail schedule-interval DatabaseVerifyTimer"),
        (Part::DatabaseExpiryTimer, "rate(6 hours)", "Fail schedule-interval DatabaseExpiryTimer"),
        (Part::DatabaseServeTimer, "rate(1 day)", "Unknown schedule-interval DatabaseServeTimer"),
        (Part::ProveTimer, "rate(47 hours)", ""),
        (Part::ProveTimer, "rate(2 days)", "Fail schedule-interval ProveTimer"),
        // Whoever has no parameters may have chosen it.
        (Part::ServeTimer, "rate(1 day)", "Unknown schedule-interval ServeTimer"),
    ] {
        let expected: Vec<&str> = [verdict].into_iter().filter(|verdict| !verdict.is_empty()).collect();
        let found = stack_otherwise(|stack| {
            given(stack).remove("ProofSchedule");
            stack.schedules.insert(part, Ok(schedule("ENABLED", expression)));
        });
        assert_eq!(found, expected, "{expression}");
    }
    let longer = stack_otherwise(|stack| {
        stack.schedules.insert(Part::SweepTimer, Ok(schedule("ENABLED", "rate(2 hours)")));
        given(stack).insert("SweepMissingAlarmHours".to_owned(), "3".to_owned());
    });
    assert_eq!(longer, [""; 0]);
    let unmissed = stack_otherwise(|stack| {
        stack.schedules.insert(Part::ProveTimer, Ok(schedule("ENABLED", "rate(30 days)")));
        given(stack).insert("ProofMissingAlarmHours".to_owned(), "0".to_owned());
        given(stack).insert("ProofSchedule".to_owned(), "rate(30 days)".to_owned());
    });
    assert_eq!(unmissed, [""; 0], "no alarm misses it");
}

#[test]
fn a_schedule_that_is_rarer_than_the_stack_was_told() {
    for (part, parameter) in [
        (Part::SweepTimer, "SweepSchedule"),
        (Part::ServeTimer, "ServeSchedule"),
        (Part::VerifyTimer, "VerifySchedule"),
        (Part::ExpiryTimer, "ExpirySchedule"),
        (Part::ProveTimer, "ProofSchedule"),
        (Part::DatabaseSweepTimer, "SweepSchedule"),
        (Part::DatabaseServeTimer, "ServeSchedule"),
        (Part::DatabaseVerifyTimer, "VerifySchedule"),
        (Part::DatabaseExpiryTimer, "ExpirySchedule"),
    ] {
        let name = part.of_template().1;
        assert!(in_template(part, "/Properties").to_string().contains("\"ScheduleExpression\""));
        let told = TEMPLATE.at(name, "/Properties/ScheduleExpression/Ref").unwrap().as_str().unwrap().to_owned();
        assert_eq!(told, parameter);
        for (wanted, found, verdict) in [
            ("rate(5 minutes)", "rate(5 minutes)", None),
            ("rate(5 minutes)", "rate(1 minute)", None),
            ("cron(0 8-18 * * ? *)", "cron(0 8-18 * * ? *)", None),
            ("cron(0/5 * * * ? *)", "rate(5 minutes)", None),
            ("rate(5 minutes)", "rate(6 minutes)", Some("Fail")),
            ("rate(5 minutes)", "at(2026-11-22T12:00:00)", Some("Unknown")),
        ] {
            let mut found = stack_otherwise(|stack| {
                given(stack).insert(parameter.to_owned(), wanted.to_owned());
                for other in Part::SCHEDULES.into_iter().filter(|other| other.of_volumes() == part.of_volumes()) {
                    stack.schedules.insert(other, Ok(schedule("ENABLED", wanted)));
                }
                stack.schedules.insert(part, Ok(schedule("ENABLED", found)));
            });
            if verdict.is_none() {
                // How often that runs is not known, so nothing says that the alarm does not miss it.
                found.retain(|finding| !finding.starts_with("Unknown"));
            }
            let expected: Vec<String> =
                verdict.map(|verdict| format!("{verdict} schedule-interval {name}")).into_iter().collect();
            assert_eq!(found, expected, "{wanted} {found:?}");
        }
    }
    assert_eq!(TEMPLATE.at("ServeTimer", "/Properties/ScheduleExpression/Ref").unwrap(), "ServeSchedule");
    assert_eq!(in_template(Part::ServeTimer, "/Properties/ScheduleExpression"), "rate(1 minute)", "the default");
}

#[test]
fn the_remedy_is_the_command_that_puts_it_back() {
    let mut facts = facts();
    let stack = facts.stack.as_mut().unwrap().1.as_mut().unwrap();
    stack.schedules.insert(Part::SweepTimer, Ok(schedule("DISABLED", "rate(1 hour)")));
    let found = checks(&facts, &policies(""));
    let remedy = found.into_iter().find(|check| check.check == "schedule").unwrap().remedy.unwrap();
    for part in [
        "`aws scheduler get-schedule --region us-east-1 --name snapferry-SweepTimer-1A2B --query '{Name:Name,",
        "> schedule.json`, and `aws scheduler update-schedule --region us-east-1 --cli-input-json file://schedule.json --state ENABLED`",
    ] {
        assert!(remedy.contains(part), "{remedy}");
    }
}
