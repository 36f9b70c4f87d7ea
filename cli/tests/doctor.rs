//! How `snapferry doctor` ends when it cannot look. What it sees is tested against the local AWS, in tests/cli.

mod common;

use common::snapferry;
use snapbox::str;

const POLICY: &str = "cross-account-copy.json";

#[test]
fn without_a_region() {
    snapferry().args(["doctor", POLICY]).assert().code(2).stdout_eq(str![[r#"
fail    credentials: no Region: give --region, or set AWS_REGION or the profile's region; nothing else was looked at
        Give --profile and --region, or set AWS_PROFILE and AWS_REGION; with IAM Identity Center, `aws sso login`.

"#]]);
}

#[test]
fn what_is_empty_is_said_to_be() {
    let done = snapferry().args(["doctor", POLICY, "--region", ""]).assert().code(2).stdout_eq(str![[r#"
fail    credentials: the Region is empty; nothing else was looked at
        Give --profile and --region, or set AWS_PROFILE and AWS_REGION; with IAM Identity Center, `aws sso login`.

"#]]);
    done.stderr_eq("1 check: 0 pass, 1 fail, 0 unknown\n");
    let done =
        snapferry().args(["doctor", POLICY, "--stack", "", "--region", "us-east-1"]).assert().code(2).stdout_eq("");
    let said = String::from_utf8(done.get_output().stderr.clone()).unwrap();
    assert!(said.contains("it is empty; give the stack's name"), "{said}");
}

#[test]
fn without_credentials() {
    let done = snapferry().args(["doctor", "--json", "--region", "us-east-1", POLICY]).assert().code(2).stderr_eq("");
    let found: serde_json::Value = serde_json::from_slice(&done.get_output().stdout).unwrap();
    assert_eq!((&found["fail"], &found["checks"][0]["check"]), (&1.into(), &"credentials".into()), "{found}");
}

#[test]
fn without_a_policy_for_machines() {
    for document in ["nosuch.json", "."] {
        let done = snapferry().args(["doctor", "--json", document]).assert().code(2).stderr_eq("");
        let found: serde_json::Value = serde_json::from_slice(&done.get_output().stdout).unwrap();
        assert_eq!((&found["fail"], &found["checks"][0]["check"]), (&1.into(), &"policy".into()), "{found}");
    }
}

#[test]
fn colours_only_where_they_are_seen() {
    for (forced, expected) in [(false, false), (true, true)] {
        let mut command = snapferry().args(["doctor", POLICY]);
        if forced {
            command = command.env("CLICOLOR_FORCE", "1");
        }
        assert_eq!(command.output().unwrap().stdout.contains(&0x1b), expected);
    }
}

#[test]
fn wrong_usage() {
    for args in [vec!["doctor"], vec!["doctor", "nosuch.json"], vec!["doctor", "--snapshot", "vol-01234567", POLICY]] {
        snapferry().args(&args).assert().code(2).stdout_eq("");
    }
}
