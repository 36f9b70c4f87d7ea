//! The program as a whole: help, completions, manual pages.

use snapbox::cmd::{Command, cargo_bin};
use snapbox::str;

fn snapferry() -> Command {
    // The width of the terminal is that of the help.
    Command::new(cargo_bin!("snapferry")).env_remove("COLUMNS")
}

#[test]
fn help() {
    snapferry().arg("--help").assert().success().stderr_eq("").stdout_eq(str![[r#"
Checks what Snapferry is given and what it leaves behind

Snapferry copies EBS snapshots that other accounts share with this one, verifies the copies, and
deletes them when their time is over. This is the operator's command.

Usage: snapferry <COMMAND>

Commands:
  check        Check policy documents, offline
  plan         Show what would be copied, skipped and deferred now, and why
  copy         Copy one snapshot now
  replay       Put invalid or dead-lettered events back into the copier's queue
  audit        Read the audit that the functions write
  doctor       Check whether everything that a copy needs is in place
  iam          Print the IAM policies of the functions' roles for a policy, offline
  key-policy   Print the statements that a source account's KMS key needs, offline
  owners       Turn the accounts of an organization into a policy's SnapshotOwner
  coverage     Show what is protected: each shared snapshot in each target Region
  recover      Show from which copies each volume and database can be restored, and which cannot be
  prove        Read a snapshot's blocks and compute their digest
  completions  Print the completions for a shell
  man          Print the manual page, for man(1)
  help         Print this message or the help of the given subcommand(s)

Options:
  -h, --help
          Print help (see a summary with '-h')

  -V, --version
          Print version

Exit codes: 0 fine, 1 findings, 2 wrong usage or cannot run

"#]]);
}

#[test]
fn help_of_a_command_within_a_command() {
    snapferry().args(["help", "audit", "verify"]).assert().success().stderr_eq("").stdout_eq(str![[r#"
Verify exported audit lines, offline

Every audit line vouches for the one before it, through a hash. Takes log lines as they are or with
something in front of them, as CloudWatch Logs exports them to S3, the output of `aws logs
filter-log-events`, `get-log-events` or `get-query-results`, a subscription's deliveries, the
console's downloads (JSON, CSV), and any of these compressed with gzip. Several files may overlap
and come in any order.

It cannot show that lines are missing at the end of an environment's life, that an environment is
missing as a whole, or that somebody with write access to the log group made up all of it.

Usage: snapferry audit verify [OPTIONS] <FILE>...

Arguments:
  <FILE>...
          The exported logs; - is standard input

Options:
      --since <TIME>
          The logs were exported from this time on (RFC 3339, or a date): what environments older
          than that wrote first may be missing

      --json
          Print one JSON object

  -h, --help
          Print help (see a summary with '-h')

  -V, --version
          Print version

Exit codes: 0 all lines are proven, but for the last of each environment; 1 lines are missing,
altered or out of place; 2 wrong usage, or a file that cannot be read, or no audit line in any of
them

"#]]);
}

#[test]
fn short_help() {
    snapferry().args(["check", "-h"]).assert().success().stderr_eq("").stdout_eq(str![[r#"
Check policy documents, offline

Usage: snapferry check [OPTIONS] [POLICY]...

Arguments:
  [POLICY]...  The documents; - is standard input

Options:
      --description <TEXT>  Tell whether each filter matches this description (may be repeated)
      --previous <POLICY>   What is deployed until now: warn of what an edit renames, leaves behind
                            or encrypts under another key
      --strict              Treat warnings as errors: exit with 1 when there are any
  -q, --quiet               Do not print the normalized policies
      --json                Print everything to standard output as one JSON object
      --schema              Print the JSON Schema of the policy document, for editors
  -h, --help                Print help (see more with '--help')
  -V, --version             Print version

Exit codes: 0 every document is valid, 1 one is not (or, with --strict, has warnings), 2 wrong usage
or a document that cannot be read

"#]]);
}

#[test]
fn completions_for_every_shell() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let done = snapferry().args(["completions", shell]).assert().success().stderr_eq("");
        let script = String::from_utf8_lossy(&done.get_output().stdout).into_owned();
        assert!(script.contains("snapferry") && script.contains("check") && script.contains("description"), "{shell}");
    }
    snapferry().args(["completions", "cmd.exe"]).assert().code(2).stdout_eq("");
}

#[test]
fn manual_pages() {
    for (command, title) in [
        (vec![], "snapferry 1"),
        (vec!["check"], "snapferry-check 1"),
        (vec!["audit", "verify"], "snapferry-audit-verify 1"),
    ] {
        let done = snapferry().arg("man").args(&command).assert().success().stderr_eq("");
        let page = String::from_utf8_lossy(&done.get_output().stdout).into_owned();
        let version = env!("CARGO_PKG_VERSION");
        assert!(page.contains(&format!(".TH {title}  \"snapferry {version}\"")), "{page}");
    }
    let done = snapferry().args(["man", "frobnicate"]).assert().code(2).stdout_eq("");
    done.stderr_eq("snapferry: there is no command \"frobnicate\"\n");
}
