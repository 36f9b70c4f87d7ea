//! Readers of the last released schema can read today's lines, and today's schema describes the lines of old.

use serde_json::{Map, Value, json};

use crate::schema::schema;

const RELEASED: &str = include_str!("../fixtures/audit.schema.released.json");

/// Words for people: they may be put better.
const WORDS: [&str; 4] = ["title", "description", "$comment", "examples"];
/// Members of these may be added.
const MAY_GROW: [&str; 2] = ["properties", "$defs"];

/// What `now` breaks of what was `released`. Everything stays as it was (types, bounds, patterns, what is required), but
/// for words, and but for additions: members, definitions, and alternatives that are constants.
fn breaks(released: &Value, now: &Value, path: &str) -> Vec<String> {
    match (released, now) {
        (Value::Object(released), Value::Object(now)) => object_breaks(released, now, path),
        (released, now) if released == now => Vec::new(),
        (released, now) => vec![format!("{path}: {released} became {now}")],
    }
}

fn object_breaks(released: &Map<String, Value>, now: &Map<String, Value>, path: &str) -> Vec<String> {
    let is_container = MAY_GROW.iter().any(|name| path.ends_with(&format!("/{name}")));
    let mut found = Vec::new();
    for (name, old) in released.iter().filter(|(name, _)| is_container || !WORDS.contains(&name.as_str())) {
        let path = format!("{path}/{name}");
        match now.get(name) {
            None => found.push(format!("{path}: gone")),
            Some(new) if !is_container && ["oneOf", "enum", "allOf"].contains(&name.as_str()) => {
                found.extend(list_breaks(old, new, &path));
            }
            Some(new) if !is_container && name == "required" => found.extend(set_breaks(old, new, &path)),
            Some(new) => found.extend(breaks(old, new, &path)),
        }
    }
    if !is_container {
        let added = now.keys().filter(|name| !released.contains_key(*name) && !WORDS.contains(&name.as_str()));
        found.extend(added.map(|name| format!("{path}/{name}: new")));
    }
    found
}

/// Each old alternative is still there, whatever its words.
fn list_breaks(released: &Value, now: &Value, path: &str) -> Vec<String> {
    let (released, now) = (released.as_array().unwrap(), now.as_array().unwrap());
    let kept = |old: &Value| now.iter().any(|new| breaks(old, new, path).is_empty());
    released.iter().filter(|old| !kept(old)).map(|old| format!("{path}: {old} is gone or changed")).collect()
}

fn set_breaks(released: &Value, now: &Value, path: &str) -> Vec<String> {
    let names = |list: &Value| -> Vec<String> {
        let mut names: Vec<_> = list.as_array().unwrap().iter().map(Value::to_string).collect();
        names.sort();
        names
    };
    let (released, now) = (names(released), names(now));
    if released == now { Vec::new() } else { vec![format!("{path}: {released:?} became {now:?}")] }
}

#[test]
fn nothing_that_readers_rely_on_has_changed() {
    let released: Value = serde_json::from_str(RELEASED).unwrap();
    assert_eq!(breaks(&released, &schema(), ""), Vec::<String>::new());
}

/// The schema with one change made.
fn changed(change: impl Fn(&mut Value)) -> Value {
    let mut changed = schema();
    change(&mut changed);
    changed
}

#[test]
fn additions_break_nobody() {
    let added = changed(|schema| {
        schema["properties"]["extra"] = json!({"type": "string"});
        schema["properties"]["source"]["properties"]["extra"] = json!({"type": "string"});
        schema["$defs"]["copy.kept"]["oneOf"].as_array_mut().unwrap().push(json!({"const": "out-of-love"}));
        schema["properties"]["event"]["oneOf"].as_array_mut().unwrap().push(json!({"const": "copy.dreamt"}));
        schema["properties"]["copy"]["properties"]["status"]["enum"].as_array_mut().unwrap().push(json!("dreamt"));
        schema["allOf"].as_array_mut().unwrap().push(json!({"if": true}));
        schema["$defs"]["copy.dreamt"] = json!({"oneOf": [{"const": "asleep"}]});
        schema["properties"]["reason"]["description"] = json!("Better words.");
        schema["$defs"]["copy.kept"]["oneOf"][0]["description"] = json!("Better words.");
    });
    assert_eq!(breaks(&schema(), &added, ""), Vec::<String>::new());
}

#[test]
fn every_change_that_breaks_a_reader_or_an_archive_is_found() {
    let at = |path: &'static str, value: Value| {
        changed(move |schema| {
            let (parent, name) = path.rsplit_once('/').unwrap();
            let parent = schema.pointer_mut(parent).unwrap();
            match (&value, parent) {
                (Value::Null, Value::Object(members)) => assert!(members.remove(name).is_some(), "{path}"),
                (Value::Null, Value::Array(items)) => drop(items.remove(name.parse().unwrap())),
                (value, parent) => parent[name] = value.clone(),
            }
        })
    };
    for (what, now) in [
        ("a member is removed", at("/properties/message", Value::Null)),
        ("an inner member is removed", at("/properties/source/properties/volume", Value::Null)),
        ("an event is removed", at("/properties/event/oneOf/3", Value::Null)),
        ("a reason is removed", at("/$defs/copy.kept/oneOf/3", Value::Null)),
        ("a reason is renamed", at("/$defs/copy.kept/oneOf/3/const", json!("other"))),
        ("a status is removed", at("/properties/copy/properties/status/enum/0", Value::Null)),
        ("a type changes", at("/properties/count/$ref", json!("#/$defs/seconds"))),
        ("a type widens", at("/properties/message/type", json!(["string", "null"]))),
        ("a bound grows: no room in a column", at("/properties/body/maxLength", json!(99_999))),
        ("a bound shrinks: old lines no longer fit", at("/properties/body/maxLength", json!(10))),
        ("a bound goes", at("/properties/body/maxLength", Value::Null)),
        ("a pattern changes", at("/$defs/account/pattern", json!(".*"))),
        ("what was always there may be absent", at("/required/0", Value::Null)),
        ("an event's members become optional", at("/allOf/0/then/required/0", Value::Null)),
        ("strangers are let in", at("/additionalProperties", json!(true))),
        ("a condition goes", at("/allOf/0", Value::Null)),
    ] {
        assert_ne!(breaks(&schema(), &now, ""), Vec::<String>::new(), "{what}");
    }
    let demanding = changed(|schema| schema["required"].as_array_mut().unwrap().push(json!("policy")));
    assert_ne!(breaks(&schema(), &demanding, ""), Vec::<String>::new(), "what was absent in old lines is required");
}
