//! `audit.schema.json` describes every line, and nothing that no line has.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::{Map, Value, json};
use snapferry_core::audit::{Chain, Environment, Event, REASONS, SCHEMA};

use crate::every_record;
use crate::world::now;

pub(crate) fn schema() -> Value {
    serde_json::from_str(SCHEMA).unwrap()
}

pub(crate) static VALIDATOR: LazyLock<Validator> = LazyLock::new(|| jsonschema::validator_for(&schema()).unwrap());

pub(crate) fn complaints(line: &Value) -> Vec<String> {
    VALIDATOR.iter_errors(line).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

fn lines() -> Vec<Value> {
    let mut chain = Chain::new(Environment::new(now(), 7));
    every_record().iter().map(|record| serde_json::from_str(&chain.line(record)).unwrap()).collect()
}

fn named(event: Event) -> String {
    serde_json::to_value(event).unwrap().as_str().unwrap().to_owned()
}

#[test]
fn every_line_is_described() {
    for line in lines() {
        assert_eq!(complaints(&line), Vec::<String>::new(), "{line}");
    }
}

#[test]
fn every_reason_that_is_listed_can_be_given() {
    let given: BTreeSet<(String, String)> =
        every_record().into_iter().map(|record| (named(record.event), record.reason.to_owned())).collect();
    let listed: BTreeSet<(String, String)> = REASONS
        .iter()
        .flat_map(|(event, reasons)| reasons.iter().map(|(reason, _)| (named(*event), (*reason).to_owned())))
        .collect();
    assert_eq!(listed.difference(&given).collect::<Vec<_>>(), Vec::<&(String, String)>::new());
    assert_eq!(given.difference(&listed).collect::<Vec<_>>(), Vec::<&(String, String)>::new());
}

#[test]
fn the_schema_lists_the_reasons_and_their_meanings() {
    let schema = schema();
    let told = |choices: &Value| -> Vec<(String, String)> {
        let text = |choice: &Value, member: &str| choice[member].as_str().unwrap_or_default().to_owned();
        let choices = choices["oneOf"].as_array().cloned().unwrap_or_default();
        choices.iter().map(|choice| (text(choice, "const"), text(choice, "description"))).collect()
    };
    for (event, reasons) in REASONS {
        let expected: Vec<_> =
            reasons.iter().map(|(reason, meaning)| ((*reason).to_owned(), (*meaning).to_owned())).collect();
        assert_eq!(told(&schema["$defs"][named(*event)]), expected, "$defs of {}", named(*event));
        let reference = json!(format!("#/$defs/{}", named(*event)));
        let rules = schema["allOf"].as_array().unwrap();
        let rule = rules.iter().find(|rule| rule["if"]["properties"]["event"]["const"] == named(*event));
        assert_eq!(rule.unwrap()["then"]["properties"]["reason"]["$ref"], reference);
    }
    let events: Vec<String> = told(&schema["properties"]["event"]).into_iter().map(|(event, _)| event).collect();
    assert_eq!(events, REASONS.iter().map(|(event, _)| named(*event)).collect::<Vec<_>>());
}

/// The members of all lines by their path, such as `source.volume`.
fn paths(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            found.insert(path.clone());
            paths(value, &path, found);
        }),
        Value::Array(values) => values.iter().for_each(|value| paths(value, path, found)),
        _ => {}
    }
}

fn described(schema: &Map<String, Value>, path: &str, found: &mut BTreeSet<String>) {
    for (name, member) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        found.insert(path.clone());
        described(member.as_object().unwrap(), &path, found);
    }
    if let Some(items) = schema.get("items").and_then(Value::as_object) {
        described(items, path, found);
    }
}

#[test]
fn nothing_is_described_that_no_line_has() {
    let (mut written, mut promised) = (BTreeSet::new(), BTreeSet::new());
    lines().iter().for_each(|line| paths(line, "", &mut written));
    described(schema().as_object().unwrap(), "", &mut promised);
    assert_eq!(promised.difference(&written).collect::<Vec<_>>(), Vec::<&String>::new());
}

#[test]
fn what_no_line_may_be_is_refused() {
    let started = lines().into_iter().find(|line| line["event"] == "copy.started").unwrap();
    let spoilt = |path: &str, value: Value| {
        let mut line = started.clone();
        *line.pointer_mut(path).unwrap() = value;
        line
    };
    let without = |member: &str| {
        let mut line = started.clone();
        line.as_object_mut().unwrap().remove(member);
        line
    };
    let mut more = started.clone();
    more["surprise"] = json!(1);
    let wrong = BTreeMap::from([
        ("another event's reason", spoilt("/reason", json!("swept"))),
        ("a reason that is not listed", spoilt("/reason", json!("because"))),
        ("an event that is not listed", spoilt("/event", json!("copy.dreamt"))),
        ("another format", spoilt("/audit", json!("snapferry/2"))),
        ("no time", without("time")),
        ("no version", without("version")),
        ("a time that is none", spoilt("/time", json!("yesterday"))),
        ("no policy", without("policy")),
        ("a member that is not described", more),
        ("an endless description", spoilt("/source/description", json!("x".repeat(3000)))),
        ("an account that is none", spoilt("/source/account", json!("root"))),
        ("a metric that is no number", spoilt("/CopiesStarted", json!("1"))),
    ]);
    for (what, line) in wrong {
        assert_ne!(complaints(&line), Vec::<String>::new(), "{what}: {line}");
    }
}
