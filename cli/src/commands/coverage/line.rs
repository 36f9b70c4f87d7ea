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
