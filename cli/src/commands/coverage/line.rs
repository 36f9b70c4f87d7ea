//! One row in the words of all outputs for machines.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use snapferry_core::coverage::Row;

/// A row with its members' names.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Line<'f> {
    /// `failed`, `missing`, `in-flight` or `protected`.
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
}

impl<'f> Line<'f> {
    pub(super) fn new(row: &Row<'f>, now: Timestamp) -> Self {
        let copy = row.copy;
        let held = row.lock;
        Self {
            state: row.standing.as_str(),
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
        }
    }
}

/// How a row stands, for people: what is lost with its key has not failed.
pub(super) fn state(row: &Row<'_>) -> &'static str {
    if row.is_lost_with_its_key() { "key lost" } else { row.standing.as_str() }
}

/// A time span for people: its two greatest units.
pub(super) fn span(time: SignedDuration) -> String {
    let seconds = time.as_secs().max(0);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days @ 1..=13, hours, _) => format!("{days} d {hours} h"),
        (days, _, _) => format!("{days} d"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};

    use snapferry_core::coverage::{Coverage, Facts, Standing, cover};
    use snapferry_core::facts::{CallError, Copies, DescribedCopy, Inventory, KeyFact, KeyProblem, State};
    use snapferry_core::ids::{AccountId, Region, SnapshotId};
    use snapferry_core::policy;
    use snapferry_core::tags::ReadTags;

    use super::*;
    use crate::commands::coverage::{json, scene::Scene, table};

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

    fn with<T>(status: &str, fact: KeyFact, look: impl Fn(&Scene<'_>, &Coverage<'_>) -> T) -> T {
        let policies = policy::parse(DOCUMENT).unwrap().policies;
        let (account, home) = (AccountId::parse("222222222222").unwrap(), Region::parse("us-east-1").unwrap());
        let facts = Facts {
            account: account.clone(),
            homes: [home.clone()].into(),
            retired_policies: Default::default(),
            since: None,
            snapshots: Vec::new(),
            regions: BTreeMap::from([(Region::parse("eu-west-1").unwrap(), copies(status, fact))]),
            locks: HashMap::new(),
        };
        look(
            &Scene { now: Timestamp::UNIX_EPOCH, account: &account, home: &home, since: None },
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
                let notes = table::notes(coverage, coverage.total());
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
}
