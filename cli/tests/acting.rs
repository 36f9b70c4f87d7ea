//! How `snapferry plan`, `copy` and `replay` end without AWS, and what they say then. What they do with it is tested
//! against the local AWS, in tests/cli.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails, in its helpers too")]

use std::path::PathBuf;

mod common;

use common::snapferry;
use snapbox::cmd::cargo_bin;
use snapbox::str;

const BARE: &str = "cross-account-copy.json";
const NAMED: &str = r#"{"audit":"snapferry/1","time":"2026-11-22T03:00:00Z","event":"event.invalid","reason":"not-json","body":"{broken snap-0123456789abcdef0"}"#;
const UNNAMED: &str = r#"{"audit":"snapferry/1","time":"2026-11-22T04:00:00Z","event":"event.invalid","reason":"no-snapshot","body":"{}"}"#;
const STARTED: &str = r#"{"audit":"snapferry/1","time":"2026-11-22T05:00:00Z","event":"copy.started"}"#;

#[test]
fn records_of_an_export() {
    let export = [STARTED, NAMED, UNNAMED, NAMED].join("\n");
    let dry = ["replay", "--from", "-", "--dry-run"];
    let done = snapferry().args(dry).stdin(&export).assert().code(1);
    done.stderr_eq("snapferry: 2 would be put back, 1 left\n").stdout_eq(str![[r#"
would put 2026-11-22T03:00:00Z snap-0123456789abcdef0
left      2026-11-22T04:00:00Z unreadable: its body names no snapshot (no-snapshot)
would put 2026-11-22T03:00:00Z snap-0123456789abcdef0

"#]]);
    let done = snapferry().args(dry).args(["--max", "0"]).stdin(NAMED).assert().code(1);
    done.stdout_eq("left      2026-11-22T03:00:00Z snap-0123456789abcdef0: --max 0 is reached\n");
    let done = snapferry().args(dry).arg("--json").stdin(&export).assert().code(1);
    let lines: Vec<serde_json::Value> = String::from_utf8_lossy(&done.get_output().stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!((&lines[0]["replayed"], &lines[1]["replayed"]), (&true.into(), &false.into()));
    assert_eq!(lines[3], serde_json::json!({"summary": {"replayed": 2, "left": 1, "notLookedAt": 0}}));
}

#[test]
fn an_export_without_records() {
    let from = ["replay", "--from", "-"];
    let done = snapferry().args(from).stdin(STARTED).assert().success().stdout_eq("");
    done.stderr_eq(str![[r#"
snapferry: <stdin>: 1 audit lines, no event.invalid record
snapferry: 0 put back, 0 left

"#]]);
    let done = snapferry().args(from).stdin("{}").assert().code(2).stdout_eq("");
    done.stderr_eq(str![[r#"
snapferry: <stdin>: no line of Snapferry's audit in any form that `snapferry audit verify` takes

"#]]);
}

#[test]
fn what_needs_aws_says_what_to_do() {
    for args in [
        vec!["plan", BARE],
        vec!["copy", BARE, "--snapshot", "snap-01234567"],
        vec!["replay", "--dead-letter", "https://sqs.us-east-1.amazonaws.com/222222222222/dead.fifo"],
        vec!["replay", "--from", "log-group:/aws/lambda/copier", "--dry-run"],
    ] {
        // As with the AWS CLI, whatever else is in the environment.
        let keys = [("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "x"), ("AWS_PROFILE", "vault")];
        let done = snapferry().args(&args).envs(keys).assert().code(2).stdout_eq("");
        done.stderr_eq("snapferry: there is no profile \"vault\"\n[..]\n");
        let done = snapferry().args(&args).args(["--profile", "vault"]).assert().code(2).stdout_eq("");
        done.stderr_eq(str![[r#"
snapferry: there is no profile "vault"
        Give --profile and --region, or set AWS_PROFILE and AWS_REGION; with IAM Identity Center, `aws sso login --profile vault`.

"#]]);
        let done = snapferry().args(&args).args(["--region", "us-east-1"]).assert().code(2).stdout_eq("");
        done.stderr_eq(str![[r#"
snapferry: AWS does not say whose credentials these are: [..]
        Give --profile and --region, or set AWS_PROFILE and AWS_REGION; with IAM Identity Center, `aws sso login`.

"#]]);
    }
}

#[test]
fn wrong_usage() {
    for args in [
        vec!["plan"],
        vec!["plan", BARE, "--snapshot", "vol-01234567"],
        vec!["plan", BARE, "--since", "yesterday"],
        vec!["plan", BARE, "--event", BARE],
        vec!["copy", BARE],
        vec!["copy", BARE, "--snapshot", "snap-01234567", "--direct", "--stack", "any"],
        vec!["replay"],
        vec!["replay", "--from", "a", "--dead-letter", "b"],
        vec!["replay", "--dead-letter", "b", "--since", "2026-11-22"],
        vec!["replay", "--from", "a", "--all"],
        vec!["replay", "--from", "nosuch.log"],
    ] {
        snapferry().args(&args).args(["--region", "us-east-1"]).assert().code(2).stdout_eq("");
    }
}

#[test]
fn a_reader_who_has_gone() {
    for args in
        [vec!["check", BARE], vec!["iam", "--region", "us-east-1", BARE], vec!["man"], vec!["completions", "bash"]]
    {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = std::process::Command::new(cargo_bin!("snapferry"));
        let policies = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../functions/core/tests/fixtures/policies");
        let status =
            command.args(&args).current_dir(policies).stdout(writer).stderr(std::process::Stdio::null()).status();
        assert!(status.unwrap().success(), "{args:?}");
    }
}
