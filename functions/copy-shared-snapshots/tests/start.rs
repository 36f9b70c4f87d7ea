//! The start of the function: a bad value in its environment stops it and is named.
#![allow(clippy::unwrap_used)]

#[path = "../../runtime/tests/common/start.rs"]
mod start;

const FUNCTION: &str = env!("CARGO_BIN_EXE_copy-shared-snapshots");

/// Each with a value that it does not take.
const VARIABLES: &[(&str, &str)] = &[
    ("SNAPFERRY_RETIRED_HOMES", "eu-west-1,ireland"),
    ("SNAPFERRY_RETIRED_POLICIES", "nightly,week ly"),
    ("SNAPFERRY_METRIC_NAMESPACE", "AWS/Lambda"),
    ("SNAPFERRY_SWEEP_SINCE", "yesterday"),
    ("SNAPFERRY_SILENT_OWNER_HOURS", "-1"),
    ("SNAPFERRY_OWNER_METRICS", "yes"),
    ("SNAPFERRY_DATABASES", "yes"),
    ("SNAPFERRY_LEDGER", "arn:aws:dynamodb:eu-central-1:222222222222:table/ledger"),
    ("SNAPFERRY_POLICY", "{}"),
    ("AWS_REGION", "frankfurt"),
];

#[test]
fn a_bad_value_stops_the_start_and_is_named() {
    start::assert_each_is_named(FUNCTION, &[("SNAPFERRY_LEDGER", "ledger")], VARIABLES);
}

#[test]
fn a_missing_ledger_stops_the_start_and_is_named() {
    let said = start::refusal(FUNCTION, &[]);
    assert!(said.contains("SNAPFERRY_LEDGER is not set"), "{said}");
}
