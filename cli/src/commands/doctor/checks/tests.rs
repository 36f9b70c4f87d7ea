//! Facts in, checks out.

mod around;
mod copies;
mod databases;
mod denied;
mod functions;
mod keys;
mod ledger;
mod mappings;
mod proof;
mod queues;
mod rds;
mod rules;
mod schedules;
mod stack;
mod standing;
mod targets;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use snapferry_core::audit::CopyFailed;
use snapferry_core::copying::{CopyError, CopyFailure};
use snapferry_core::facts::{CallError, DescribedCopy, Inventory, KeyFact, KeyProblem, SourceSnapshot, State};
use snapferry_core::ids::{AccountId, KeyArn, Region, SnapshotId, VolumeId};
use snapferry_core::policy;
use snapferry_core::tags::ReadTags;

use super::*;
use crate::commands::doctor::check::Verdict;
use crate::commands::doctor::facts::{Defaults, Part, Resource, Schedule, Source, Stack, Table, TargetKey, Try};
use crate::template::{self, Template};

const KEY: &str = "arn:aws:kms:eu-west-2:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const SOURCE_KEY: &str = "arn:aws:kms:us-east-1:111111111111:key/0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f";

fn document(extra: &str) -> String {
    format!(
        r#"{{"PolicyType": "EVENT_BASED_POLICY",
            "EventSource": {{"Type": "MANAGED_CWE", "Parameters": {{"EventType": "shareSnapshot",
                "SnapshotOwner": ["111111111111"], "DescriptionRegex": "nightly.*"}}}},
            "Actions": [{{"Name": "copy", "CrossRegionCopy": [
                {{"Target": "eu-west-2", "ProofRule": {{"Blocks": 20}},
                  "EncryptionConfiguration": {{"Encrypted": true, "CmkArn": "{KEY}"}}}}{extra}]}}]}}"#
    )
}

fn policies(extra: &str) -> Vec<Policy> {
    policy::parse(&document(extra)).unwrap().policies
}

fn region(name: &str) -> Region {
    Region::parse(name).unwrap()
}

fn error(code: &str, message: &str) -> CallError {
    CallError { code: code.to_owned(), message: message.to_owned(), request_id: None }
}

fn schedule(state: &str, expression: &str) -> Schedule {
    Schedule { state: state.to_owned(), expression: expression.to_owned(), start: None, end: None }
}

/// The template as CloudFormation reads it for the healthy stack.
static TEMPLATE: LazyLock<Template> = LazyLock::new(|| {
    let given = [
        ("AWS::AccountId", "222222222222".to_owned()),
        ("AWS::Region", "us-east-1".to_owned()),
        ("AWS::Partition", "aws".to_owned()),
    ];
    Template::new(template::VAULT, given).unwrap()
});

/// What the template says there of a part.
fn in_template(part: Part, pointer: &str) -> serde_json::Value {
    TEMPLATE.evaluated(TEMPLATE.at(part.of_template().1, pointer).unwrap()).unwrap().unwrap()
}

/// The ARN of a queue or function of the healthy stack.
fn arn(part: Part) -> String {
    let (kind, name) = part.of_template();
    let (service, resource) = if kind == "AWS::SQS::Queue" { ("sqs", "") } else { ("lambda", "function:") };
    format!("arn:aws:{service}:us-east-1:222222222222:{resource}snapferry-{name}-1A2B")
}

/// The stack as it is when all is well.
fn stack() -> Stack {
    let parts = Part::ALL.into_iter().chain(Part::OF_PROOFS).chain(Part::OF_DATABASES);
    let resources = parts.map(|part| {
        let (kind, name) = part.of_template();
        Resource {
            logical_id: name.to_owned(),
            kind: kind.to_owned(),
            physical_id: format!("snapferry-{name}-1A2B"),
            status: "CREATE_COMPLETE".to_owned(),
        }
    });
    let parameters = [
        ("SourceAccounts", "111111111111"),
        ("TargetRegions", "eu-west-2"),
        ("TargetKeyArns", KEY),
        ("SourceKeyArns", SOURCE_KEY),
        ("Databases", "true"),
        ("MaxLockDays", "0"),
        ("SweepMissingAlarmHours", "2"),
        ("VerifyMissingAlarmHours", "2"),
        ("ExpiryMissingAlarmHours", "6"),
        ("ProofMissingAlarmHours", "48"),
        ("ProofSchedule", "rate(1 hour)"),
        ("ProofOtherRegions", "true"),
        ("SweepSince", ""),
        ("SilentOwnerAlarmHours", "48"),
        ("OwnerMetrics", "false"),
        ("MaxDeletesPerRun", "100"),
        ("AllowMassExpiry", "false"),
        ("RetiredRegions", ""),
        ("RetiredHomes", ""),
        ("RetiredPolicies", ""),
    ];
    Stack {
        name: "snapferry".to_owned(),
        region: "us-east-1".to_owned(),
        status: Some("CREATE_COMPLETE".to_owned()),
        parameters: Some(Ok(parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).into())),
        resources: resources.collect(),
        rules: Part::RULES.map(|part| (part, Ok(rules::of_template(part)))).into(),
        schedules: Part::SCHEDULES.map(|part| (part, Ok(schedules::well(part)))).into(),
        functions: Part::FUNCTIONS.map(|part| (part, Ok(functions::well(part)))).into(),
        mappings: Part::MAPPINGS.map(|part| (part, Ok(mappings::well(part)))).into(),
        queues: Part::QUEUES.map(|part| (part, Ok(queues::well(part)))).into(),
        ledgers: Part::LEDGERS.map(|part| (part, Ok(table(part)))).into(),
        targets: targets::as_the_template_has_them(),
        ..around::all_is_well()
    }
}

/// A ledger as the template makes it.
fn table(part: Part) -> Table {
    let keys = |names: [&str; 2]| {
        names.into_iter().zip(["HASH", "RANGE"]).map(|(a, b)| (a.to_owned(), b.to_owned())).collect()
    };
    Table {
        name: format!("snapferry-{}-1A2B", part.of_template().1),
        status: "ACTIVE".to_owned(),
        keys: keys(["pk", "sk"]),
        indexes: BTreeMap::from([("line".to_owned(), (keys(["lpk", "lsk"]), "ACTIVE".to_owned(), "ALL".to_owned()))]),
        is_deletion_protected: true,
        encryption: Some("ENABLED".to_owned()),
        recovery: Ok("ENABLED".to_owned()),
    }
}

fn snapshot() -> SourceSnapshot {
    SourceSnapshot {
        kind: snapferry_core::facts::SourceKind::Volume,
        id: SnapshotId::parse("snap-01234567").unwrap(),
        owner: AccountId::parse("111111111111").unwrap(),
        volume: VolumeId::parse("vol-01234567").unwrap(),
        size_gib: 1,
        state: State::Completed,
        start_time: "2026-11-22T03:00:00Z".parse().unwrap(),
        encrypted: true,
        storage: snapferry_core::facts::Storage::Standard,
        description: "nightly 7".into(),
    }
}

fn facts() -> Facts {
    let regions = ["us-east-1", "eu-west-2", "sa-east-1"];
    Facts {
        account: AccountId::parse("222222222222").unwrap(),
        arn: "arn:aws:sts::222222222222:assumed-role/Operator/somebody".to_owned(),
        home: region("us-east-1"),
        now: "2026-11-22T12:00:00Z".parse().unwrap(),
        regions: Ok(regions.map(|name| (name.to_owned(), "opt-in-not-required".to_owned())).into()),
        keys: vec![TargetKey {
            key: KeyArn::parse(KEY).unwrap(),
            region: region("eu-west-2"),
            fact: KeyFact::Usable,
            try_use: Ok(()),
        }],
        defaults: regions.map(|name| (region(name), Ok(defaults(Some(true))))).into(),
        copies: BTreeMap::new(),
        rds: None,
        source: Some(Source {
            id: snapshot().id,
            seen: Ok(Some(snapshot())),
            key: Some((SOURCE_KEY.to_owned(), Some(KeyFact::Usable))),
            tries: vec![Try { policy: policies("")[0].name.clone(), region: region("eu-west-2"), answer: Ok(()) }],
        }),
        stack: Some(("snapferry".to_owned(), Ok(stack()))),
    }
}

fn defaults(is_aws_managed: Option<bool>) -> Defaults {
    Defaults { by_default: false, key: "alias/aws/ebs".to_owned(), is_aws_managed }
}

/// The checks that are not passed, in short.
fn findings(facts: &Facts, policies: &[Policy]) -> Vec<String> {
    let found = checks(facts, policies);
    for check in &found {
        assert!(check.verdict != Verdict::Pass || check.remedy.is_none(), "{check:?}");
    }
    found
        .iter()
        .filter(|check| check.verdict != Verdict::Pass)
        .map(|check| format!("{:?} {} {}", check.verdict, check.check, check.subject))
        .collect()
}

/// What nobody can know beforehand, and that the stack has what copies databases while the policy, which has a ProofRule, names none.
fn always() -> Vec<String> {
    vec![
        format!("Unknown key-use {KEY}"),
        "Unknown copy-result snap-01234567".to_owned(),
        "Unknown databases ".to_owned(),
    ]
}

/// What is found besides when a fact is otherwise.
fn otherwise(change: impl FnOnce(&mut Facts)) -> Vec<String> {
    let mut facts = facts();
    change(&mut facts);
    let mut found = findings(&facts, &policies(""));
    found.retain(|finding| !always().contains(finding));
    found
}

#[test]
fn all_is_well() {
    assert_eq!(findings(&facts(), &policies("")), always());
}

#[test]
fn accounts_and_policies() {
    let of_source = otherwise(|facts| {
        facts.account = AccountId::parse("111111111111").unwrap();
        // Nothing in the stack is this account's.
        facts.stack = None;
    });
    let account = ["Fail account 111111111111".to_owned(), format!("Unknown key-account {KEY}")];
    assert_eq!(of_source, [&account[..], &["Unknown stack ".to_owned()]].concat());
    let mut disabled = policies("");
    disabled[0].state = policy::PolicyState::Disabled;
    assert!(findings(&facts(), &disabled).contains(&"Unknown policy default".to_owned()));
    disabled[0].state = policy::PolicyState::Enabled;
    disabled[0].owners.clear();
    assert!(findings(&facts(), &disabled).contains(&"Fail policy default".to_owned()));
}

#[test]
fn regions_and_defaults() {
    let opted = |status: &str| {
        let status = status.to_owned();
        otherwise(|facts| {
            facts.regions.as_mut().unwrap().insert("eu-west-2".to_owned(), status);
        })
    };
    assert_eq!(opted("opted-in"), Vec::<String>::new());
    assert_eq!(opted("not-opted-in"), ["Fail region-enabled eu-west-2"]);
    assert_eq!(
        otherwise(|facts| {
            facts.regions.as_mut().unwrap().remove("eu-west-2");
        }),
        ["Fail region-enabled eu-west-2"]
    );
    assert_eq!(
        otherwise(|facts| facts.regions = Err(error("Throttling", ""))),
        ["Unknown region-enabled eu-west-2", "Unknown region-enabled us-east-1"]
    );
    assert_eq!(
        otherwise(|facts| {
            facts.defaults.insert(region("eu-west-2"), Err(error("AuthFailure", "")));
        }),
        ["Unknown encryption-by-default eu-west-2"]
    );
}

#[test]
fn the_snapshot() {
    let without = findings(&Facts { source: None, ..facts() }, &policies(""));
    assert!(without.contains(&"Unknown source ".to_owned()), "{without:?}");
    let seen = |change: fn(&mut SourceSnapshot)| {
        otherwise(|facts| {
            let mut snapshot = snapshot();
            change(&mut snapshot);
            facts.source.as_mut().unwrap().seen = Ok(Some(snapshot));
        })
    };
    assert_eq!(seen(|snapshot| snapshot.state = State::Pending), ["Unknown source snap-01234567"]);
    assert_eq!(seen(|snapshot| snapshot.state = State::Error), ["Fail source snap-01234567"]);
    assert_eq!(seen(|snapshot| snapshot.description = "weekly".into()), ["Fail source-wanted snap-01234567"]);
    assert_eq!(
        seen(|snapshot| snapshot.owner = AccountId::parse("333333333333").unwrap()),
        ["Fail source-wanted snap-01234567"]
    );
    assert_eq!(otherwise(|facts| facts.source.as_mut().unwrap().seen = Ok(None)), ["Fail source snap-01234567"]);
    let unread = Err(error("Timeout", ""));
    assert_eq!(otherwise(|facts| facts.source.as_mut().unwrap().seen = unread), ["Unknown source snap-01234567"]);
}

#[test]
fn copies_that_ec2_would_refuse() {
    let refused = |code: &str, message: &str, reason| {
        let failure = CopyFailure::Refused { reason, remedy: "…" };
        let answer = Err(CopyError { failure, error: error(code, message) });
        otherwise(|facts| facts.source.as_mut().unwrap().tries[0].answer = answer)
    };
    let (fail, unknown) = (["Fail copy-dry-run default eu-west-2"], ["Unknown copy-dry-run default eu-west-2"]);
    assert_eq!(refused("InvalidParameterValue", "The specified keyId is disabled", CopyFailed::KeyRefused), fail);
    assert_eq!(refused("SnapshotCopyUnsupported.InterRegion", "", CopyFailed::CopyUnsupported), fail);
    assert_eq!(refused("InvalidParameterCombination", "", CopyFailed::CallRefused), fail);
    assert_eq!(
        refused("UnauthorizedOperation", "no identity-based policy allows it", CopyFailed::NotAuthorized),
        unknown
    );
    assert_eq!(
        refused("UnauthorizedOperation", "explicit deny in a service control policy", CopyFailed::NotAuthorized),
        fail
    );
    let silent = Err(CopyError { failure: CopyFailure::Silence, error: error("Timeout", "") });
    assert_eq!(otherwise(|facts| facts.source.as_mut().unwrap().tries[0].answer = silent), unknown);
    // The remedy of a combination that EC2 does not support is its own.
    let mut facts = facts();
    let failure = CopyFailure::Refused { reason: CopyFailed::CopyUnsupported, remedy: "…" };
    facts.source.as_mut().unwrap().tries[0].answer =
        Err(CopyError { failure, error: error("SnapshotCopyUnsupported.InterRegion", "") });
    assert!(
        checks(&facts, &policies("")).iter().any(|check| check.message.contains("does not support this combination"))
    );
}

#[test]
fn copies_of_unknown_volumes_are_counted_with_the_ways_out() {
    let mut counted = facts();
    let tags = [
        ("snapferry:policy", "default"),
        ("snapferry:source-snapshot", "snap-00000001"),
        ("snapferry:source-account", "111111111111"),
        ("snapferry:source-region", "us-east-1"),
        ("snapferry:source-volume", "vol-ffffffff"),
        ("snapferry:source-size-gib", "8"),
        ("snapferry:source-start-time", "2026-11-22T03:00:00Z"),
        ("snapferry:status", "copying"),
    ];
    let mut inventory = Inventory::default();
    for number in 1..=7 {
        let id = SnapshotId::parse(&format!("snap-c{number:07x}")).unwrap();
        inventory.add(DescribedCopy {
            owner: None,
            state: State::Completed,
            state_message: String::new(),
            encrypted: true,
            kms_key: None,
            size_gib: 8,
            start_time: "2026-11-22T03:00:00Z".parse().unwrap(),
            tags: ReadTags::read(&id, tags),
            lock: None,
            description: Box::default(),
            database: None,
            id,
        });
    }
    counted.copies = [(region("eu-west-2"), Ok(inventory.close()))].into();
    let found = checks(&counted, &policies(""));
    let check = found.iter().find(|check| check.check == "volume-known").unwrap();
    assert_eq!((check.verdict, check.subject.as_str()), (Verdict::Unknown, "default eu-west-2"));
    assert!(check.message.contains("of 7 copies"), "{check:?}");
    let remedy = check.remedy.as_ref().unwrap();
    assert!(remedy.contains("(?<volume>vol-...)") && remedy.contains("KeepAtLeast to 0"), "{check:?}");
}
