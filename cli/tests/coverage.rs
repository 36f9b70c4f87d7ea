//! How `snapferry coverage` ends when it cannot run; what it says of an account is tested against the local AWS.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails, in its helpers too")]

mod common;

use common::snapferry;
use snapbox::str;

#[test]
fn a_policy_that_is_none() {
    let done = snapferry().args(["coverage", "-"]).stdin("[]").assert().code(2).stdout_eq("");
    done.stderr_eq(str![[r#"
snapferry: <stdin> is no valid policy (see `snapferry check`): [..]an empty array[..]

"#]]);
    let done = snapferry().args(["coverage", "no-such-file.json"]).assert().code(2).stdout_eq("");
    done.stderr_eq(str![[r#"
snapferry: no-such-file.json cannot be read: No such file or directory (os error 2)

"#]]);
}

#[test]
fn nowhere_to_look() {
    let done = snapferry().args(["coverage", "cross-account-copy.json"]).assert().code(2).stdout_eq("");
    done.stderr_eq(str![[r#"
snapferry: no Region: give --region, or set AWS_REGION or the profile's region
        Give --profile and --region, or set AWS_PROFILE and AWS_REGION; with IAM Identity Center, `aws sso login`.

"#]]);
    let done = snapferry().args(["coverage", "cross-account-copy.json", "--region", "Europe"]).assert().code(2);
    done.stdout_eq("").stderr_eq("snapferry: Europe is no Region code\n[..]`aws sso login`.\n");
    let html = std::env::temp_dir().join(format!("snapferry-coverage-{}.html", std::process::id()));
    let done = snapferry()
        .args(["coverage", "cross-account-copy.json", "--region", "eu-central-1", "--html"])
        .arg(&html)
        .assert()
        .code(2)
        .stdout_eq("");
    done.stderr_eq(str![[r#"
snapferry: AWS does not say whose credentials these are: NotSent: [..]
        Give --profile and --region, or set AWS_PROFILE and AWS_REGION; with IAM Identity Center, `aws sso login`.

"#]]);
    assert!(!html.exists());
}

#[test]
fn one_standard_output() {
    let done = snapferry().args(["coverage", "cross-account-copy.json", "--json", "--csv", "-"]).assert().code(2);
    done.stdout_eq("").stderr_eq("snapferry: --json and --csv - both want standard output\n");
    let done = snapferry().args(["coverage", "cross-account-copy.json", "--json", "--html", "-"]).assert().code(2);
    done.stdout_eq("").stderr_eq("snapferry: --json and --html - both want standard output\n");
    snapferry().args(["coverage", "a.json", "--csv", "a.csv", "--html", "a.html"]).assert().code(2).stdout_eq("");
    snapferry().args(["coverage", "a.json", "--since", "yesterday"]).assert().code(2).stdout_eq("");
}
