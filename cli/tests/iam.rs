//! What `snapferry iam` and `snapferry key-policy` print. That it is what the templates say is tested in tests/cli.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails, in its helpers too")]

use std::path::PathBuf;

use serde_json::{Value, json};
use snapbox::cmd::{Command, cargo_bin};
use snapbox::{file, str};

const BARE: &str = "cross-account-copy.json";
const TARGET: [&str; 2] = ["--target", "222222222222"];

/// The command, run among the policies that core is tested with.
fn snapferry() -> Command {
    let policies = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../functions/core/tests/fixtures/policies");
    Command::new(cargo_bin!("snapferry"))
        .current_dir(policies)
        .env_remove("AWS_REGION")
        .env_remove("AWS_DEFAULT_REGION")
        .env_remove("CLICOLOR_FORCE")
}

fn stdout(command: Command) -> String {
    String::from_utf8(command.output().unwrap().stdout).unwrap()
}

#[test]
fn policies_of_the_roles() {
    let done = snapferry().args(["iam", "--region", "us-east-1", "several.json"]).assert().success();
    done.stderr_eq("").stdout_eq(file!["iam/several.txt"]);
}

#[test]
fn policies_of_the_roles_for_machines() {
    let key = "arn:aws:kms:us-east-1:111111111111:key/0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f";
    let args = ["iam", "--json", "--source-key", key, "--retired-region", "eu-north-1", BARE];
    let found: Value = serde_json::from_str(&stdout(snapferry().args(args).env("AWS_REGION", "us-east-1"))).unwrap();
    assert_eq!((&found["format"], &found["region"]), (&json!("snapferry-iam/1"), &json!("us-east-1")));
    let roles = found["roles"].as_array().unwrap();
    let functions: Vec<_> = roles.iter().map(|role| role["function"].clone()).collect();
    assert_eq!(functions, ["copy-shared-snapshots", "verify-copies", "delete-expired-copies"]);
    for policy in roles.iter().flat_map(|role| role["policies"].as_array().unwrap()) {
        for statement in policy["document"]["Statement"].as_array().unwrap() {
            assert!(policy["why"][statement["Sid"].as_str().unwrap()].is_string(), "{statement}");
        }
    }
    assert!(found.to_string().contains(key) && found.to_string().contains("eu-north-1"));
}

#[test]
fn the_roles_for_databases_where_a_policy_names_them() {
    let args = ["iam", "--json", "--region", "us-east-1", "databases.json"];
    let found: Value = serde_json::from_str(&stdout(snapferry().args(args))).unwrap();
    let functions: Vec<_> = found["roles"].as_array().unwrap().iter().map(|role| role["function"].clone()).collect();
    let of_databases = ["copy-shared-databases", "verify-copied-databases", "delete-expired-database-copies"];
    assert_eq!(functions[3..], of_databases);
}

#[test]
fn the_provers_role_only_if_asked_for() {
    let functions = |options: &[&str]| -> Vec<Value> {
        let args = ["iam", "--json", "--region", "us-east-1", BARE];
        let found: Value = serde_json::from_str(&stdout(snapferry().args(args).args(options))).unwrap();
        found["roles"].as_array().unwrap().iter().map(|role| role["function"].clone()).collect()
    };
    let three = ["copy-shared-snapshots", "verify-copies", "delete-expired-copies"];
    assert_eq!(functions(&[]), three);
    assert_eq!(functions(&["--proof"]), [&three[..], &["prove-copies"]].concat());
    let text = |options: &[&str]| stdout(snapferry().args(["iam", "--region", "us-east-1", BARE]).args(options));
    let decrypts = "# ProveCopiesRole, the role of prove-copies: policy decrypt-sources\n";
    assert!(!text(&["--proof"]).contains(decrypts));
    assert!(text(&["--proof", "--proof-decrypts-sources"]).contains(decrypts));
    snapferry().args(["iam", "--region", "us-east-1", BARE, "--proof-decrypts-sources"]).assert().code(2).stdout_eq("");
}

#[test]
fn policies_of_the_roles_in_another_partition() {
    let policy = std::fs::read_to_string(snapferry_policies().join(BARE)).unwrap();
    let china = policy
        .replace("arn:aws:", "arn:aws-cn:")
        .replace("sa-east-1", "cn-northwest-1")
        .replace("eu-west-2", "cn-north-1");
    let found = stdout(snapferry().args(["iam", "--region", "cn-north-1", "-"]).stdin(china));
    assert!(found.contains("\"arn:aws-cn:ec2:*::snapshot/snap-*\"") && !found.contains("arn:aws:"), "{found}");
}

/// What is of another partition than the policy's targets could match nothing.
#[test]
fn nothing_is_printed_for_two_partitions() {
    let policy = std::fs::read_to_string(snapferry_policies().join(BARE)).unwrap();
    let gov = policy.replace("arn:aws:", "arn:aws-us-gov:").replace("sa-east-1", "us-gov-east-1");
    let gov = gov.replace("eu-west-2", "us-gov-west-1");
    let refused = |args: &[&str]| {
        let run = snapferry().args(args).arg("-").env("AWS_REGION", "us-east-1").stdin(&gov).assert().code(2);
        String::from_utf8(run.stdout_eq("").get_output().stderr.clone()).unwrap()
    };
    assert_eq!(
        refused(&["iam"]),
        "snapferry: the stack's Region (--region, AWS_REGION): us-east-1 is in the partition aws, but the policy's Target \
         us-gov-east-1 is in the partition aws-us-gov, and no role works in both\n"
    );
    let key = "arn:aws:kms:us-east-1:111111111111:key/0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f";
    for option in [["--source-key", key], ["--retired-region", "eu-west-1"], ["--retired-home", "cn-north-1"]] {
        let error = refused(&[&["iam", "--region", "us-gov-west-1"], &option[..]].concat());
        let beginning = format!("snapferry: {}: {} is in the partition aws", option[0], option[1]);
        assert!(error.starts_with(&beginning), "{error}");
    }
    let role = "arn:aws:iam::222222222222:role/copier";
    let error = refused(&["key-policy", TARGET[0], TARGET[1], "--target-role", role]);
    assert!(error.contains("in the partition aws-us-gov (arn:aws-us-gov:iam::222222222222:role/…)"), "{error}");
    let found = stdout(snapferry().args(["key-policy", "-"]).args(TARGET).stdin(&gov));
    assert!(found.contains("arn:aws-us-gov:iam::222222222222:root") && !found.contains("arn:aws:"), "{found}");
    snapferry().args(["check", "--quiet", "-"]).env("AWS_REGION", "us-east-1").stdin(&gov).assert().success();
}

fn snapferry_policies() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../functions/core/tests/fixtures/policies")
}

#[test]
fn roles_need_a_policy_and_a_region() {
    let done = snapferry().args(["iam", BARE]).assert().code(2).stdout_eq("");
    done.stderr_eq("snapferry: no Region: give --region, or set AWS_REGION\n");
    snapferry().args(["iam", "--region", "nowhere", BARE]).assert().code(2).stdout_eq("");
    snapferry().args(["iam", "--region", "us-east-1", "nosuch.json"]).assert().code(2).stdout_eq("");
    let done = snapferry().args(["iam", "--region", "us-east-1", "-"]).stdin("{}").assert().code(2).stdout_eq("");
    let error = String::from_utf8_lossy(&done.get_output().stderr).into_owned();
    assert!(error.contains("no valid policy (see `snapferry check`)"), "{error}");
}

#[test]
fn statements_for_a_key() {
    let done = snapferry().args(["key-policy", BARE]).args(TARGET).assert().success();
    done.stderr_eq("").stdout_eq(str![[r#"
[
  {
    "Sid": "UseByTheTargetAccount",
    "Effect": "Allow",
    "Principal": {
      "AWS": "arn:aws:iam::222222222222:root"
    },
    "Action": [
      "kms:Decrypt",
      "kms:DescribeKey",
      "kms:Encrypt",
      "kms:GenerateDataKey*",
      "kms:ReEncrypt*"
    ],
    "Resource": "*",
    "Condition": {
      "ArnLike": {
        "aws:PrincipalArn": "arn:aws:iam::222222222222:role/snapferry/*"
      }
    }
  },
  {
    "Sid": "GrantsByTheTargetAccount",
    "Effect": "Allow",
    "Principal": {
      "AWS": "arn:aws:iam::222222222222:root"
    },
    "Action": [
      "kms:CreateGrant",
      "kms:ListGrants",
      "kms:RevokeGrant"
    ],
    "Resource": "*",
    "Condition": {
      "ArnLike": {
        "aws:PrincipalArn": "arn:aws:iam::222222222222:role/snapferry/*"
      },
      "Bool": {
        "kms:GrantIsForAWSResource": "true"
      }
    }
  }
]

"#]]);
}

#[test]
fn statements_added_to_a_key_policy() {
    let before = r#"{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "arn:aws:iam::111111111111:root"
    },
    "Action" : "kms:*",
    "Resource" : "*"
  } ]
}"#;
    let merge = ["--merge", "-"];
    let done = snapferry().args(["key-policy", BARE]).args(TARGET).args(merge).stdin(before).assert().success();
    let done = done.stdout_eq(file!["iam/merged.json"]);
    let done = done.stderr_eq("UseByTheTargetAccount: added\nGrantsByTheTargetAccount: added\n");
    let merged = String::from_utf8(done.get_output().stdout.clone()).unwrap();
    let again = snapferry().args(["key-policy", BARE]).args(TARGET).args(merge).stdin(&merged).assert().success();
    again
        .stdout_eq(&merged)
        .stderr_eq("UseByTheTargetAccount: is there already\nGrantsByTheTargetAccount: is there already\n");
    // For another target: what the first needs stays.
    let other = ["--target", "333333333333"];
    let done = snapferry().args(["key-policy", BARE]).args(other).args(merge).stdin(&merged).assert().code(1);
    let done = done.stderr_eq(str![[r#"
warning: arn:aws:kms:eu-west-2:222222222222:key/8af79514-350d-4c52-bac8-8985e84171c7, which encrypts copies, belongs to 222222222222 and not to the target account 333333333333
UseByTheTargetAccount333333333333: added
GrantsByTheTargetAccount333333333333: added

"#]]);
    let both = String::from_utf8(done.get_output().stdout.clone()).unwrap();
    assert_eq!(both.matches("arn:aws:iam::222222222222:root").count(), 2);
    // For one role instead of a path, or a path instead of the account: who loses access is said.
    let role = ["--target-role", "arn:aws:iam::222222222222:role/copier"];
    let narrowed = snapferry().args(["key-policy", BARE]).args(TARGET).args(role).args(merge).stdin(&both).assert();
    narrowed.code(1).stderr_eq(str![[r#"
warning: UseByTheTargetAccount named arn:aws:iam::222222222222:role/snapferry/*, which the merged key policy does not allow there any more
warning: GrantsByTheTargetAccount named arn:aws:iam::222222222222:role/snapferry/*, which the merged key policy does not allow there any more
UseByTheTargetAccount: replaced
GrantsByTheTargetAccount: replaced

"#]]);
    let mut whole: Value = serde_json::from_str(&merged).unwrap();
    for statement in whole["Statement"].as_array_mut().unwrap() {
        if let Some(condition) = statement.get_mut("Condition") {
            condition.as_object_mut().unwrap().remove("ArnLike");
        }
    }
    let narrowed = snapferry().args(["key-policy", BARE]).args(TARGET).args(merge).stdin(whole.to_string()).assert();
    let error = String::from_utf8_lossy(&narrowed.code(1).get_output().stderr).into_owned();
    assert_eq!(error.matches(" named arn:aws:iam::222222222222:root, which").count(), 2, "{error}");
}

#[test]
fn a_key_policy_that_is_none_or_too_long() {
    let key_policy = || snapferry().args(["key-policy", BARE, "--merge", "-"]).args(TARGET);
    let done = key_policy().stdin("{\"PolicyType\": 1}").assert().code(2).stdout_eq("");
    done.stderr_eq("snapferry: <stdin> is not merged: it has a member \"PolicyType\", which no key policy has\n");
    let long = json!({ "Id": "x".repeat(32 * 1024), "Statement": [] }).to_string();
    let done = key_policy().stdin(long).assert().code(1);
    let error = String::from_utf8_lossy(&done.get_output().stderr).into_owned();
    assert!(error.contains("KMS takes at most 32768 (32 KiB)"), "{error}");
}

#[test]
fn who_uses_the_key() {
    let role = "arn:aws:iam::222222222222:role/copier";
    let found = stdout(snapferry().args(["key-policy", BARE, "--target-role", role]).args(TARGET));
    assert_eq!(found.matches(role).count(), 2);
    let other = "arn:aws:iam::333333333333:role/copier";
    snapferry().args(["key-policy", BARE, "--target-role", other]).args(TARGET).assert().code(2).stdout_eq("");
    let pattern = "arn:aws:iam::222222222222:role/copier/*";
    let done = snapferry().args(["key-policy", BARE, "--target-role", pattern]).args(TARGET).assert().code(2);
    done.stdout_eq("").stderr_eq("snapferry: --target-role: [..] is a pattern, [..]\n");
    for (account, code) in [("111111111111", 0), ("999999999999", 1)] {
        let done = snapferry().args(["key-policy", BARE, "--source", account]).args(TARGET).assert();
        done.code(code);
    }
    let done = snapferry().args(["key-policy", BARE, "--target", "2222"]).assert().code(2).stdout_eq("");
    let error = String::from_utf8_lossy(&done.get_output().stderr).into_owned();
    assert!(error.contains("which may have lost its leading zeros: perhaps 000000002222"), "{error}");
    snapferry().args(["key-policy", BARE]).assert().code(2).stdout_eq("");
}
