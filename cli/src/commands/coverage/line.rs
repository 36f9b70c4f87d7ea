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
    /// Of a database's snapshot, while it is shared or the ledger knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) arn: Option<&'f str>,
    pub(super) account: Option<&'f str>,
    pub(super) volume: Option<&'f str>,
    pub(super) size_gib: Option<u32>,
    pub(super) started: Option<Timestamp>,
    pub(super) age_seconds: Option<i64>,
    /// The owner's text.
    pub(super) description: Option<&'f str>,
    pub(super) home: &'f str,
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
    /// What was proven of the copy's content: `metadata` where nothing was read.
    pub(super) proof: Option<&'f str>,
    pub(super) proved: Option<Timestamp>,
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
            arn: row.arn(),
            account: row.account(),
            volume: row.lineage(),
            size_gib: row.source.map(|source| source.size_gib),
            started: row.started(),
            age_seconds: row.started().map(|started| now.duration_since(started).as_secs().max(0)),
            description: row.source.map(|source| &*source.description),
            home: row.home.as_str(),
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
            proof: row.copy.map(|_| row.proof.map_or("metadata", |proof| &*proof.level)),
            proved: row.proof.map(|proof| proof.at),
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
mod tests;
