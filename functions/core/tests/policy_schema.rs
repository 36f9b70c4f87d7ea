//! `policy.schema.json`, which editors and the CDK construct check policies with, against the parser.
//!
//! What the parser takes, the schema takes. What the parser refuses, the schema refuses, except for what no schema can
//! say: those rules are listed here, and one that the schema has learnt to say must leave the list.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic is how a test fails, in its helpers too"
)]

use std::collections::BTreeSet;
use std::sync::LazyLock;

use jsonschema::Validator;
use proptest::prelude::*;
use serde_json::{Value, json};
use snapferry_core::policy::{self, MAX_TAGS_TO_ADD};

const SCHEMA: &str = include_str!("../policy.schema.json");
const ANSWER: &str = include_str!("fixtures/policies/get-lifecycle-policy.json");
const SEVERAL: &str = include_str!("fixtures/policies/several.json");
const BARE: &str = include_str!("fixtures/policies/cross-account-copy.json");
const DATABASES: &str = include_str!("fixtures/policies/databases.json");
const EXAMPLE: &str = include_str!("../../../infra/policy.example.json");

/// The cases of the parser's own test: see there.
const MEMBERS: &str = include_str!("fixtures/policies/errors.txt");

const COPY: &str = "/Policy/PolicyDetails/Actions/0/CrossRegionCopy/0";

/// What no schema can say, by a part of the parser's message.
const BEYOND_A_SCHEMA: [(&str, &str); 8] = [
    (".DescriptionRegex: ", "the syntax of a regex"),
    (" in the partition aws", "one member against another"),
    (", but the Target is ", "one member against another"),
    ("found floating point `15.0`", "JSON Schema takes it for a whole number"),
    (" stands twice", "one member against another"),
    ("is also the Target of", "one member against another"),
    ("may outlast the retention", "one member against another"),
    ("no SnapshotOwner of this policy", "one member against another"),
];

static VALIDATOR: LazyLock<Validator> = LazyLock::new(|| {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    jsonschema::meta::validate(&schema).unwrap();
    jsonschema::draft202012::new(&schema).unwrap()
});

fn reason_beyond(message: &str) -> Option<&'static str> {
    BEYOND_A_SCHEMA.iter().find(|(part, _)| message.contains(part)).map(|(part, _)| *part)
}

/// `document` with the value at `pointer` replaced, or a member added.
fn edited(document: &str, pointer: &str, value: Value) -> Value {
    let mut root: Value = serde_json::from_str(document).unwrap();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match root.pointer_mut(parent).unwrap() {
        Value::Object(members) => drop(members.insert(name.to_owned(), value)),
        Value::Array(items) => items[name.parse::<usize>().unwrap()] = value,
        other => panic!("{parent} is {other}"),
    }
    root
}

/// The parser and the schema agree on `document`.
fn assert_agreement(document: &Value) {
    let said = VALIDATOR.iter_errors(document).map(|error| error.to_string()).collect::<Vec<_>>().join("; ");
    match policy::parse(&document.to_string()) {
        Ok(_) => assert!(said.is_empty(), "the parser takes what the schema refuses: {said}\n{document}"),
        Err(error) if reason_beyond(&error.to_string()).is_some() => {
            assert!(said.is_empty(), "the schema says it after all: {said}\n{error}");
        }
        Err(error) => assert!(!said.is_empty(), "the schema takes what the parser refuses: {error}\n{document}"),
    }
}

#[test]
fn what_is_accepted_validates() {
    for document in [ANSWER, SEVERAL, BARE, DATABASES, EXAMPLE] {
        policy::parse(document).unwrap();
        let document: Value = serde_json::from_str(document).unwrap();
        let errors: Vec<String> = VALIDATOR.iter_errors(&document).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}");
    }
}

#[test]
fn what_is_refused_does_not() {
    let (mut section, mut cases) = ("", 0);
    let mut beyond = BTreeSet::new();
    for line in MEMBERS.lines() {
        if let Some(pointer) = line.strip_prefix("@ ") {
            section = pointer.trim_end_matches('/');
        } else if let Some((name, value)) = line.split_once(" = ").filter(|_| !line.starts_with(' ')) {
            let pointer = if name == "." { section.to_owned() } else { format!("{section}/{name}") };
            let document = edited(ANSWER, &pointer, serde_json::from_str(value).unwrap());
            beyond.extend(reason_beyond(&policy::parse(&document.to_string()).unwrap_err().to_string()));
            assert_agreement(&document);
            cases += 1;
        }
    }
    assert!(cases > 120, "{cases}");
    assert!(beyond.len() >= 4, "{beyond:?}");
}

#[test]
fn the_forms() {
    for document in [
        json!({}),
        json!([]),
        json!([{}]),
        json!([[]]),
        json!([null]),
        json!(null),
        json!(1),
        json!(""),
        json!({ "PolicyDetails": {} }),
        json!([{ "PolicyDetails": {} }]),
        json!({ "Policies": [] }),
        edited(SEVERAL, "/1/Policy/PolicyId", Value::Null),
        edited(SEVERAL, "/1/Policy/State", json!("DISABLED")),
        edited(BARE, "/EventSource/Parameters/DescriptionRegex", Value::Null),
        edited(ANSWER, "/Policy/PolicyId", Value::Null),
    ] {
        assert_agreement(&document);
    }
}

#[test]
fn what_is_said_of_databases() {
    let parameters = "/Policy/PolicyDetails/EventSource/Parameters";
    for (name, value) in [
        ("SourceTypes", json!(["DB_SNAPSHOT"])),
        ("SourceTypes", json!(["DB_SNAPSHOT", "EBS_SNAPSHOT"])),
        // A filter of databases, without any.
        ("SourceTypes", json!(["EBS_SNAPSHOT"])),
        ("SourceTypes", Value::Null),
        ("SourceTypes", json!([])),
        ("DatabaseFilter", Value::Null),
        ("DatabaseFilter", json!({})),
        ("DatabaseFilter", json!({ "SnapshotRegex": null, "DatabaseRegex": "orders", "Engines": null })),
        ("DatabaseFilter", json!({ "Engines": [] })),
        ("DatabaseFilter", json!({ "Engines": ["mysql", "neptune"] })),
        ("DatabaseFilter", json!({ "Engines": ["docdb"] })),
        ("DatabaseFilter", json!({ "Engines": ["PostgreSQL"] })),
        ("DatabaseFilter", json!({ "Engines": ["custom-oracle-ee-cdb"] })),
        ("DatabaseFilter", json!({ "SnapshotRegex": "a".repeat(1001) })),
        ("DatabaseFilter", json!({ "Snapshot": "a" })),
        ("DatabaseFilter", json!([])),
    ] {
        assert_agreement(&edited(DATABASES, &format!("{parameters}/{name}"), value));
    }
}

#[test]
fn the_lengths() {
    let tags = |count: usize| -> Value { (0..count).map(|n| json!({ "Key": format!("k{n}"), "Value": "" })).collect() };
    for (name, value) in [
        ("TagsToAdd", tags(MAX_TAGS_TO_ADD)),
        ("TagsToAdd", tags(MAX_TAGS_TO_ADD + 1)),
        ("TagsToAdd", json!([{ "Key": "ß".repeat(127), "Value": "ß".repeat(256) }])),
        ("TagsToAdd", json!([{ "Key": "ß".repeat(128), "Value": "" }])),
        ("TagsToAdd", json!([{ "Key": "x", "Value": "ß".repeat(257) }])),
        ("TagsToAdd", json!([{ "Key": "Übung 一 ٣ ½ +-=._:/@", "Value": "a\u{301}" }])),
        ("TagsToAdd", json!([{ "Key": "x", "Value": "a\n" }])),
        ("Target", json!("eu-east-9")),
        ("Target", json!(format!("{}-east-1", "a".repeat(25)))),
        ("Target", json!(format!("{}-east-1", "a".repeat(26)))),
        ("Target", json!("eu-central-1\n")),
    ] {
        // Without the key, which is in the Target's Region.
        let document = edited(ANSWER, &format!("{COPY}/EncryptionConfiguration"), json!({ "Encrypted": true }));
        assert_agreement(&edited(&document.to_string(), &format!("{COPY}/{name}"), value));
    }
    let parameters = "/Policy/PolicyDetails/EventSource/Parameters";
    for length in [1000, 1001] {
        let document = edited(ANSWER, &format!("{parameters}/DescriptionRegex"), json!("é".repeat(length)));
        let is_valid = length == 1000;
        assert_eq!(VALIDATOR.is_valid(&document), is_valid, "{length}");
        assert_eq!(policy::parse(&document.to_string()).is_ok(), is_valid, "{length}");
    }
}

fn unit() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["DAYS", "WEEKS", "MONTHS", "YEARS", "HOURS"])
}

/// Numbers around each limit.
fn count() -> impl Strategy<Value = i64> {
    prop::sample::select(vec![0_i64, 15, 72, 99, 1000, 1199, 2880, 5200, 36_500]).prop_flat_map(|at| at - 2..=at + 2)
}

proptest! {
    #[test]
    fn rules_around_their_limits(
        unit in unit(), count in count(), keep in count(), mode in prop::sample::select(vec!["governance", "compliance"]),
        cool_off in prop::option::of(count()), minutes in count(), blocks in 9_990_i64..10_010, outlive in any::<bool>(),
    ) {
            let rule = json!({ "Interval": count, "IntervalUnit": unit, "KeepAtLeast": keep });
        assert_agreement(&edited(ANSWER, &format!("{COPY}/RetainRule"), rule));
        let mut lock = json!({ "Mode": mode, "Interval": count, "IntervalUnit": unit, "MayOutliveRetention": outlive });
        lock["CoolOffPeriod"] = json!(cool_off);
        assert_agreement(&edited(ANSWER, &format!("{COPY}/LockRule"), lock));
        assert_agreement(&edited(ANSWER, &format!("{COPY}/CompletionDurationMinutes"), json!(minutes)));
        assert_agreement(&edited(ANSWER, &format!("{COPY}/ProofRule"), json!({ "Blocks": blocks, "Compare": outlive })));
    }
}
