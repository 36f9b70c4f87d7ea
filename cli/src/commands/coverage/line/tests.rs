//! What stands in every form of the coverage.

use std::collections::{BTreeMap, HashMap};

use jiff::SignedDuration;
use serde_json::{Value, json};
use snapferry_core::coverage::{Coverage, Facts, Home, Standing, cover};
use snapferry_core::facts::{CallError, Copies, DescribedCopy, Inventory, KeyFact, KeyProblem, State};
use snapferry_core::ids::{AccountId, PolicyName, Region, SnapshotId, VolumeId};
use snapferry_core::ledger::{By, End, Extract, Identity, Obligation, State as Stands};
use snapferry_core::policy;
use snapferry_core::tags::ReadTags;

use super::*;
use crate::commands::coverage::{csv, html, json, scene::Scene, table};
use crate::terminal::lineages::Lineages;

const DOCUMENT: &str = r#"{"PolicyType": "EVENT_BASED_POLICY", "EventSource": {"Type": "MANAGED_CWE", "Parameters":
    {"EventType": "shareSnapshot", "SnapshotOwner": ["111111111111"]}}, "Actions": [{"Name": "copy", "CrossRegionCopy":
    [{"Target": "eu-west-1", "EncryptionConfiguration": {"Encrypted": false}}]}]}"#;

fn copies(status: &str, fact: KeyFact) -> Copies {
    let id = SnapshotId::parse("snap-c0000001").unwrap();
    let tags = [
        ("snapferry:policy", "default"),
        ("snapferry:source-snapshot", "snap-00000001"),
        ("snapferry:status", status),
        ("snapferry:copy", id.as_str()),
    ];
    let mut inventory = Inventory::default();
    inventory.add(DescribedCopy {
        owner: None,
        state: State::Completed,
        state_message: String::new(),
        encrypted: true,
        kms_key: Some("old".to_owned()),
        size_gib: 8,
        start_time: Timestamp::UNIX_EPOCH,
        tags: ReadTags::read(&id, tags),
        lock: None,
        description: Box::default(),
        database: None,
        id: id.clone(),
    });
    let mut copies = inventory.close();
    copies.note_keys([("old".into(), fact)].into());
    copies
}

fn facts(copies: Copies) -> Facts {
    Facts {
        account: AccountId::parse("222222222222").unwrap(),
        homes: vec![Home {
            region: Region::parse("us-east-1").unwrap(),
            retired: Default::default(),
            snapshots: Vec::new(),
            ledger: None,
        }],
        retired_policies: Default::default(),
        since: None,
        now: Timestamp::UNIX_EPOCH,
        regions: BTreeMap::from([(Region::parse("eu-west-1").unwrap(), copies)]),
        locks: HashMap::new(),
        proofs: HashMap::new(),
    }
}

fn with<T>(status: &str, fact: KeyFact, look: impl Fn(&Scene<'_>, &Coverage<'_>) -> T) -> T {
    let policies = policy::parse(DOCUMENT).unwrap().policies;
    let (account, home) = (AccountId::parse("222222222222").unwrap(), Region::parse("us-east-1").unwrap());
    let facts = facts(copies(status, fact));
    look(
        &Scene {
            now: Timestamp::UNIX_EPOCH,
            account: &account,
            homes: vec![&home],
            since: None,
            lineages: Lineages::Volumes,
            notes: Vec::new(),
        },
        &cover(&policies, &facts),
    )
}

#[test]
fn what_is_lost_with_its_key_has_not_failed() {
    let denied = CallError { code: "AccessDeniedException".to_owned(), message: String::new(), request_id: None };
    let doomed = || KeyFact::Unusable(KeyProblem::PendingDeletion);
    for (status, fact, life, standing, words, note) in [
        ("verified", KeyFact::Usable, "alive", Standing::Protected, "protected", ""),
        (
            "verified",
            doomed(),
            "doomed",
            Standing::Failed,
            "key lost",
            "Copies under old, which is about to be deleted: 1.",
        ),
        ("failed", doomed(), "doomed", Standing::Failed, "failed", ""),
        (
            "verified",
            KeyFact::Unusable(KeyProblem::Disabled),
            "in-doubt",
            Standing::Protected,
            "protected",
            "is disabled: 1.",
        ),
        (
            "verified",
            KeyFact::Unusable(KeyProblem::AccessDenied(denied)),
            "in-doubt",
            Standing::Protected,
            "protected",
            "KMS does not show 1 key of copies to these credentials",
        ),
    ] {
        with(status, fact, |scene, coverage| {
            let [row] = coverage.rows.as_slice() else { panic!("one row expected, not {:?}", coverage.rows) };
            assert_eq!((row.standing, state(row), Line::new(row, scene.now).key_life), (standing, words, Some(life)));
            let notes = table::notes(scene, coverage, coverage.total());
            assert!(note.is_empty() || notes.iter().any(|said| said.contains(note)), "{notes:?}");
            let mut out = Vec::new();
            json::write(&mut out, scene, coverage).unwrap();
            let report: serde_json::Value = serde_json::from_slice(&out).unwrap();
            assert_eq!(report["rows"][0]["keyLife"], life);
            let lost = report["endangeredKeys"].as_array().unwrap().iter().map(|key| key["life"].as_str().unwrap());
            assert_eq!(lost.collect::<Vec<_>>(), if note.is_empty() { vec![] } else { vec![life] });
        });
    }
}

#[test]
fn a_volume_that_dropped_out_is_named_in_every_form_and_is_no_finding() {
    let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
    let at = |days: i64| (now - SignedDuration::from_hours(24 * days)).to_string();
    for (newest, count, said) in [
        (
            5,
            1,
            "of 1 volume for over three of the usual intervals: 111111111111 vol-00000001 (newest 5 d 0 h ago, usually each 1 d 0 h);",
        ),
        (5, 12, ", and 2 more, which --json and --csv name;"),
        (3, 0, ""),
    ] {
        let mut inventory = Inventory::default();
        for (volume, age) in (1..=count.max(1)).flat_map(|volume| (newest..newest + 4).map(move |age| (volume, age))) {
            let id = SnapshotId::parse(&format!("snap-c{volume:03x}{age:04x}")).unwrap();
            let tags = [
                ("snapferry:policy", "default".to_owned()),
                ("snapferry:source-snapshot", id.as_str().replace("snap-c", "snap-5")),
                ("snapferry:source-account", "111111111111".to_owned()),
                ("snapferry:source-region", "us-east-1".to_owned()),
                ("snapferry:source-volume", format!("vol-{volume:08x}")),
                ("snapferry:source-size-gib", "8".to_owned()),
                ("snapferry:source-start-time", at(age)),
                ("snapferry:expire-after", at(-30)),
                ("snapferry:status", "verified".to_owned()),
                ("snapferry:copy", id.to_string()),
            ];
            inventory.add(DescribedCopy {
                owner: None,
                state: State::Completed,
                state_message: String::new(),
                encrypted: true,
                kms_key: None,
                size_gib: 8,
                start_time: now,
                tags: ReadTags::read(&id, tags.iter().map(|(key, value)| (*key, value.as_str()))),
                lock: None,
                description: Box::default(),
                database: None,
                id,
            });
        }
        let policies = policy::parse(DOCUMENT).unwrap().policies;
        let facts = Facts { now, ..facts(inventory.close()) };
        let coverage = cover(&policies, &facts);
        let (account, home) = (AccountId::parse("222222222222").unwrap(), Region::parse("us-east-1").unwrap());
        let scene = Scene {
            now,
            account: &account,
            homes: vec![&home],
            since: None,
            lineages: Lineages::Volumes,
            notes: Vec::new(),
        };
        let notes = table::notes(&scene, &coverage, coverage.total()).join("\n");
        let (mut json, mut csv, mut html) = (Vec::new(), Vec::new(), Vec::new());
        json::write(&mut json, &scene, &coverage).unwrap();
        csv::write(&mut csv, &coverage).unwrap();
        html::write(&mut html, &scene, &coverage).unwrap();
        let report: serde_json::Value = serde_json::from_slice(&json).unwrap();
        let (csv, html) = (String::from_utf8(csv).unwrap(), String::from_utf8(html).unwrap());
        assert_eq!(coverage.total().findings(), 0);
        assert_eq!(notes.contains("usual intervals"), count > 0);
        assert!(notes.contains(said) && html.contains(said), "{notes}");
        assert_eq!(report["droppedVolumes"].as_array().unwrap().len(), count);
        if count > 0 {
            let first =
                json!({"account": "111111111111", "volume": "vol-00000001", "newest": at(5), "usualSeconds": 86_400});
            assert_eq!(report["droppedVolumes"][0], first);
        }
        assert_eq!(csv.matches(",us-east-1,true,metadata,,\r\n").count(), count * 4);
        assert_eq!(csv.matches(",us-east-1,false,metadata,,\r\n").count(), if count == 0 { 4 } else { 0 });
    }
}

#[test]
fn what_the_ledger_says_stands_in_every_form() {
    let region = Region::parse("eu-west-1").unwrap();
    let missed = |number: u32, state| {
        let id = SnapshotId::parse(&format!("snap-{number:08x}")).unwrap();
        let policy = PolicyName::parse("default").unwrap();
        Obligation {
            identity: Identity { policy, source: id, region: region.clone() },
            account: AccountId::parse("111111111111").unwrap(),
            arn: None,
            lineage: VolumeId::parse("vol-00000001").unwrap(),
            start: Timestamp::UNIX_EPOCH,
            by: By::Sweep,
            wanted: Timestamp::UNIX_EPOCH,
            generation: 0,
            state,
            refused: 2,
            put_off: 0,
            failed: 0,
            gone: None,
            ending: None,
            revision: 0,
        }
    };
    let now = Timestamp::UNIX_EPOCH + SignedDuration::from_mins(3);
    let ended = Stands::Ended { at: now, why: End::Missed, copy: None };
    let mut extract = Extract::default();
    extract.add(&missed(1, ended), now);
    extract.add(&missed(2, Stands::Delayed { since: now }), now);
    let policies = policy::parse(DOCUMENT).unwrap().policies;
    let (account, home) = (AccountId::parse("222222222222").unwrap(), Region::parse("us-east-1").unwrap());
    for (ledger, note) in [(Some(extract.close()), None), (None, Some("not read"))] {
        let mut facts = facts(Copies::default());
        facts.homes[0].ledger = ledger;
        let coverage = cover(&policies, &facts);
        let scene = Scene {
            now,
            account: &account,
            homes: vec![&home],
            since: None,
            lineages: Lineages::Volumes,
            notes: Vec::from_iter(note.map(str::to_owned)),
        };
        let notes = table::notes(&scene, &coverage, coverage.total());
        let (mut json, mut csv, mut html) = (Vec::new(), Vec::new(), Vec::new());
        json::write(&mut json, &scene, &coverage).unwrap();
        csv::write(&mut csv, &coverage).unwrap();
        html::write(&mut html, &scene, &coverage).unwrap();
        let report: serde_json::Value = serde_json::from_slice(&json).unwrap();
        let (csv, html) = (String::from_utf8(csv).unwrap(), String::from_utf8(html).unwrap());
        assert_eq!(csv.lines().count(), coverage.rows.len() + 1);
        if note.is_some() {
            assert_eq!(notes, ["not read"]);
            assert_eq!((&report["total"]["missed"], &report["ledger"]["note"]), (&Value::Null, &json!("not read")));
            assert!(html.contains("<li>not read</li>") && !html.contains("state missed"));
            continue;
        }
        assert!(notes.iter().any(|said| said.starts_with("The ledger owes 1 copy of")), "{notes:?}");
        assert_eq!((&report["total"]["missed"], &report["total"]["owed"]), (&json!(1), &json!(1)));
        let rows: Vec<_> = report["rows"].as_array().unwrap().iter().map(|row| &row["owed"]).collect();
        assert_eq!((&rows[0]["state"], &rows[1]["until"]), (&json!("missed"), &json!("1970-01-01T00:05:00Z")));
        assert!(csv.contains("1970-01-01T00:00:00Z,missed,,2,0,us-east-1,false,,,\r\n"), "{csv}");
        assert!(csv.contains("1970-01-01T00:00:00Z,delayed,1970-01-01T00:05:00Z,2,0,us-east-1,false,,,\r\n"), "{csv}");
        assert!(html.contains("<td>3 min missed, refused 2</td>"), "{html}");
    }
}
