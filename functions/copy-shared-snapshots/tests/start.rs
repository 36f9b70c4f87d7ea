//! The start of the function: a bad value in its environment stops it and is named.
#![allow(clippy::unwrap_used)]

use std::process::Command;

const POLICY: &str = include_str!("../../../infra/policy.example.json");

/// Each with a value that it does not take.
const VARIABLES: &[(&str, &str)] = &[
    ("SNAPFERRY_RETIRED_HOMES", "eu-west-1,ireland"),
    ("SNAPFERRY_RETIRED_POLICIES", "nightly,week ly"),
    ("SNAPFERRY_METRIC_NAMESPACE", "AWS/Lambda"),
    ("SNAPFERRY_SWEEP_SINCE", "yesterday"),
    ("SNAPFERRY_LEDGER", "arn:aws:dynamodb:eu-central-1:222222222222:table/ledger"),
    ("SNAPFERRY_POLICY", "{}"),
    ("AWS_REGION", "frankfurt"),
];

#[test]
fn a_bad_value_stops_the_start_and_is_named() {
    for (name, value) in VARIABLES {
        let mut function = Command::new(env!("CARGO_BIN_EXE_copy-shared-snapshots"));
        function.env_clear().env("SNAPFERRY_POLICY", POLICY).env("SNAPFERRY_LEDGER", "ledger");
        function.env("AWS_REGION", "eu-central-1").env(name, value);
        let done = function.output().unwrap();
        let said = String::from_utf8(done.stderr).unwrap();
        assert!(!done.status.success(), "{name}");
        assert!(said.contains(&format!("{name}: ")), "{name}: {said}");
    }
}

#[test]
fn a_missing_ledger_stops_the_start_and_is_named() {
    let mut function = Command::new(env!("CARGO_BIN_EXE_copy-shared-snapshots"));
    function.env_clear().env("SNAPFERRY_POLICY", POLICY).env("AWS_REGION", "eu-central-1");
    let done = function.output().unwrap();
    let said = String::from_utf8(done.stderr).unwrap();
    assert!(!done.status.success());
    assert!(said.contains("SNAPFERRY_LEDGER is not set"), "{said}");
}
