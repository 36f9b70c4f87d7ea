//! What `snapferry check` prints, and how it ends.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails, in its helpers too")]

mod previous;

use std::path::PathBuf;

use serde_json::{Value, json};
use snapbox::cmd::{Command, cargo_bin};
use snapbox::{assert_data_eq, file, str};
use snapferry_core::policy::{self, MAX_DOCUMENT_BYTES};

const BARE: &str = "cross-account-copy.json";
const ANSWER: &str = "get-lifecycle-policy.json";
const SEVERAL: &str = "several.json";
const DATABASES: &str = "databases.json";

/// The command, run among the policies that core is tested with.
fn snapferry() -> Command {
    Command::new(cargo_bin!("snapferry")).current_dir(policies()).env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE")
}

fn policies() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../functions/core/tests/fixtures/policies")
}

fn read(name: &str) -> String {
    std::fs::read_to_string(policies().join(name)).unwrap()
}

fn json(command: Command) -> Value {
    serde_json::from_slice(&command.output().unwrap().stdout).unwrap()
}

#[test]
fn a_bare_policy() {
    let done = snapferry().args(["check", BARE]).assert().success();
    done.stdout_eq(file!["bare.json"]).stderr_eq(file!["bare.txt"]);
}

#[test]
fn an_answer_for_machines() {
    snapferry()
        .args(["check", "--json", ANSWER])
        .assert()
        .success()
        .stderr_eq("")
        .stdout_eq(file!["answer-for-machines.json"]);
}

/// What `parameters.py` and the CDK's constructs take from it; a policy of volumes alone says nothing of databases.
#[test]
fn a_policy_of_databases() {
    let parameters = |document: &str| {
        let found = json(snapferry().args(["check", "--json", document]));
        assert_eq!(found["files"][0]["findings"], json!([]), "{found}");
        found["files"][0]["policies"][0]["Policy"]["PolicyDetails"]["EventSource"]["Parameters"].clone()
    };
    let found = parameters(DATABASES);
    assert_eq!(found["SourceTypes"], json!(["DB_SNAPSHOT", "DB_CLUSTER_SNAPSHOT"]));
    let filter = json!({"SnapshotRegex": "nightly-.*", "DatabaseRegex": ".*", "Engines": ["aurora-mysql", "postgres"]});
    assert_eq!(found["DatabaseFilter"], filter);
    // What is printed is the same policy.
    let printed = snapferry().args(["check", DATABASES]).output().unwrap().stdout;
    let again = json(snapferry().args(["check", "--json", "-"]).stdin(printed));
    let policy = |found: &Value| found["files"][0]["policies"].clone();
    assert_eq!(policy(&again), policy(&json(snapferry().args(["check", "--json", DATABASES]))));
}

/// RDS takes any filter and would show snapshots that no member of it lets pass.
#[test]
fn a_filter_that_no_database_passes() {
    let document =
        read(DATABASES).replace(r#""SnapshotRegex": "nightly-.*", "Engines": ["postgres", "aurora-mysql"]"#, FILTER);
    let done = snapferry().args(["check", "--quiet", "-"]).stdin(document).assert().success();
    done.stderr_eq(file!["databases.txt"]);
}

/// What RDS never copies, though it is named well.
#[test]
fn a_filter_that_asks_in_vain() {
    let filter = r#""SnapshotRegex": "nightly-.*", "Engines": ["postgres", "aurora-mysql"]"#;
    for (instead, expected) in [
        (r#""SnapshotRegex": "rds:orders-.*""#, json!(["regex-no-name"])),
        (r#""Engines": ["postgres", "custom-oracle-ee"]"#, json!(["engine-custom"])),
        (filter, json!([])),
    ] {
        let found = json(snapferry().args(["check", "--json", "-"]).stdin(read(DATABASES).replace(filter, instead)));
        let findings = found["files"][0]["findings"].as_array().unwrap();
        let codes: Value = findings.iter().map(|finding| finding["code"].clone()).collect();
        assert_eq!(codes, expected, "{instead}: {found}");
    }
}

#[test]
fn an_engine_of_a_kind_that_is_not_named() {
    for (kinds, expected) in [(r#""DB_SNAPSHOT""#, json!(["engine-kind"])), (r#""DB_CLUSTER_SNAPSHOT""#, json!([]))] {
        let document = read(DATABASES).replace(r#""DB_SNAPSHOT", "DB_CLUSTER_SNAPSHOT""#, kinds);
        let found = json(snapferry().args(["check", "--json", "-"]).stdin(document));
        let findings = found["files"][0]["findings"].as_array().unwrap();
        let codes: Value = findings.iter().map(|finding| finding["code"].clone()).collect();
        assert_eq!(codes, expected, "{kinds}");
        assert!(findings.iter().all(|finding| finding["message"].as_str().unwrap().contains("DB_CLUSTER_SNAPSHOT")));
    }
}

const FILTER: &str = r#""SnapshotRegex": "Nightly-.*",
            "DatabaseRegex": "(?i)Orders|ORDERS-[0-9]+",
            "Engines": ["postgres", "postgresql", "aurora-mysqll", "hsqldb"]"#;

#[test]
fn every_warning() {
    snapferry()
        .args(["check", "--quiet", SEVERAL])
        .assert()
        .success()
        .stdout_eq("")
        .stderr_eq(file!["every-warning.txt"]);
}

#[test]
fn warnings_are_findings_only_when_asked() {
    snapferry().args(["check", "--strict", "--quiet", SEVERAL]).assert().code(1);
    // Notes never are.
    let noted = read(ANSWER)
        .replace("\"CmkArn\": null", "\"CmkArn\": \"arn:aws:kms:eu-central-1:222222222222:key/a\"")
        .replace("\"RetainRule\": null", "\"RetainRule\": {\"Interval\": 1, \"IntervalUnit\": \"DAYS\"}");
    let done = snapferry().args(["check", "--strict", "--quiet", "-"]).stdin(noted).assert().success();
    done.stderr_eq(str![[r#"
note[dlm-member-unused]: Policy.ExecutionRoleArn: not used: Snapferry's functions have roles of their own
--> <stdin>:7:29

note[volume-unknown]: Policy.PolicyDetails.EventSource.Parameters.DescriptionRegex: of sources that are copies themselves EC2 names no volume (vol-ffffffff), so their copies stay after their retention, each as perhaps the last one of its volume; to let them go, capture the volume with a group (?<volume>vol-...) in DescriptionRegex, or set KeepAtLeast to 0
--> <stdin>:29:41

note[dlm-member-unused]: Policy.Tags: not used: these are the tags of DLM's policy; tags for copies go into TagsToAdd
--> <stdin>:50:17

<stdin>: valid, 1 policy, 3 notes

"#]]);
}

#[test]
fn errors_point_at_the_place() {
    let answer = read(ANSWER);
    let cases = [
        answer.replace("\"ENABLED\",\n        \"Status", "\"Enabled\",\n        \"Status"),
        answer.replace("\"EventType\"", "\"EvenType\""),
        answer.replace("eu-central-1", "eu-centrall-1"),
        answer.replace("policy-.*\"", "(policy-.*\""),
        answer.replace("\"333333333333\"", "333333333333"),
        answer.replace("\"Target\": \"eu-central-1\",", ""),
        // A tab, letters of more than a byte, Windows' line ends.
        answer.replace("\"Name\": \"Copy", "\t\"Näme\": \"Copy").replace('\n', "\r\n"),
        answer.replace("\"DefaultPolicy\": false", "\"DefaultPolicy\": fal"),
        answer.trim_end().trim_end_matches('}').to_owned(),
        "[]".to_owned(),
        String::new(),
    ];
    let mut all = String::new();
    for case in cases {
        let done = snapferry().args(["check", "-"]).stdin(case).assert().code(1).stdout_eq("");
        all.push_str(&String::from_utf8_lossy(&done.get_output().stderr));
        all.push('\n');
    }
    assert_data_eq!(all, file!["errors.txt"]);
}

#[test]
fn a_byte_order_mark_moves_no_place() {
    let wrong = read(BARE).replace("MANAGED_CWE", "MANAGED");
    let marked = format!("\u{feff}{}", wrong.replace('\n', ""));
    let places = [wrong.replace('\n', ""), marked].map(|document| {
        let found = json(snapferry().args(["check", "--json", "-"]).stdin(document));
        found["files"][0]["findings"][0]["column"].clone()
    });
    assert_eq!(places[0], places[1]);
    assert!(places[0].is_number());
}

/// PowerShell's `aws dlm get-lifecycle-policy … > policy.json`, in its two versions.
#[test]
fn files_as_windows_writes_them() {
    let expected = json(snapferry().args(["check", "--json", "-"]).stdin(read(ANSWER)));
    let marked = format!("\u{feff}{}", read(ANSWER).replace('\n', "\r\n"));
    let [little, big] =
        [u16::to_le_bytes, u16::to_be_bytes].map(|bytes| marked.encode_utf16().flat_map(bytes).collect::<Vec<u8>>());
    let twice = format!("\u{feff}{marked}");
    for document in [little.clone(), big, marked.into_bytes(), twice.into_bytes()] {
        assert_eq!(json(snapferry().args(["check", "--json", "-"]).stdin(document)), expected);
    }
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("utf-16.json");
    std::fs::write(&file, little).unwrap();
    let args = ["key-policy", file.to_str().unwrap(), "--target", "222222222222"];
    snapferry().args(args).assert().success();
    snapferry().args(args).args(["--merge", "-"]).stdin(utf16("{\"Statement\": []}")).assert().success();
    // A log: what it has of the audit is read.
    let line = r#"{"audit":"snapferry/1","version":"1.2.3","time":"2026-11-22T12:00:00Z","event":"policy.warning"}"#;
    let [plain, wide] = [line.as_bytes().to_vec(), utf16(line)]
        .map(|log| snapferry().args(["audit", "verify", "--json", "-"]).stdin(log).output().unwrap().stdout);
    assert_eq!(plain, wide);
    assert!(String::from_utf8(plain).unwrap().contains("\"lines\": 1"));
}

fn utf16(text: &str) -> Vec<u8> {
    "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

#[test]
fn what_is_no_policy_at_all() {
    let garbage = [0xff, 0xfe, 0, 0xdc, 2].repeat(100);
    let done = snapferry().args(["check", "-"]).stdin(garbage).assert().code(1);
    done.stdout_eq("").stderr_eq(str![[r#"
error: UTF-16 with half a character
--> <stdin>
 = allowed: JSON in UTF-8, or in UTF-16 with a byte order mark

<stdin>: not valid

"#]]);
    let huge = " ".repeat(MAX_DOCUMENT_BYTES + 7);
    let done = snapferry().args(["check", "-"]).stdin(huge).assert().code(1);
    done.stdout_eq("").stderr_eq(str![[r#"
error: larger than any policy
--> <stdin>
 = allowed: at most 1048576 bytes

<stdin>: not valid

"#]]);
    // All of it on one line, and wrong at its end: still quick, and no wall of text.
    let long = format!("{{\"a\": [{} x]}}", "1, ".repeat(300_000));
    let done = snapferry().args(["check", "-"]).stdin(long).assert().code(1);
    assert!(done.get_output().stderr.len() < 2000);
}

#[test]
fn what_cannot_be_read() {
    let done = snapferry().args(["check", "no\nsuch.json", "..", ANSWER]).assert().code(2);
    done.stderr_eq(str![[r#"
error: cannot be read: No such file or directory (os error 2)
--> no/u{a}such.json

no/u{a}such.json: not read
error: cannot be read: is a directory
--> ..

..: not read
note[dlm-member-unused]: Policy.ExecutionRoleArn: not used: Snapferry's functions have roles of their own
--> get-lifecycle-policy.json:7:29

warning[target-default-key]: Policy.PolicyDetails.Actions[0].CrossRegionCopy[0].EncryptionConfiguration: no CmkArn, so EC2 chooses the key: while EBS encryption by default is off, copies of encrypted snapshots are under the AWS managed key aws/ebs, whatever default key the account has chosen, and can never be shared with another account; otherwise copies are under the account's default key
  --> get-lifecycle-policy.json:38:56
   |
38 | ...                   "EncryptionConfiguration": {
   |                                                  ^

warning[retention-without-end]: Policy.PolicyDetails.Actions[0].CrossRegionCopy[0].RetainRule: missing, so copies are kept, and paid for, until somebody deletes them
  --> get-lifecycle-policy.json:42:43
   |
42 | ...                   "RetainRule": null
   |                                     ^^^^

note[dlm-member-unused]: Policy.Tags: not used: these are the tags of DLM's policy; tags for copies go into TagsToAdd
--> get-lifecycle-policy.json:50:17

get-lifecycle-policy.json: valid, 1 policy, 2 warnings, 2 notes

"#]]);
    snapferry().args(["check", "--json", "nosuch.json"]).assert().code(2).stderr_eq("").stdout_eq(str![[r#"
{
  "format": "snapferry-check/1",
  "valid": false,
  "files": [
    {
      "file": "nosuch.json",
      "valid": false,
      "findings": [
        {
          "level": "error",
          "code": "unreadable",
          "path": "",
          "message": "cannot be read: No such file or directory (os error 2)"
        }
      ],
      "descriptions": [],
      "policies": []
    }
  ]
}

"#]]);
}

#[test]
fn wrong_usage() {
    for args in
        [vec!["check"], vec!["check", "--schema", BARE], vec!["check", "--frobnicate", BARE], vec!["chekc"], vec![]]
    {
        let done = snapferry().args(&args).assert().code(2).stdout_eq("");
        assert!(!done.get_output().stderr.is_empty(), "{args:?}");
    }
    let done = snapferry().args(["check", "-", "-"]).assert().code(2);
    done.stdout_eq("").stderr_eq("snapferry: standard input can be read only once\n");
}

#[test]
fn whether_a_description_is_taken() {
    let policy = read(BARE).replace("\"shareSnapshot\",", "\"shareSnapshot\", \"DescriptionRegex\": \"production\",");
    let descriptions = ["--description", "nightly production", "--description", "production", "--description", "x"];
    let done = snapferry().args(["check", "--quiet", "-"]).args(descriptions).stdin(&policy).assert().success();
    done.stderr_eq(str![[r#"
note[policy-named-default]: PolicyId: the policy's name is "default"; the name is part of every copy's identity, so to give it another one later means copying everything anew
--> <stdin>:1:1

note[volume-unknown]: EventSource.Parameters.DescriptionRegex: of sources that are copies themselves EC2 names no volume (vol-ffffffff), so their copies stay after their retention, each as perhaps the last one of its volume; to let them go, capture the volume with a group (?<volume>vol-...) in DescriptionRegex, or set KeepAtLeast to 0
--> <stdin>:6:57

warning[description-full-match]: EventSource.Parameters.DescriptionRegex: "production" is found in "nightly production" but does not match the whole of it, so such a snapshot is not copied; ".*(?:production).*" finds it anywhere
 --> <stdin>:6:57
  |
6 |       "EventType": "shareSnapshot", "DescriptionRegex": "production",
  |                                                         ^^^^^^^^^^^^

warning[target-unencrypted]: Actions[0].CrossRegionCopy[0].EncryptionConfiguration.Encrypted: false, so copies of unencrypted snapshots are not encrypted unless EBS encryption by default is on, and others are under a key that EC2 chooses
  --> <stdin>:16:53
   |
16 |           "EncryptionConfiguration": { "Encrypted": false },
   |                                                     ^^^^^

default: the filter does not take "nightly production"
default: the filter takes "production"
default: the filter does not take "x"
<stdin>: valid, 1 policy, 2 warnings, 2 notes

"#]]);
    let found = json(snapferry().args(["check", "--json", "-"]).args(descriptions).stdin(policy));
    let matches: Vec<_> =
        found["files"][0]["descriptions"].as_array().unwrap().iter().map(|d| d["matches"].clone()).collect();
    assert_eq!(matches, [false, true, false]);
}

#[test]
fn what_is_normalized_says_the_same() {
    for name in [BARE, ANSWER, SEVERAL] {
        let first = snapferry().args(["check", name]).output().unwrap().stdout;
        let normal = String::from_utf8(first).unwrap();
        assert_eq!(policy::parse(&normal).unwrap().policies, policy::parse(&read(name)).unwrap().policies, "{name}");
        let second = snapferry().args(["check", "-"]).stdin(&normal).output().unwrap().stdout;
        assert_eq!(String::from_utf8(second).unwrap(), normal, "{name}");
    }
}

#[test]
fn the_schema() {
    let done = snapferry().args(["check", "--schema"]).assert().success().stderr_eq("");
    assert_eq!(done.get_output().stdout, policy::SCHEMA.as_bytes());
}

#[test]
fn colours_only_where_they_are_seen() {
    let escapes = |command: Command| command.output().unwrap().stderr.contains(&0x1b);
    assert!(!escapes(snapferry().args(["check", SEVERAL])));
    assert!(escapes(snapferry().args(["check", SEVERAL]).env("CLICOLOR_FORCE", "1")));
    assert!(!escapes(snapferry().args(["check", SEVERAL]).env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1")));
}
