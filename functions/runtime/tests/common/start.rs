//! Starts of a function's program that its environment stops.

use std::process::Command;

const POLICY: &str = include_str!("../../../../infra/policy.example.json");

/// Starts the program once for each of these variables, with a value that it does not take, and holds that it stops and names
/// the variable. `more` is what it needs beside a policy and a Region.
pub(crate) fn assert_each_is_named(program: &str, more: &[(&str, &str)], variables: &[(&str, &str)]) {
    for (name, value) in variables {
        let said = refusal(program, &[more, &[(name, value)]].concat());
        assert!(said.contains(&format!("{name}: ")), "{name}: {said}");
    }
}

/// Starts the program with a policy, a Region and these variables, holds that it stops, and returns what it says.
pub(crate) fn refusal(program: &str, variables: &[(&str, &str)]) -> String {
    let mut function = Command::new(program);
    function.env_clear().env("SNAPFERRY_POLICY", POLICY).env("AWS_REGION", "eu-central-1");
    let done = function.envs(variables.iter().copied()).output().unwrap();
    assert!(!done.status.success(), "{variables:?}");
    String::from_utf8(done.stderr).unwrap()
}
