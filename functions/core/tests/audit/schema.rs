//! `audit.schema.json` describes every line, and nothing that no line has.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::{Map, Value, json};
use snapferry_core::audit::{Chain, Environment, Event, Reason, SCHEMA};

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
    let mut chain = Chain::new(Environment::new(now(), 7)).with_owner_metrics(true);
    every_record().iter().map(|record| serde_json::from_str(&chain.line(record)).unwrap()).collect()
}

#[test]
fn every_line_is_described() {
    for line in lines() {
        assert_eq!(complaints(&line), Vec::<String>::new(), "{line}");
    }
}

#[test]
fn every_reason_that_is_listed_can_be_given() {
    let given: BTreeSet<Reason> = every_record().into_iter().map(|record| record.reason).collect();
    let never: Vec<_> = Reason::ALL.iter().filter(|reason| !given.contains(reason)).collect();
    assert_eq!(never, Vec::<&Reason>::new());
}

/// A sweep's counts are printed in the order of their types, and always were in that of their names.
#[test]
fn the_reasons_of_an_event_stand_in_the_order_of_their_names() {
    let named = |reason: &Reason| (reason.event(), reason.name());
    assert!(Reason::ALL.is_sorted_by_key(named), "{:?}", Reason::ALL);
}

/// The schema with the lists of the events and of each event's reasons as the table has them.
fn listed(schema: &str) -> String {
    let choice =
        |name: &str, words: &str| format!("        {{\"const\": {}, \"description\": {}}}", json!(name), json!(words));
    let events: Vec<_> = Event::ALL.iter().map(|event| choice(event.name(), event.meaning())).collect();
    let mut schema = with_list(schema, "\"description\": \"What happened.\",\n      \"oneOf\": [\n", &events);
    for event in Event::ALL {
        let reasons = Reason::ALL.iter().filter(|reason| reason.event() == *event);
        let told =
            |reason: &Reason| [reason.meaning()].into_iter().chain(reason.next().words()).collect::<Vec<_>>().join(" ");
        let reasons: Vec<_> = reasons.map(|reason| choice(reason.name(), &told(reason))).collect();
        schema = with_list(&schema, &format!("\"{}\": {{\n      \"oneOf\": [\n", event.name()), &reasons);
    }
    schema
}

fn with_list(schema: &str, begin: &str, choices: &[String]) -> String {
    let (before, rest) = schema.split_once(begin).unwrap_or_else(|| panic!("the schema has no list after {begin:?}"));
    let (_, after) = rest.split_once("\n      ]").unwrap();
    format!("{before}{begin}{}\n      ]{after}", choices.join(",\n"))
}

#[test]
fn the_schema_lists_the_reasons_and_what_follows_from_them() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("audit.schema.json");
    let listed = listed(SCHEMA);
    if std::env::var_os("RECORD_AUDIT_SCHEMA").is_some() {
        fs::write(&path, &listed).unwrap();
    }
    let stands = fs::read_to_string(&path).unwrap();
    assert!(listed == stands, "set RECORD_AUDIT_SCHEMA and test again to list the reasons in {} anew", path.display());
}

#[test]
fn the_schema_holds_each_event_to_its_own_reasons() {
    for event in Event::ALL {
        let schema = schema();
        let rules = schema["allOf"].as_array().unwrap();
        let rule = rules.iter().find(|rule| rule["if"]["properties"]["event"]["const"] == event.name()).unwrap();
        let reference = json!(format!("#/$defs/{}", event.name()));
        assert_eq!(rule["then"]["properties"]["reason"]["$ref"], reference);
    }
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
