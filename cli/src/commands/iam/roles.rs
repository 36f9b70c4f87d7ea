//! The roles of the three functions and what each may do: what infra/sam/template.yaml says, for one policy document.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use snapferry_core::ids::{AccountId, KeyArn, Region};
use snapferry_core::policy::{Encryption, Policy};

use super::statement::{Document, Statement};

const USE_OF_KEYS: &[&str] = &["kms:DescribeKey", "kms:ReEncrypt*", "kms:Decrypt", "kms:GenerateDataKey*"];

/// What the statements depend on.
#[derive(Debug)]
pub(crate) struct Scope {
    /// The Region of the stack.
    pub(crate) home: Region,
    /// Every SnapshotOwner.
    pub(crate) owners: BTreeSet<AccountId>,
    /// Every Target, in the document's order.
    pub(crate) targets: Vec<Region>,
    /// Every CmkArn, in the document's order.
    pub(crate) target_keys: Vec<KeyArn>,
    /// The source accounts' keys.
    pub(crate) source_keys: Vec<KeyArn>,
    /// Regions that are no targets any more.
    pub(crate) retired: Vec<Region>,
}

/// A role and its policies.
#[derive(Debug)]
pub(crate) struct Role {
    /// Its logical ID in the template.
    pub(crate) name: &'static str,
    /// The function that runs in it.
    pub(crate) function: &'static str,
    /// Its policies: name and document.
    pub(crate) policies: Vec<(&'static str, Document)>,
}

impl Scope {
    /// Gathers what the policies name.
    pub(crate) fn new(policies: &[Policy], home: Region, source_keys: Vec<KeyArn>, retired: Vec<Region>) -> Self {
        let targets = || policies.iter().flat_map(|policy| &policy.targets);
        let keys = targets().filter_map(|target| match &target.encryption {
            Encryption::Key(key) => Some(key.clone()),
            Encryption::AsSource | Encryption::DefaultKey => None,
        });
        Self {
            home,
            owners: policies.iter().flat_map(|policy| policy.owners.iter().cloned()).collect(),
            targets: distinct(targets().map(|target| target.region.clone())),
            target_keys: distinct(keys),
            source_keys: distinct(source_keys),
            retired: distinct(retired),
        }
    }

    /// Snapshots in all Regions; an EBS snapshot's ARN names no account (Service Authorization Reference, Amazon EC2).
    fn snapshots(&self, id: &str) -> [String; 1] {
        [format!("arn:{}:ec2:*::snapshot/{id}", self.home.partition())]
    }

    fn writable(&self) -> Vec<Region> {
        distinct(std::iter::once(&self.home).chain(&self.targets).cloned())
    }
}

/// The three roles.
pub(crate) fn roles(scope: &Scope) -> [Role; 3] {
    [copier(scope), verifier(scope), deleter(scope)]
}

fn copier(scope: &Scope) -> Role {
    let take = Statement::allow(
        "TakeFromQueue",
        "Lambda takes events and ticks from the queue on the function's behalf.",
        &["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
        ["${CopierQueue.Arn}"],
    );
    let mut policies = vec![
        ("take-from-queue-and-log", Document::new(vec![take, write_logs("${CopySharedSnapshotsLogs.Arn}")])),
        ("copy-shared-snapshots", Document::new(copying(scope))),
    ];
    if !scope.target_keys.is_empty() {
        policies.extend(target_keys(&scope.target_keys));
    }
    if !scope.source_keys.is_empty() {
        policies.extend(source_keys(&scope.source_keys));
    }
    Role { name: "CopySharedSnapshotsRole", function: "copy-shared-snapshots", policies }
}

fn copying(scope: &Scope) -> Vec<Statement> {
    vec![
        Statement::allow(
            "ReadSnapshots",
            "Read what is shared and what is copied already; EC2 knows no narrower permission for reading.",
            &["ec2:DescribeSnapshots"],
            ["*"],
        ),
        Statement::allow(
            "CopyFromSourceAccounts",
            "Copy from the source accounts' snapshots and nobody else's; in which Region EC2 places the source of a copy \
             across Regions is not documented, so the owner and not the Region is the limit.",
            &["ec2:CopySnapshot"],
            scope.snapshots("snap-*"),
        )
        .when(json!({ "StringEquals": { "ec2:Owner": scope.owners } })),
        Statement::allow(
            "CreateTaggedCopies",
            "Create copies that carry Snapferry's tags, in the target Regions (the home Region too, because the \
             presigned URL of a copy across Regions is checked there); a snapshot that does not exist yet has the literal \
             ID \"*\", which keeps this statement from also allowing a source.",
            &["ec2:CopySnapshot"],
            scope.snapshots("${*}"),
        )
        .when(json!({
            "Null": present("aws:RequestTag", &["policy", "source-snapshot"]),
            "StringEquals": { "aws:RequestedRegion": scope.writable() },
        })),
        Statement::allow(
            "TagWhileCopying",
            "Write tags while creating a copy, and at no other time.",
            &["ec2:CreateTags"],
            scope.snapshots("*"),
        )
        .when(json!({
            "StringEquals": { "aws:RequestedRegion": scope.writable(), "ec2:CreateAction": "CopySnapshot" },
        })),
    ]
}

/// Two policies, which the template attaches as managed ones: IAM takes 10,240 characters of a role's inline policies in
/// all, and 6,144 of a managed policy (IAM User Guide, "IAM and AWS STS quotas").
fn target_keys(keys: &[KeyArn]) -> [(&'static str, Document); 2] {
    let encrypt = Statement::allow(
        "UseTargetKeys",
        "Look whether a key exists and is usable before a copy starts, and encrypt the copies under it.",
        USE_OF_KEYS,
        keys.iter().map(KeyArn::as_str),
    );
    let grant = grant_to_ebs("GrantTargetKeysToEbs", keys);
    [("use-target-keys", Document::new(vec![encrypt])), ("grant-target-keys-to-ebs", Document::new(vec![grant]))]
}

/// As for the target keys.
fn source_keys(keys: &[KeyArn]) -> [(&'static str, Document); 2] {
    let decrypt = Statement::allow(
        "UseSourceKeys",
        "Read what the source accounts encrypted under these keys of theirs.",
        USE_OF_KEYS,
        keys.iter().map(KeyArn::as_str),
    );
    let grant = grant_to_ebs("GrantSourceKeysToEbs", keys);
    [("use-source-keys", Document::new(vec![decrypt])), ("grant-source-keys-to-ebs", Document::new(vec![grant]))]
}

fn grant_to_ebs(sid: &'static str, keys: &[KeyArn]) -> Statement {
    let why = "Let EC2, and only an AWS service, use the keys for the copy after the call has returned.";
    Statement::allow(sid, why, &["kms:CreateGrant"], keys.iter().map(KeyArn::as_str))
        .when(json!({ "Bool": { "kms:GrantIsForAWSResource": "true" } }))
}

fn verifier(scope: &Scope) -> Role {
    let verify = vec![
        Statement::allow(
            "ReadSnapshots",
            "Read copies and their locks; EC2 knows no narrower permission for reading.",
            &["ec2:DescribeSnapshots", "ec2:DescribeLockedSnapshots"],
            ["*"],
        ),
        Statement::allow(
            "TagVerdict",
            "Write a verdict on Snapferry's own copies: these three tags, and no other.",
            &["ec2:CreateTags"],
            scope.snapshots("*"),
        )
        .when(json!({
            "ForAllValues:StringEquals": {
                "aws:TagKeys": ["snapferry:status", "snapferry:settled-at", "snapferry:lock"],
            },
            "Null": { "aws:ResourceTag/snapferry:policy": "false", "aws:TagKeys": "false" },
        })),
        Statement::allow(
            "LockCopies",
            "Lock those of Snapferry's own copies that are marked to be locked.",
            &["ec2:LockSnapshot"],
            scope.snapshots("*"),
        )
        .when(json!({
            "Null": present("aws:ResourceTag", &["policy"]),
            "StringEquals": { "aws:ResourceTag/snapferry:lock": "pending" },
        })),
    ];
    let logs = Document::new(vec![write_logs("${VerifyCopiesLogs.Arn}")]);
    let policies = vec![("write-logs", logs), ("verify-copies", Document::new(verify))];
    Role { name: "VerifyCopiesRole", function: "verify-copies", policies }
}

fn deleter(scope: &Scope) -> Role {
    let regions = distinct(scope.targets.iter().chain(&scope.retired).cloned());
    let delete = vec![
        Statement::allow(
            "ReadSnapshots",
            "Read copies and their tags; EC2 knows no narrower permission for reading.",
            &["ec2:DescribeSnapshots"],
            ["*"],
        ),
        Statement::allow(
            "DeleteCopies",
            "Delete snapshots that carry Snapferry's identity tags, in the target Regions and the retired ones.",
            &["ec2:DeleteSnapshot"],
            scope.snapshots("*"),
        )
        .when(json!({
            "Null": present(
                "aws:ResourceTag",
                &["policy", "source-account", "source-region", "source-snapshot", "status"],
            ),
            "StringEquals": { "aws:RequestedRegion": regions },
        })),
    ];
    let logs = Document::new(vec![write_logs("${DeleteExpiredCopiesLogs.Arn}")]);
    let policies = vec![("write-logs", logs), ("delete-expired-copies", Document::new(delete))];
    Role { name: "DeleteExpiredCopiesRole", function: "delete-expired-copies", policies }
}

fn write_logs(group: &str) -> Statement {
    let actions = &["logs:CreateLogStream", "logs:PutLogEvents"];
    Statement::allow("WriteLogs", "Write to this function's own log group.", actions, [group])
}

/// The condition that all of these tags of Snapferry are there (IAM User Guide, "Condition operator to check existence
/// of condition keys").
fn present(key: &str, tags: &[&str]) -> Value {
    tags.iter().map(|tag| (format!("{key}/snapferry:{tag}"), Value::from("false"))).collect()
}

fn distinct<T: PartialEq>(all: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut found = Vec::new();
    for each in all {
        if !found.contains(&each) {
            found.push(each);
        }
    }
    found
}
