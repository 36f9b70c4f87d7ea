//! Facts in, checks out.

mod copies;
mod ledger;
mod stack;

use std::collections::BTreeMap;

use snapferry_core::audit::CopyFailed;
use snapferry_core::copying::{CopyError, CopyFailure};
use snapferry_core::facts::{CallError, DescribedCopy, Inventory, KeyFact, KeyProblem, SourceSnapshot, State};
use snapferry_core::ids::{AccountId, KeyArn, Region, SnapshotId, VolumeId};
use snapferry_core::policy;
use snapferry_core::tags::ReadTags;

use super::*;
use crate::commands::doctor::check::Verdict;
use crate::commands::doctor::facts::{Defaults, Part, Resource, Source, Stack, Table, TargetKey, Try};

const KEY: &str = "arn:aws:kms:eu-west-2:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const SOURCE_KEY: &str = "arn:aws:kms:us-east-1:111111111111:key/0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f";

fn policies(extra: &str) -> Vec<Policy> {
    let document = format!(
        r#"{{"PolicyType": "EVENT_BASED_POLICY",
            "EventSource": {{"Type": "MANAGED_CWE", "Parameters": {{"EventType": "shareSnapshot",
                "SnapshotOwner": ["111111111111"], "DescriptionRegex": "nightly.*"}}}},
            "Actions": [{{"Name": "copy", "CrossRegionCopy": [
                {{"Target": "eu-west-2", "EncryptionConfiguration": {{"Encrypted": true, "CmkArn": "{KEY}"}}}}{extra}]}}]}}"#
    );
    policy::parse(&document).unwrap().policies
}

fn region(name: &str) -> Region {
    Region::parse(name).unwrap()
}

fn error(code: &str, message: &str) -> CallError {
    CallError { code: code.to_owned(), message: message.to_owned(), request_id: None }
}

/// The stack as it is when all is well.
fn stack() -> Stack {
    let resources = Part::ALL.map(|part| {
        let (kind, name) = part.of_template();
        Resource {
            logical_id: name.to_owned(),
            kind: kind.to_owned(),
            physical_id: format!("snapferry-{name}-1A2B"),
            status: "CREATE_COMPLETE".to_owned(),
        }
    });
    let queue = || {
        let attributes = [
            ("FifoQueue", "true"),
            ("ContentBasedDeduplication", "true"),
            ("RedrivePolicy", "{}"),
            ("ApproximateNumberOfMessages", "0"),
        ];
        Ok(attributes.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
    };
    let parameters = [
        ("SourceAccounts", "111111111111"),
        ("TargetRegions", "eu-west-2"),
        ("TargetKeyArns", KEY),
        ("SourceKeyArns", SOURCE_KEY),
    ];
    Stack {
        parameters: Some(Ok(parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).into())),
        resources: resources.into(),
        rule: Some(Ok("ENABLED".to_owned())),
        schedules: Part::SCHEDULES.map(|part| (part, Ok("ENABLED".to_owned()))).into(),
        functions: Part::FUNCTIONS.map(|part| (part, Ok("Active".to_owned()))).into(),
        mapping: Some(Ok("Enabled".to_owned())),
        queues: Part::QUEUES.map(|part| (part, queue())).into(),
        ledger: Some(Ok(table())),
    }
}

/// The ledger as the template makes it.
fn table() -> Table {
    let keys = |names: [&str; 2]| {
        names.into_iter().zip(["HASH", "RANGE"]).map(|(a, b)| (a.to_owned(), b.to_owned())).collect()
    };
    Table {
        name: "snapferry-Ledger-1A2B".to_owned(),
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
        regions: Ok(regions.map(|name| (name.to_owned(), "opt-in-not-required".to_owned())).into()),
        keys: vec![TargetKey {
            key: KeyArn::parse(KEY).unwrap(),
            region: region("eu-west-2"),
            fact: KeyFact::Usable,
            try_use: Ok(()),
        }],
        defaults: regions.map(|name| (region(name), Ok(defaults(Some(true))))).into(),
        copies: BTreeMap::new(),
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

/// What nobody can know beforehand.
fn always() -> Vec<String> {
    vec![format!("Unknown key-use {KEY}"), "Unknown copy-result snap-01234567".to_owned()]
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
    assert_eq!(
        otherwise(|facts| facts.account = AccountId::parse("111111111111").unwrap()),
        ["Fail account 111111111111".to_owned(), format!("Unknown key-account {KEY}")]
    );
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

/// A target without a key of its own: AWS's "vault under a default key".
#[test]
fn which_key_ec2_chooses() {
    const OWN: &str = "arn:aws:kms:sa-east-1:222222222222:key/0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f";
    let told = |encrypted: bool, by_default: bool, key: &str| {
        let target = format!(r#", {{"Target": "sa-east-1", "EncryptionConfiguration": {{"Encrypted": {encrypted}}}}}"#);
        let is_aws_managed = Some(key != OWN);
        let mut facts = facts();
        facts.defaults.insert(region("sa-east-1"), Ok(Defaults { by_default, key: key.to_owned(), is_aws_managed }));
        let found = checks(&facts, &policies(&target));
        let check = found.into_iter().find(|check| check.check == "target-key").unwrap();
        assert_eq!((check.verdict, check.remedy.is_some()), (Verdict::Unknown, true));
        check.message
    };
    for encrypted in [true, false] {
        // Off, and a default key is chosen: copies of encrypted snapshots are not under it.
        let off = told(encrypted, false, OWN);
        assert!(off.contains("copies of encrypted snapshots are under the AWS managed key aws/ebs"), "{off}");
        assert!(off.contains("never be shared"), "{off}");
        let plain = if encrypted { "unencrypted ones are under the account's default key" } else { "not encrypted" };
        assert!(off.contains(plain), "{off}");
        let on = told(encrypted, true, OWN);
        assert!(
            on.contains(&format!("copies are under the account's default key {OWN}")) && !on.contains("aws/ebs"),
            "{on}"
        );
        for by_default in [true, false] {
            let managed = told(encrypted, by_default, "alias/aws/ebs");
            assert!(managed.contains("under the AWS managed key aws/ebs"), "{managed}");
        }
    }
}

#[test]
fn target_keys() {
    use KeyProblem::{AccessDenied, AwsManaged, Disabled, NotFound, NotReady, NotSymmetric, OtherKey, PendingDeletion};
    let no_identity = "not authorized to perform: kms:DescribeKey because no identity-based policy allows it";
    let no_resource = "not authorized because no resource-based policy allows it";
    for (fact, found) in [
        (KeyFact::Unusable(Disabled), "Fail"),
        (KeyFact::Unusable(PendingDeletion), "Fail"),
        (KeyFact::Unusable(NotReady("Creating".to_owned())), "Fail"),
        (KeyFact::Unusable(NotFound(error("NotFoundException", ""))), "Fail"),
        (KeyFact::Unusable(AwsManaged), "Fail"),
        (KeyFact::Unusable(NotSymmetric("RSA_2048".to_owned())), "Fail"),
        (KeyFact::Unusable(OtherKey("x".to_owned())), "Fail"),
        (KeyFact::Unusable(AccessDenied(error("AccessDeniedException", no_resource))), "Fail"),
        (KeyFact::Unusable(AccessDenied(error("AccessDeniedException", no_identity))), "Unknown"),
        (KeyFact::Unread(error("Timeout", "")), "Unknown"),
    ] {
        assert_eq!(otherwise(|facts| facts.keys[0].fact = fact.clone()), [format!("{found} key {KEY}")], "{fact:?}");
    }
    // The copier's own role is told by the stack; what it may not, nobody else may for it.
    let denied = KeyFact::Unusable(AccessDenied(error("AccessDeniedException", no_identity)));
    let role = "arn:aws:sts::222222222222:assumed-role/snapferry-CopySharedSnapshotsRole-1A2B/session";
    let found = otherwise(|facts| (facts.keys[0].fact, facts.arn) = (denied, role.to_owned()));
    assert_eq!(found, [format!("Fail key {KEY}")]);
    assert_eq!(otherwise(|facts| facts.keys[0].region = region("sa-east-1")), [format!("Fail key {KEY}")]);
    let denied = error("AccessDeniedException", no_identity);
    let mut facts = facts();
    facts.keys[0].try_use = Err(denied);
    let found = checks(&facts, &policies(""));
    assert!(found.iter().any(|check| check.check == "key-use" && check.remedy.is_some() && check.error.is_some()));
}

/// Who governs a key can destroy every copy under it.
#[test]
fn the_keys_account() {
    let with = |account: &str| {
        let (arn, mut facts) = (KEY.replace("222222222222", account), facts());
        facts.keys[0].key = KeyArn::parse(&arn).unwrap();
        let found = checks(&facts, &policies(""));
        let check = found.into_iter().find(|check| check.check == "key-account").unwrap();
        assert_eq!((check.subject, check.remedy.is_some()), (arn, check.verdict != Verdict::Pass));
        (check.verdict, check.message)
    };
    assert_eq!(with("222222222222"), (Verdict::Pass, "it belongs to this account".to_owned()));
    let of_source = "it belongs to the source account 111111111111, which could destroy every copy with it".to_owned();
    assert_eq!(with("111111111111"), (Verdict::Fail, of_source));
    assert_eq!(with("333333333333").0, Verdict::Unknown);
}

#[test]
fn the_snapshot() {
    assert_eq!(findings(&Facts { source: None, ..facts() }, &policies("")).last().unwrap(), "Unknown source ");
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
fn the_snapshots_key() {
    let key = |fact: KeyFact| {
        otherwise(|facts| facts.source.as_mut().unwrap().key = Some((SOURCE_KEY.to_owned(), Some(fact))))
    };
    let denied = |message| KeyFact::Unusable(KeyProblem::AccessDenied(error("AccessDeniedException", message)));
    let fail = [format!("Fail source-key {SOURCE_KEY}")];
    assert_eq!(key(denied("no resource-based policies allow access")), fail);
    assert_eq!(key(denied("no identity-based policy allows it")), [format!("Unknown source-key {SOURCE_KEY}")]);
    assert_eq!(key(KeyFact::Unusable(KeyProblem::AwsManaged)), fail);
    assert_eq!(key(KeyFact::Unusable(KeyProblem::Disabled)), fail);
    assert_eq!(key(KeyFact::Unusable(KeyProblem::NotFound(error("NotFoundException", "")))), fail);
    let none = |encrypted| {
        otherwise(|facts| {
            let source = facts.source.as_mut().unwrap();
            (source.key, source.seen) = (None, Ok(Some(SourceSnapshot { encrypted, ..snapshot() })));
        })
    };
    assert_eq!(none(false), Vec::<String>::new());
    assert_eq!(none(true), ["Unknown source-key snap-01234567"]);
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
