//! The start of the functions: a bad value in their environment stops them and is named.
#![allow(clippy::unwrap_used)]

#[path = "../../runtime/tests/common/start.rs"]
mod start;

const PROGRAM: &str = env!("CARGO_BIN_EXE_databases");

const WHOLE: &[(&str, &str)] = &[
    ("_HANDLER", "copy"),
    ("SNAPFERRY_LEDGER", "instances"),
    ("SNAPFERRY_CLUSTER_LEDGER", "clusters"),
    ("SNAPFERRY_VOLUME_LEDGER", "volumes"),
];

/// Each with a value that it does not take.
const VARIABLES: &[(&str, &str)] = &[
    ("_HANDLER", "bootstrap"),
    ("SNAPFERRY_RETIRED_HOMES", "eu-west-1,ireland"),
    ("SNAPFERRY_METRIC_NAMESPACE", "AWS/Lambda"),
    ("SNAPFERRY_SWEEP_SINCE", "yesterday"),
    ("SNAPFERRY_SILENT_OWNER_HOURS", "-1"),
    ("SNAPFERRY_LEDGER", "arn:aws:dynamodb:eu-central-1:222222222222:table/ledger"),
    ("SNAPFERRY_CLUSTER_LEDGER", "a"),
    ("SNAPFERRY_VOLUME_LEDGER", "a"),
    ("SNAPFERRY_POLICY", "{}"),
    ("AWS_REGION", "frankfurt"),
];

#[test]
fn a_bad_value_stops_the_start_and_is_named() {
    start::assert_each_is_named(PROGRAM, WHOLE, VARIABLES);
}

#[test]
fn what_is_missing_stops_the_start_and_is_named() {
    for (index, (name, _)) in WHOLE.iter().enumerate() {
        let others: Vec<_> = WHOLE.iter().enumerate().filter(|(at, _)| *at != index).map(|(_, each)| *each).collect();
        let said = start::refusal(PROGRAM, &others);
        assert!(said.contains(&format!("{name} is not set")), "{said}");
    }
}

#[test]
fn the_others_read_what_they_need_alone() {
    let verifier =
        &[("_HANDLER", "verify"), ("SNAPFERRY_LEDGER", "instances"), ("SNAPFERRY_CLUSTER_LEDGER", "clusters")];
    let of_verifier = &[("SNAPFERRY_CLUSTER_LEDGER", "a"), ("SNAPFERRY_RETIRED_REGIONS", "everywhere")];
    start::assert_each_is_named(PROGRAM, verifier, of_verifier);
    let of_expirer = &[
        ("SNAPFERRY_RETIRED_POLICIES", "nightly,week ly"),
        ("SNAPFERRY_MAX_DELETES_PER_RUN", "0"),
        ("SNAPFERRY_ALLOW_MASS_EXPIRY", "yes"),
    ];
    start::assert_each_is_named(PROGRAM, &[("_HANDLER", "expire")], of_expirer);
}
