//! The start of the function: a bad value in its environment stops it and is named.
#![allow(clippy::unwrap_used)]

#[path = "../../runtime/tests/common/start.rs"]
mod start;

const FUNCTION: &str = env!("CARGO_BIN_EXE_verify-copies");

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
    start::assert_each_is_named(FUNCTION, &[("SNAPFERRY_LEDGER", "ledger")], VARIABLES);
}
