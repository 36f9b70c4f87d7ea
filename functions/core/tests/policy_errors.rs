//! Each rule of the policy document, with the one line that stops a cold start.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic is how a test fails, in its helpers too"
)]

use serde_json::{Value, json};
use snapferry_core::policy::{self, MAX_DOCUMENT_BYTES, MAX_TAGS_TO_ADD, PolicyError};

const ANSWER: &str = include_str!("fixtures/policies/get-lifecycle-policy.json");
const SEVERAL: &str = include_str!("fixtures/policies/several.json");
const BARE: &str = include_str!("fixtures/policies/cross-account-copy.json");

/// The cases: a member of the answer, the value that it gets, and the message without the path of the section.
const MEMBERS: &str = include_str!("fixtures/policies/errors.txt");

const PARAMETERS: &str = "/Policy/PolicyDetails/EventSource/Parameters";
const ACTION: &str = "/Policy/PolicyDetails/Actions/0";
const COPY: &str = "/Policy/PolicyDetails/Actions/0/CrossRegionCopy/0";

fn error(document: &str) -> PolicyError {
    let error = policy::parse(document).expect_err(document);
    let line = error.to_string();
    assert!(!line.chars().any(char::is_control), "{error:?}");
    assert!(line.len() < 1000, "{error}");
    error
}

fn error_line(document: &str) -> String {
    error(document).to_string()
}

/// `document` with the value at `pointer` replaced, or a member added.
fn edited(document: &str, pointer: &str, value: Value) -> String {
    let mut root: Value = serde_json::from_str(document).unwrap();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match root.pointer_mut(parent).unwrap() {
        Value::Object(members) => drop(members.insert(name.to_owned(), value)),
        Value::Array(items) => items[name.parse::<usize>().unwrap()] = value,
        other => panic!("{parent} is {other}"),
    }
    root.to_string()
}

fn without(document: &str, pointer: &str) -> String {
    let mut root: Value = serde_json::from_str(document).unwrap();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    root.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name).unwrap();
    root.to_string()
}

/// `/Policy/Actions/0/Name` as messages write it: `Policy.Actions[0].Name`.
fn written(pointer: &str) -> String {
    let segments = pointer.split('/').filter(|segment| !segment.is_empty());
    let path = segments.map(|segment| match segment.parse::<usize>() {
        Ok(index) => format!("[{index}]"),
        Err(_) => format!(".{segment}"),
    });
    path.collect::<String>().trim_start_matches('.').to_owned()
}

#[test]
fn members() {
    let mut section = "";
    let mut lines = MEMBERS.lines();
    let mut cases = 0;
    while let Some(line) = lines.next() {
        if let Some(pointer) = line.strip_prefix("@ ") {
            section = pointer.trim_end_matches('/');
        } else if let Some((name, value)) = line.split_once(" = ") {
            let pointer = if name == "." { section.to_owned() } else { format!("{section}/{name}") };
            let found = error_line(&edited(ANSWER, &pointer, serde_json::from_str(value).unwrap()));
            let expected = format!("{}{}", written(section), lines.next().unwrap().trim_start());
            assert_eq!(found, expected, "{line}");
            cases += 1;
        }
    }
    assert!(cases > 120, "{cases}");
}

#[test]
fn targets_are_of_one_partition() {
    let copy = |region: &str| json!({ "Target": region, "EncryptionConfiguration": { "Encrypted": true } });
    let targets = |regions: &[&str]| {
        let copies: Vec<Value> = regions.iter().map(|region| copy(region)).collect();
        edited(ANSWER, "/Policy/PolicyDetails/Actions", json!([{ "Name": "copy", "CrossRegionCopy": copies }]))
    };
    for (regions, message) in [
        (
            ["us-east-1", "cn-north-1"],
            "Policy.PolicyDetails.Actions[0].CrossRegionCopy[1].Target: \"cn-north-1\" is in the partition aws-cn, but the \
             first Target us-east-1 is in the partition aws, and no snapshot can be copied from one partition to another; \
             allowed: Regions of the partition aws",
        ),
        (
            ["us-gov-west-1", "eusc-de-east-1"],
            "Policy.PolicyDetails.Actions[0].CrossRegionCopy[1].Target: \"eusc-de-east-1\" is in the partition aws-eusc, but \
             the first Target us-gov-west-1 is in the partition aws-us-gov, and no snapshot can be copied from one partition \
             to another; allowed: Regions of the partition aws-us-gov",
        ),
    ] {
        assert_eq!(error_line(&targets(&regions)), message);
    }
    for regions in [["us-gov-west-1", "us-gov-east-1"], ["cn-north-1", "cn-northwest-1"]] {
        policy::parse(&targets(&regions)).unwrap();
    }
    let sovereign = edited(
        &targets(&["eusc-de-east-1"]),
        &format!("{COPY}/EncryptionConfiguration/CmkArn"),
        json!("arn:aws-eusc:kms:eusc-de-east-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab"),
    );
    policy::parse(&sovereign).unwrap();
    // All policies of a document are one stack's.
    let [first, second] = [["us-east-1"], ["cn-north-1"]].map(|regions| targets(&regions));
    let second = edited(&second, "/Policy/PolicyId", json!("policy-2"));
    let place =
        "[1].Policy.PolicyDetails.Actions[0].CrossRegionCopy[0].Target: \"cn-north-1\" is in the partition aws-cn";
    assert!(error_line(&format!("[{first},{second}]")).starts_with(place));
}

/// An account ID that begins with 0, as AWS's own example of an event has it, is no number of JSON's.
#[test]
fn a_number_with_a_leading_zero() {
    let document = BARE.replacen("\"111111111111\"", "011111111111", 1);
    assert_ne!(document, BARE);
    let line = error_line(&document);
    let told = "the number 011111111111 begins with 0; allowed: JSON; an account ID stands in quotation marks";
    assert!(line.starts_with("policy document: not JSON: invalid number at line ") && line.ends_with(told), "{line}");
}

/// An owner's second hours are no hours of another owner that was meant: a JSON reader alone would take the last ones.
#[test]
fn hours_that_stand_twice() {
    let with = |hours: &str| {
        let owners = "\"SnapshotOwner\": [\"111111111111\"]";
        let document = BARE.replacen(owners, &format!("{owners}, \"SilentAfterHours\": {hours}"), 1);
        assert_ne!(document, BARE);
        document
    };
    policy::parse(&with("{\"111111111111\": 24}")).unwrap();
    for twice in ["{\"111111111111\": 24, \"111111111111\": 24}", "{\"111111111111\": 0, \"\\u003111111111111\": 24}"] {
        let error = error(&with(twice));
        let told = "EventSource.Parameters.SilentAfterHours.111111111111: stands twice; allowed: each member once";
        assert_eq!((error.to_string().as_str(), error.line), (told, Some(7)), "{twice}");
        assert!(error.column.unwrap() > 60, "the second one: {error:?}");
    }
}

/// Values too long to be written out in the table.
#[test]
fn lengths() {
    let too_many =
        ": 31 tags; allowed: at most 30: a snapshot has at most 50, Snapferry's own are 14, and others need room";
    for (pointer, value, expected) in [
        (
            format!("{PARAMETERS}/DescriptionRegex"),
            json!("x".repeat(1001)),
            ": 1001 characters; allowed: at most 1000 characters",
        ),
        (
            format!("{COPY}/TagsToAdd"),
            json!([{ "Key": "ß".repeat(128), "Value": "" }]),
            "[0].Key: 128 characters; allowed: 1 to 127 characters",
        ),
        (
            format!("{COPY}/TagsToAdd"),
            json!([{ "Key": "x", "Value": "ß".repeat(257) }]),
            "[0].Value: 257 characters; allowed: 0 to 256 characters",
        ),
        (format!("{COPY}/TagsToAdd"), tags(MAX_TAGS_TO_ADD + 1), too_many),
    ] {
        assert_eq!(error_line(&edited(ANSWER, &pointer, value)), format!("{}{expected}", written(&pointer)));
    }
    for (pointer, value) in [
        (format!("{PARAMETERS}/DescriptionRegex"), json!("é".repeat(1000))),
        (format!("{PARAMETERS}/SnapshotOwner"), (0..5000).map(|n| json!(format!("{n:012}"))).collect()),
        (format!("{ACTION}/Name"), json!("x".repeat(120))),
        (format!("{COPY}/TagsToAdd"), json!([{ "Key": "ß".repeat(127), "Value": "ß".repeat(256) }])),
        (format!("{COPY}/TagsToAdd"), tags(MAX_TAGS_TO_ADD)),
    ] {
        policy::parse(&edited(ANSWER, &pointer, value)).unwrap();
    }
}

/// One line stays one line, and bounded: [`error`] looks.
#[test]
fn long_values_are_cut() {
    let long = "x".repeat(100_000);
    for pointer in [
        format!("{ACTION}/Name"),
        format!("{COPY}/Target"),
        format!("{COPY}/RetainRule"),
        format!("{COPY}/{long}"),
        format!("{COPY}/CompletionDurationMinutes"),
    ] {
        error(&edited(ANSWER, &pointer, json!(long)));
    }
    error(&edited(ANSWER, &format!("{PARAMETERS}/DescriptionRegex"), json!("(".repeat(1000))));
}

fn tags(count: usize) -> Value {
    (0..count).map(|n| json!({ "Key": format!("key {n}"), "Value": "" })).collect()
}

#[test]
fn locks_against_retention() {
    for (lock, retention, expected) in [
        (json!([1, "MONTHS"]), json!([1, "MONTHS"]), None),
        (json!([12, "MONTHS"]), json!([1, "YEARS"]), None),
        (json!([28, "DAYS"]), json!([1, "MONTHS"]), None),
        (json!([30, "DAYS"]), json!([1, "MONTHS"]), Some("a lock of 30 DAYS may outlast the retention of 1 MONTHS")),
        (json!([2, "YEARS"]), json!([1, "YEARS"]), Some("a lock of 2 YEARS may outlast the retention of 1 YEARS")),
        (json!([1, "DAYS"]), Value::Null, None),
    ] {
        let mut rule = json!({ "Mode": "governance", "Interval": lock[0], "IntervalUnit": lock[1] });
        let retain = match &retention {
            Value::Null => Value::Null,
            _ => json!({ "Interval": retention[0], "IntervalUnit": retention[1] }),
        };
        let document = edited(ANSWER, &format!("{COPY}/RetainRule"), retain);
        let found = policy::parse(&edited(&document, &format!("{COPY}/LockRule"), rule.clone()));
        match expected {
            None => drop(found.unwrap()),
            Some(message) => {
                let line = found.unwrap_err().to_string();
                let allowed = "a shorter lock, or \"MayOutliveRetention\": true";
                let path = written(&format!("{COPY}/LockRule/Interval"));
                assert_eq!(line, format!("{path}: {message}; allowed: {allowed}"));
            }
        }
        rule["MayOutliveRetention"] = json!(true);
        policy::parse(&edited(&document, &format!("{COPY}/LockRule"), rule)).unwrap();
    }
}

#[test]
fn a_region_stands_once_in_a_policy() {
    let twice = edited(BARE, "/Actions/0/CrossRegionCopy/1/Target", json!("sa-east-1"));
    let twice = edited(&twice, "/Actions/0/CrossRegionCopy/1/EncryptionConfiguration", json!({ "Encrypted": true }));
    insta::assert_snapshot!(error_line(&twice), @r#"Actions[0].CrossRegionCopy[1].Target: "sa-east-1" is also the Target of Actions[0].CrossRegionCopy[0]; allowed: each Region once in a policy, across its actions"#);
    let across_actions =
        edited(SEVERAL, "/0/Policy/PolicyDetails/Actions/1/CrossRegionCopy/0/Target", json!("eu-west-1"));
    insta::assert_snapshot!(error_line(&across_actions), @r#"[0].Policy.PolicyDetails.Actions[1].CrossRegionCopy[0].Target: "eu-west-1" is also the Target of [0].Policy.PolicyDetails.Actions[0].CrossRegionCopy[0]; allowed: each Region once in a policy, across its actions"#);
}

#[test]
fn policies_of_an_array_have_ids_of_their_own() {
    insta::assert_snapshot!(error_line(&without(SEVERAL, "/1/Policy/PolicyId")), @r#"[1].Policy.PolicyId: missing; allowed: in an array, every policy has its own PolicyId"#);
    let equal = edited(SEVERAL, "/1/Policy/PolicyId", json!("policy-0123456789abcdef0"));
    insta::assert_snapshot!(error_line(&equal), @r#"[1].Policy.PolicyId: "policy-0123456789abcdef0" is also that of [0]; allowed: in an array, every policy has its own PolicyId"#);
}

#[test]
fn forms() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let large = format!("{BARE}{}", " ".repeat(MAX_DOCUMENT_BYTES));
    let lines = [
        "",
        " \n",
        "{",
        "[",
        "[]",
        "[{}]",
        "[[]]",
        "[null]",
        "null",
        "1",
        "\"\"",
        "{}",
        "{\"Policy\": {}} x",
        "{\"Policy\": {\"State\": \"ENABLED\", \"State\": \"DISABLED\"}}",
        "{\"PolicyDetails\": {}}",
        "[{\"PolicyDetails\": {}}]",
        "{\"Policies\": []}",
        "{'PolicyType': 1}",
        "{\"PolicyType\": 1e999}",
        "{\"PolicyType\": \"\u{7}\"}",
        "\u{feff}\u{feff}{}",
        deep.as_str(),
        large.as_str(),
    ]
    .map(|document| {
        let shown: String = document.chars().take(60).collect();
        format!("{shown:?}\n    {}", error_line(document))
    });
    insta::assert_snapshot!(lines.join("\n"), @r#"
    ""
        policy document: not JSON: EOF while parsing a value at line 1 column 0; allowed: PolicyDetails of an event-based policy, {"Policy": {…}} as `aws dlm get-lifecycle-policy` answers, or an array of such answers
    " \n"
        policy document: not JSON: EOF while parsing a value at line 2 column 0; allowed: PolicyDetails of an event-based policy, {"Policy": {…}} as `aws dlm get-lifecycle-policy` answers, or an array of such answers
    "{"
        policy document: not JSON: EOF while parsing an object at line 1 column 1; allowed: JSON
    "["
        policy document: not JSON: EOF while parsing a list at line 1 column 1; allowed: JSON
    "[]"
        policy document: an empty array; allowed: at least one policy
    "[{}]"
        [0]: has no member "Policy"; allowed: {"Policy": {"PolicyId": …, "PolicyDetails": {…}}}
    "[[]]"
        [0]: has no member "Policy"; allowed: {"Policy": {"PolicyId": …, "PolicyDetails": {…}}}
    "[null]"
        [0]: has no member "Policy"; allowed: {"Policy": {"PolicyId": …, "PolicyDetails": {…}}}
    "null"
        policy document: neither an object nor an array; allowed: PolicyDetails of an event-based policy, {"Policy": {…}} as `aws dlm get-lifecycle-policy` answers, or an array of such answers
    "1"
        policy document: neither an object nor an array; allowed: PolicyDetails of an event-based policy, {"Policy": {…}} as `aws dlm get-lifecycle-policy` answers, or an array of such answers
    "\"\""
        policy document: neither an object nor an array; allowed: PolicyDetails of an event-based policy, {"Policy": {…}} as `aws dlm get-lifecycle-policy` answers, or an array of such answers
    "{}"
        PolicyType: missing, which to DLM means EBS_SNAPSHOT_MANAGEMENT; allowed: EVENT_BASED_POLICY
    "{\"Policy\": {}} x"
        policy document: not JSON: trailing characters at line 1 column 16; allowed: JSON
    "{\"Policy\": {\"State\": \"ENABLED\", \"State\": \"DISABLED\"}}"
        Policy.State: stands twice; allowed: each member once
    "{\"PolicyDetails\": {}}"
        policy document: "PolicyDetails" stands outside of "Policy"; allowed: {"Policy": {"PolicyDetails": {…}}}, or PolicyDetails alone
    "[{\"PolicyDetails\": {}}]"
        [0]: "PolicyDetails" stands outside of "Policy"; allowed: {"Policy": {"PolicyDetails": {…}}}, or PolicyDetails alone
    "{\"Policies\": []}"
        Policies: unknown member; allowed: PolicyType, PolicyLanguage, EventSource, Actions, ResourceTypes, ResourceLocations, TargetTags, Schedules, Parameters, ResourceType, CreateInterval, RetainInterval, CopyTags, CrossRegionCopyTargets, ExtendDeletion, Exclusions
    "{'PolicyType': 1}"
        policy document: not JSON: key must be a string at line 1 column 2; allowed: JSON
    "{\"PolicyType\": 1e999}"
        policy document: not JSON: number out of range at line 1 column 20; allowed: JSON
    "{\"PolicyType\": \"\u{7}\"}"
        policy document: not JSON: control character (\u0000-\u001F) found while parsing a string at line 1 column 17; allowed: JSON
    "\u{feff}\u{feff}{}"
        policy document: not JSON: expected value at line 1 column 1; allowed: JSON
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
        policy document: not JSON: recursion limit exceeded at line 1 column 128; allowed: JSON
    "{\n  \"PolicyType\": \"EVENT_BASED_POLICY\",\n  \"EventSource\": {\n "
        policy document: 1049377 bytes; allowed: at most 1048576 bytes
    "#);
}

/// A bare document's paths start at its own members, an array's with the index.
#[test]
fn paths_are_those_of_the_document() {
    insta::assert_snapshot!(error_line(&edited(BARE, "/PolicyType", json!("x"))), @r#"PolicyType: "x"; allowed: EVENT_BASED_POLICY"#);
    insta::assert_snapshot!(error_line(&edited(SEVERAL, "/1/Policy/State", json!("x"))), @r#"[1].Policy.State: "x"; allowed: ENABLED, DISABLED, ERROR"#);
    insta::assert_snapshot!(error_line(&edited(BARE, "/Policy\n\u{1b}[31mType", json!("x"))), @r#"["Policy\n\u{1b}[31mType"]: unknown member; allowed: PolicyType, PolicyLanguage, EventSource, Actions, ResourceTypes, ResourceLocations, TargetTags, Schedules, Parameters, ResourceType, CreateInterval, RetainInterval, CopyTags, CrossRegionCopyTargets, ExtendDeletion, Exclusions"#);
}

/// For a caret: the line and the column of what is wrong.
#[test]
fn places() {
    for (from, to, marked) in [
        ("\"sa-east-1\"", "   \"sa-esat-1\"", "\"sa-esat-1\""),
        ("\"Interval\": 3", "\"Interval\" :\n\n  -3", "-3"),
        ("\"Interval\": 3", "\"Interval\": \"3\"", "\"3\""),
        ("\"Encrypted\": true", "\"Encrypted\": true, \"Größe\": 1", "\"Größe\""),
        ("[\"111111111111\"]", "[\"111111111111\", /* x */", "/* x */"),
        ("[\"111111111111\"]", "[\"111111111111\",\t12]", "12]"),
        ("[\"111111111111\"]", "[], \"DescriptionRegex\": \"é\",\t\"Not\": 1", "\"Not\""),
        // The place of what is missing is that of the object that it is missing from.
        ("\"Encrypted\": false", "", "{  },"),
        ("\"PolicyType\": \"EVENT_BASED_POLICY\",", "", "{\n"),
        (
            "\"Encrypted\": false",
            "\"Encrypted\": true }, \"RetainRule\": { \"Interval\": 1, \"IntervalUnit\": \"DAYS\"",
            "\"RetainRule\": { \"Interval\": 3",
        ),
    ] {
        let document = BARE.replacen(from, to, 1);
        let error = error(&document);
        let line = document.lines().nth(error.line.unwrap() - 1).unwrap();
        let rest: String = line.chars().skip(error.column.unwrap() - 1).collect();
        assert!(format!("{rest}\n").starts_with(marked), "{error}: {rest}");
    }
}
