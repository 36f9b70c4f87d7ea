//! Facts in, lines out.

mod waiting;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use snapbox::{IntoData as _, assert_data_eq, str};
use snapferry_core::facts::{CallError, Copies, Copy, KeyLife, Moment, Origin, SourceSnapshot, State};
use snapferry_core::ids::{AccountId, PolicyName, Region, VolumeId};
use snapferry_core::policy;
use snapferry_core::tags::Status;

use super::*;

const POLICY: &str = r#"{"PolicyType": "EVENT_BASED_POLICY",
    "EventSource": {"Type": "MANAGED_CWE", "Parameters": {"EventType": "shareSnapshot",
        "SnapshotOwner": ["111111111111"], "DescriptionRegex": "nightly.*"}},
    "Actions": [{"Name": "copy", "CrossRegionCopy": [
        {"Target": "eu-west-2", "EncryptionConfiguration": {"Encrypted": true},
         "RetainRule": {"Interval": 1, "IntervalUnit": "MONTHS"}},
        {"Target": "sa-east-1", "EncryptionConfiguration": {"Encrypted": true}}]}]}"#;

/// As PowerShell's `>` writes what a queue or a rule gave.
#[test]
fn an_event_in_a_file_of_windows() {
    let event = r#"{"id": "e-1", "source": "aws.ec2", "detail-type": "EBS Snapshot Notification", "detail": {
        "event": "shareSnapshot", "result": "succeeded", "snapshot_id": "arn:aws:ec2::us-east-1:snapshot/snap-01234567"}}"#;
    let path = std::env::temp_dir().join(format!("snapferry-plan-{}.json", std::process::id()));
    let marked = "\u{feff}".encode_utf16().chain(event.encode_utf16());
    std::fs::write(&path, marked.flat_map(u16::to_le_bytes).collect::<Vec<u8>>()).unwrap();
    let read = read_event(&path);
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(read, Ok(Message::Share(share)) if share.snapshot == id("snap-01234567")));
}

fn time() -> Timestamp {
    "2026-11-22T03:00:00Z".parse().unwrap()
}

fn id(text: &str) -> SnapshotId {
    SnapshotId::parse(text).unwrap()
}

fn shared(snapshot: &str, description: &str) -> SourceSnapshot {
    SourceSnapshot {
        kind: snapferry_core::facts::SourceKind::Volume,
        id: id(snapshot),
        owner: AccountId::parse("111111111111").unwrap(),
        volume: VolumeId::parse("vol-01234567").unwrap(),
        size_gib: 1,
        state: State::Completed,
        start_time: time(),
        encrypted: true,
        storage: snapferry_core::facts::Storage::Standard,
        description: description.into(),
    }
}

fn copy_of(snapshot: &str) -> Copy {
    Copy {
        id: id("snap-0c0c0c0c"),
        source: id(snapshot),
        lineage: None,
        origin: Arc::new(Origin {
            owner: None,
            policy: PolicyName::parse("default").unwrap(),
            account: None,
            region: None,
            key: None,
            life: KeyLife::Alive,
        }),
        start_time: time(),
        source_start_time: Moment::NEVER,
        settled_at: Moment::NEVER,
        expire_after: Moment::NEVER,
        state: State::Completed,
        status: Some(Status::Verified),
        lock: None,
        is_bound: true,
        is_tampered: false,
    }
}

/// Two snapshots and an event of a third; one Region has a copy of the second, the other cannot be read.
fn facts(scope: Scope) -> Facts {
    let copies = Copies { copies: vec![copy_of("snap-00000002")], ..Copies::default() };
    let silent = CallError { code: "Timeout".to_owned(), message: "no answer".to_owned(), request_id: None };
    Facts {
        account: AccountId::parse("222222222222").ok(),
        home: Region::parse("us-east-1").unwrap(),
        scope,
        named: ["snap-00000001", "snap-00000002", "snap-00000003"].map(|name| look::event(id(name))).into(),
        snapshots: Ok(vec![shared("snap-00000001", "nightly \u{1b}[31m1"), shared("snap-00000002", "nightly 2")]),
        regions: BTreeMap::from([
            (Region::parse("eu-west-2").unwrap(), Ok(copies)),
            (Region::parse("sa-east-1").unwrap(), Err(silent)),
        ]),
        retired_policies: Default::default(),
        keys: BTreeMap::new(),
        obligations: BTreeMap::new(),
        noticed: HashSet::new(),
    }
}

fn printed(scope: Scope, as_json: bool) -> String {
    let (facts, policies) = (facts(scope), policy::parse(POLICY).unwrap().policies);
    let plan = decided(&policies, &facts, time()).unwrap();
    assert_eq!(exit(&plan), Exit::Findings);
    let mut output = Vec::new();
    if as_json {
        print_json(&plan, &facts, None, time(), &mut output)
    } else {
        print_text(&plan, &facts, None, time(), &mut output)
    }
    .unwrap();
    String::from_utf8(output).unwrap()
}

#[test]
fn for_machines() {
    let text = printed(Scope::Events, true);
    let last: Value = serde_json::from_str(text.lines().next_back().unwrap()).unwrap();
    let regions = json!({"eu-west-2": {"protected": 1, "inFlight": 0}, "sa-east-1": {"protected": 0, "inFlight": 0}});
    let summary = json!({"copy": 1, "skip": 1, "defer": 3, "refuse": 0, "untriedEngines": 0, "regions": regions});
    assert_eq!(last, json!({ "summary": summary }));
    assert_data_eq!(text.rsplit_once("{\"summary\"").unwrap().0, str![[r#"
{"action":"defer","reason":"not-visible-yet","snapshot":"snap-00000003","message":"EC2 does not show the snapshot to this account: not shared yet, or no longer. It is looked for at each tick for an hour, then four times an hour for a day."}
{"action":"copy","reason":"matched","snapshot":"snap-00000001","account":"111111111111","description":"nightly \\u{1b}[31m1","policy":"default","region":"eu-west-2","expireAfter":"2026-12-22T03:00:00Z","message":"It would be copied."}
{"action":"defer","reason":"region-unread","snapshot":"snap-00000001","account":"111111111111","description":"nightly \\u{1b}[31m1","policy":"default","region":"sa-east-1","message":"The existing copies could not be read in the target Region, so a copy could be a duplicate. If it stays so, look at the AWS Health Dashboard and at the way to the endpoint. The next sweep looks again.","error":{"code":"Timeout","message":"no answer"}}
{"action":"skip","reason":"already-copied","snapshot":"snap-00000002","account":"111111111111","description":"nightly 2","policy":"default","region":"eu-west-2","message":"snap-0c0c0c0c is a live copy of it."}
{"action":"defer","reason":"region-unread","snapshot":"snap-00000002","account":"111111111111","description":"nightly 2","policy":"default","region":"sa-east-1","message":"The existing copies could not be read in the target Region, so a copy could be a duplicate. If it stays so, look at the AWS Health Dashboard and at the way to the endpoint. The next sweep looks again.","error":{"code":"Timeout","message":"no answer"}}

"#]].raw());
}

#[test]
fn for_people() {
    let text = printed(Scope::Sweep { since: None }, false);
    for said in [
        "snap-00000001",
        "already-copied",
        "region-unread",
        "region-unread sa-east-1: Timeout: no answer\n",
        "sa-east-1: ",
        "eu-west-2: 1 protected, 0 in flight",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    assert!(!text.contains('\u{1b}'), "{text}");
}

#[test]
fn nothing_to_do() {
    let (facts, policies) = (facts(Scope::Events), policy::parse(POLICY).unwrap().policies);
    let facts = Facts { named: Vec::new(), snapshots: Ok(Vec::new()), ..facts };
    let plan = decided(&policies, &facts, time()).unwrap();
    let mut output = Vec::new();
    print_text(&plan, &facts, None, time(), &mut output).unwrap();
    assert_eq!((output.as_slice(), exit(&plan)), (&b"Nothing to do.\n"[..], Exit::Fine));
}

/// A group in a description is no way out for what has no description.
#[test]
fn a_copy_whose_database_nobody_names_says_so_with_the_way_out() {
    let plain = POLICY.replace("\"Encrypted\": true", "\"Encrypted\": false");
    let mut policies = policy::parse(&plain).unwrap().policies;
    policies[0].source_types = [policy::SourceType::DbSnapshot].into();
    let database = snapferry_core::facts::Database {
        arn: "arn:aws:rds:us-east-1:111111111111:snapshot:night".to_owned(),
        snapshot: "night".to_owned(),
        database: "orders".to_owned(),
        engine: "postgres".to_owned(),
        option_group: None,
        has_tde: false,
    };
    let unnamed = SourceSnapshot {
        kind: snapferry_core::facts::SourceKind::Instance(Box::new(database)),
        volume: VolumeId::of_database(""),
        encrypted: false,
        ..shared("snap-00000001", "")
    };
    let facts = Facts { snapshots: Ok(vec![unnamed]), ..facts(Scope::Events) };
    let plan = decided(&policies, &facts, time()).unwrap();
    let copy = plan.decisions.iter().find(|decision| would_copy(decision)).unwrap();
    let message = Row::new(copy, time()).message;
    assert!(message.contains("RDS names no instance or cluster for it") && !message.contains("volume"), "{message}");
}

#[test]
fn a_copy_whose_volume_nobody_names_says_so_with_the_ways_out() {
    let keep_none = POLICY.replace("\"RetainRule\": {", "\"RetainRule\": {\"KeepAtLeast\": 0, ");
    assert_ne!(keep_none, POLICY);
    for (document, is_said) in [(POLICY, true), (keep_none.as_str(), false)] {
        let policies = policy::parse(document).unwrap().policies;
        let unnamed =
            SourceSnapshot { volume: VolumeId::parse("vol-ffffffff").unwrap(), ..shared("snap-00000001", "nightly 1") };
        let facts = Facts { snapshots: Ok(vec![unnamed]), ..facts(Scope::Events) };
        let plan = decided(&policies, &facts, time()).unwrap();
        let copy = plan.decisions.iter().find(|decision| would_copy(decision)).unwrap();
        let message = Row::new(copy, time()).message;
        assert_eq!(
            message.contains("(?<volume>vol-...)") && message.contains("KeepAtLeast to 0"),
            is_said,
            "{message}"
        );
    }
}
