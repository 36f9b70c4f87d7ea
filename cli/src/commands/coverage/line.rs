//! One row in the words of all outputs for machines.

use jiff::Timestamp;
use serde::Serialize;
use snapferry_core::coverage::{Row, Standing};
use snapferry_core::ledger::Owed;

use crate::account::owed::OwedLine;

/// A row with its members' names.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Line<'f> {
    /// `failed`, `missing`, `in-flight` or `protected`; of what the ledger alone tells, `missed` or `owed`.
    pub(super) state: &'static str,
    /// Whether the source is still shared and wanted; what is not is history.
    pub(super) shared: bool,
    pub(super) policy: &'f str,
    pub(super) source: &'f str,
    pub(super) account: Option<&'f str>,
    pub(super) volume: Option<&'f str>,
    pub(super) size_gib: Option<u32>,
    pub(super) started: Option<Timestamp>,
    pub(super) age_seconds: Option<i64>,
    /// The owner's text.
    pub(super) description: Option<&'f str>,
    pub(super) region: &'f str,
    pub(super) copy: Option<&'f str>,
    pub(super) copy_started: Option<Timestamp>,
    pub(super) settled: Option<Timestamp>,
    pub(super) seconds_to_protect: Option<i64>,
    pub(super) key: Option<&'f str>,
    /// `alive`, `in-doubt` or `doomed`.
    pub(super) key_life: Option<&'static str>,
    pub(super) expire_after: Option<Timestamp>,
    /// `pending` or `locked`, as the copy's tag says.
    pub(super) lock: Option<&'static str>,
    /// `governance` or `compliance`, as EC2 holds it.
    pub(super) lock_mode: Option<&'static str>,
    pub(super) locked_until: Option<Timestamp>,
    /// How many copies of this source there are in the Region, failed ones included.
    pub(super) copies: usize,
    /// Whether somebody edited the copy's tags.
    pub(super) tags_edited: bool,
    /// Whether nobody named the volume of the copy's source.
    pub(super) volume_unknown: bool,
    /// Since when its copy is or was wanted, as the ledger says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) wanted: Option<Timestamp>,
    /// What is owed of it, unless it is protected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) owed: Option<OwedLine<'f>>,
}

impl<'f> Line<'f> {
    pub(super) fn new(row: &Row<'f>, now: Timestamp) -> Self {
        let copy = row.copy;
        let held = row.lock;
        Self {
            state: row.state(),
            shared: row.is_shared(),
            policy: row.policy.as_str(),
            source: row.snapshot(),
            account: row.account(),
            volume: row.lineage(),
            size_gib: row.source.map(|source| source.size_gib),
            started: row.started(),
            age_seconds: row.started().map(|started| now.duration_since(started).as_secs().max(0)),
            description: row.source.map(|source| &*source.description),
            region: row.region.as_str(),
            copy: copy.map(|copy| copy.id.as_str()),
            copy_started: copy.map(|copy| copy.start_time),
            settled: copy.and_then(|copy| copy.settled_at.get()),
            seconds_to_protect: row.time_to_protect().map(|time| time.as_secs()),
            key: copy.and_then(|copy| copy.origin.key.as_deref()),
            key_life: copy.map(|copy| copy.origin.life.as_str()),
            expire_after: copy.and_then(|copy| copy.expire_after.get()),
            lock: copy.and_then(|copy| copy.lock).map(snapferry_core::tags::Lock::as_str),
            lock_mode: held.map(|held| held.mode.as_str()),
            locked_until: held.and_then(|held| held.until),
            copies: row.copies,
            tags_edited: copy.is_some_and(|copy| copy.is_tampered),
            volume_unknown: row.is_lineage_unknown(),
            wanted: row.entry.map(|entry| entry.wanted()),
            owed: owed(row).map(OwedLine::new),
        }
    }
}

/// What is owed of a row. What is protected waits for nothing but the verifier's word in the ledger.
pub(super) fn owed<'f>(row: &Row<'f>) -> Option<&'f Owed> {
    row.owed().filter(|_| row.standing != Standing::Protected)
}

/// How a row stands, for people: what is lost with its key has not failed.
pub(super) fn state(row: &Row<'_>) -> &'static str {
    if row.is_lost_with_its_key() && !row.is_missed() { "key lost" } else { row.state() }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};

    use jiff::SignedDuration;
    use serde_json::{Value, json};
    use snapferry_core::coverage::{Coverage, Facts, Standing, cover};
    use snapferry_core::facts::{CallError, Copies, DescribedCopy, Inventory, KeyFact, KeyProblem, State};
    use snapferry_core::ids::{AccountId, PolicyName, Region, SnapshotId, VolumeId};
    use snapferry_core::ledger::{By, End, Extract, Identity, Obligation, State as Stands};
    use snapferry_core::policy;
    use snapferry_core::tags::ReadTags;

    use super::*;
    use crate::commands::coverage::{csv, html, json, scene::Scene, table};

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
            id: id.clone(),
        });
        let mut copies = inventory.close();
        copies.note_keys([("old".into(), fact)].into());
        copies
    }

    fn facts(copies: Copies) -> Facts {
        Facts {
            account: AccountId::parse("222222222222").unwrap(),
            homes: [Region::parse("us-east-1").unwrap()].into(),
            retired_policies: Default::default(),
            since: None,
            now: Timestamp::UNIX_EPOCH,
            snapshots: Vec::new(),
            regions: BTreeMap::from([(Region::parse("eu-west-1").unwrap(), copies)]),
            locks: HashMap::new(),
            ledger: None,
        }
    }

    fn with<T>(status: &str, fact: KeyFact, look: impl Fn(&Scene<'_>, &Coverage<'_>) -> T) -> T {
        let policies = policy::parse(DOCUMENT).unwrap().policies;
        let (account, home) = (AccountId::parse("222222222222").unwrap(), Region::parse("us-east-1").unwrap());
        let facts = facts(copies(status, fact));
        look(
            &Scene { now: Timestamp::UNIX_EPOCH, account: &account, home: &home, since: None, note: None },
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
                assert_eq!(
                    (row.standing, state(row), Line::new(row, scene.now).key_life),
                    (standing, words, Some(life))
                );
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
    fn what_the_ledger_says_stands_in_every_form() {
        let region = Region::parse("eu-west-1").unwrap();
        let missed = |number: u32, state| {
            let id = SnapshotId::parse(&format!("snap-{number:08x}")).unwrap();
            let policy = PolicyName::parse("default").unwrap();
            Obligation {
                identity: Identity { policy, source: id, region: region.clone() },
                account: AccountId::parse("111111111111").unwrap(),
                lineage: VolumeId::parse("vol-00000001").unwrap(),
                start: Timestamp::UNIX_EPOCH,
                by: By::Sweep,
                wanted: Timestamp::UNIX_EPOCH,
                generation: 0,
                state,
                refused: 2,
                failed: 0,
                gone: None,
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
            let facts = Facts { ledger, ..facts(Copies::default()) };
            let coverage = cover(&policies, &facts);
            let scene = Scene { now, account: &account, home: &home, since: None, note };
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
            assert!(csv.contains("1970-01-01T00:00:00Z,missed,,2,0\r\n"), "{csv}");
            assert!(csv.contains("1970-01-01T00:00:00Z,delayed,1970-01-01T00:05:00Z,2,0\r\n"), "{csv}");
            assert!(html.contains("<td>3 min missed, refused 2</td>"), "{html}");
        }
    }
}
