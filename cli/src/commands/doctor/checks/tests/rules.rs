//! The rules, and what they take.

use super::stack::stack_otherwise;
use super::*;
use crate::commands::doctor::facts::Rule;

pub(super) fn of_template(part: Part) -> Rule {
    let pattern = in_template(part, "/Properties/EventPattern");
    Rule { state: "ENABLED".to_owned(), pattern: pattern.to_string() }
}

/// What is found when a rule is otherwise.
fn with(part: Part, rule: Result<Rule, CallError>) -> Vec<String> {
    stack_otherwise(|stack| drop(stack.rules.insert(part, rule)))
}

#[test]
fn a_rule_that_is_off_or_gone() {
    for part in Part::RULES {
        let name = part.of_template().1;
        let off = |state: &str| Ok(Rule { state: state.to_owned(), ..of_template(part) });
        assert_eq!(with(part, off("DISABLED")), [format!("Fail rule {name}")]);
        assert_eq!(with(part, off("ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS")), [""; 0]);
        assert_eq!(with(part, Err(error("ResourceNotFoundException", ""))), [format!("Fail rule {name}")]);
        assert_eq!(with(part, Err(error("AccessDenied", ""))), [format!("Unknown rule {name}")]);
    }
}

#[test]
fn a_rule_that_takes_other_events() {
    for part in Part::RULES {
        let fail = [format!("Fail rule-pattern {}", part.of_template().1)];
        let pattern = of_template(part).pattern;
        let with = |pattern: String| with(part, Ok(Rule { pattern, ..of_template(part) }));
        for (from, to) in [
            ("aws.ec2", "aws.s3"),
            ("Snapshot\"", "Snapshots\""),
            ("\"detail\":{", "\"resources\":[\"none\"],\"detail\":{"),
            ("Notification\"]", "Notification\",\"Another\"]"),
        ] {
            let changed = pattern.replace(from, to);
            if changed != pattern {
                assert_eq!(with(changed), fail, "{from} {to}");
            }
        }
        assert_eq!(with(String::new()), fail);
        assert_eq!(with("{".to_owned()), fail);
    }
    // The values of a member are alternatives, in any order.
    let pattern: serde_json::Value = serde_json::from_str(&of_template(Part::CopyRule).pattern).unwrap();
    let mut turned = pattern.clone();
    turned["detail"]["source"].as_array_mut().unwrap().reverse();
    assert_ne!(turned, pattern);
    let turned = Rule { pattern: turned.to_string(), ..of_template(Part::CopyRule) };
    assert_eq!(with(Part::CopyRule, Ok(turned)), [""; 0]);
}

#[test]
fn the_remedy_is_the_command_that_puts_it_back() {
    let mut facts = facts();
    let stack = facts.stack.as_mut().unwrap().1.as_mut().unwrap();
    stack.rules.insert(Part::ShareRule, Ok(Rule { state: "DISABLED".to_owned(), pattern: "{}".to_owned() }));
    let found = checks(&facts, &policies(""));
    let remedy = |name: &str| {
        let of_rule = found.iter().find(|check| check.check == name && check.subject == "ShareRule");
        of_rule.unwrap().remedy.clone().unwrap()
    };
    let name = "--region us-east-1 --name snapferry-ShareRule-1A2B";
    assert!(remedy("rule").contains(&format!("`aws events enable-rule {name}`")), "{}", remedy("rule"));
    let pattern = remedy("rule-pattern");
    let (_, pattern) = pattern.split_once(&format!("`aws events put-rule {name} --event-pattern '")).unwrap();
    let (pattern, _) = pattern.split_once("'`").unwrap();
    let [given, wanted] = [pattern, &of_template(Part::ShareRule).pattern]
        .map(|text| serde_json::from_str::<serde_json::Value>(text).unwrap());
    assert_eq!(given, wanted);
}
