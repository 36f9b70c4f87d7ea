//! How `snapferry recover` ends when it cannot run; what it says of an account is tested against the local AWS.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails, in its helpers too")]

mod common;

use common::snapferry;
use snapbox::str;

const POLICY: &str = "cross-account-copy.json";

#[test]
fn wrong_usage() {
    let filler = ["recover", POLICY, "--volume", "vol-ffffffff"];
    let done = snapferry().args(filler).assert().code(2).stdout_eq("");
    done.stderr_eq(str![[r#"
error: invalid value 'vol-ffffffff' for '--volume <ID>': vol-ffffffff is what EC2 says where it knows no volume

For more information, try '--help'.

"#]]);
    let done = snapferry().args(["recover", POLICY, "--json", "--csv", "-"]).assert().code(2);
    done.stdout_eq("").stderr_eq("snapferry: --json and --csv - both want standard output\n");
    let done = snapferry().args(["recover", POLICY, "--target", "us-west-1"]).assert().code(2).stdout_eq("");
    done.stderr_eq(
        "snapferry: us-west-1 is no Target of the policy ([..]): correct --target, or give --retired-region, too\n",
    );
    let two = ["--target", "sa-east-1", "--target", "eu-west-2"];
    for (option, does) in [("--execute", "makes"), ("--remove", "deletes")] {
        let zone: &[&str] = if option == "--execute" { &["--zone", "eu-west-2a"] } else { &[] };
        for targets in [&two[..], &[]] {
            let done =
                snapferry().args(["recover", POLICY, option, "--name", "drill"]).args(zone).args(targets).assert();
            done.code(2)
                .stdout_eq("")
                .stderr_eq(format!("snapferry: {option} {does} volumes in one Region: name it with --target\n"));
        }
    }
    let done = snapferry().args(["recover", POLICY, "--name", "drill"]).assert().code(2).stdout_eq("");
    done.stderr_eq(
        "error: the following required arguments were not provided:\n  <--execute|--remove>\n\n[..]\n\n[..]\n",
    );
    for wrong in [["--before", "yesterday"], ["--account", "12"], ["--volume", "snap-00000001"], ["--target", "Europe"]]
    {
        snapferry().args(["recover", POLICY]).args(wrong).assert().code(2).stdout_eq("");
    }
}

#[test]
fn nothing_to_read() {
    let done = snapferry().args(["recover", POLICY]).assert().code(2).stdout_eq("");
    done.stderr_eq("snapferry: no Region: give --region[..]\n[..]`aws sso login`.\n");
    let done = snapferry().args(["recover", POLICY, "--inventory", POLICY]).assert().code(2).stdout_eq("");
    done.stderr_eq("snapferry: cross-account-copy.json is no inventory: [..]\n");
}
