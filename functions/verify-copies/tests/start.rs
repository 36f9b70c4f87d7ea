//! The start of the function: a bad value in its environment stops it and is named.
#![allow(clippy::unwrap_used)]

use std::process::Command;

const POLICY: &str = include_str!("../../../infra/policy.example.json");

/// Each with a value that it does not take.
const VARIABLES: &[(&str, &str)] = &[
    ("SNAPFERRY_RETIRED_HOMES", "eu-west-1,ireland"),
    ("SNAPFERRY_RETIRED_POLICIES", "nightly,week ly"),
    ("SNAPFERRY_RETIRED_REGIONS", "everywhere"),
    ("SNAPFERRY_METRIC_NAMESPACE", "AWS/Lambda"),
    ("SNAPFERRY_POLICY", "{}"),
    ("AWS_REGION", "frankfurt"),
];

#[test]
fn a_bad_value_stops_the_start_and_is_named() {
    for (name, value) in VARIABLES {
        let mut function = Command::new(env!("CARGO_BIN_EXE_verify-copies"));
        function.env_clear().env("SNAPFERRY_POLICY", POLICY).env("SNAPFERRY_LEDGER", "ledger");
        function.env("AWS_REGION", "eu-central-1").env(name, value);
        let done = function.output().unwrap();
        let said = String::from_utf8(done.stderr).unwrap();
        assert!(!done.status.success(), "{name}");
        assert!(said.contains(&format!("{name}: ")), "{name}: {said}");
    }
}
