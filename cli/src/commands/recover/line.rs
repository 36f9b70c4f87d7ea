//! A point, and a volume without one, in the words of the outputs for machines.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use snapferry_core::ids::AccountId;
use snapferry_core::recovery::{Attachment, Point, Unrecoverable, Wanted};

/// A point with its members' names.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PointLine<'f> {
    pub(super) account: &'f str,
    pub(super) volume: &'f str,
    /// The name of the database that it is of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) database: Option<&'f str>,
    pub(super) region: &'f str,
    /// The copy to restore from.
    pub(super) snapshot: &'f str,
    pub(super) source: &'f str,
    pub(super) policy: &'f str,
    /// When the source was started.
    pub(super) started: Timestamp,
    /// How much older that is than the wanted time.
    pub(super) age_seconds: i64,
    pub(super) size_gib: u32,
    /// Absent while the copy is under none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<&'f str>,
    pub(super) expire_after: Option<Timestamp>,
    /// `metadata` where nothing else was proven.
    pub(super) proof: &'f str,
    pub(super) proved: Option<Timestamp>,
    /// How many older points the volume has in the Region.
    pub(super) older: usize,
    /// Its place among `sets`.
    pub(super) set: Option<usize>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub(super) attachment: Option<AttachmentLine<'f>>,
}

/// What the inventory says.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct AttachmentLine<'f> {
    pub(super) instance: &'f str,
    pub(super) device: &'f str,
    pub(super) name: &'f str,
}

/// A volume without a point.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UnrecoverableLine<'f> {
    pub(super) account: Option<&'f str>,
    pub(super) volume: &'f str,
    /// How many copies of it are no points, by reason.
    pub(super) passed_over: BTreeMap<&'static str, usize>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub(super) attachment: Option<AttachmentLine<'f>>,
}

impl<'f> PointLine<'f> {
    pub(super) fn new(point: &'f Point<'_>, wanted: &'f Wanted, at: Timestamp) -> Self {
        let proof = point.detail.proof.as_ref();
        Self {
            account: point.account.as_str(),
            volume: point.volume.as_str(),
            database: Some(point.detail.database.as_str()).filter(|name| !name.is_empty()),
            region: point.region.as_str(),
            snapshot: point.copy.id.as_str(),
            source: point.copy.source.as_str(),
            policy: point.copy.origin.policy.as_str(),
            started: point.started,
            age_seconds: at.duration_since(point.started).as_secs().max(0),
            size_gib: point.detail.size_gib,
            key: point.copy.origin.key.as_deref(),
            expire_after: point.copy.expire_after.get(),
            proof: proof.map_or("metadata", |proof| &proof.level),
            proved: proof.map(|proof| proof.at),
            older: point.older,
            set: point.set,
            attachment: wanted.attachments.get(point.volume).map(AttachmentLine::new),
        }
    }
}

impl<'f> UnrecoverableLine<'f> {
    pub(super) fn new(volume: &'f Unrecoverable<'_>, wanted: &'f Wanted) -> Self {
        Self {
            account: volume.account.map(AccountId::as_str),
            volume: volume.volume.as_str(),
            passed_over: volume.passed.iter().map(|(reason, count)| (reason.as_str(), *count)).collect(),
            attachment: wanted.attachments.get(volume.volume).map(AttachmentLine::new),
        }
    }
}

impl<'f> AttachmentLine<'f> {
    fn new(attachment: &'f Attachment) -> Self {
        let Attachment { instance, device, name } = attachment;
        Self { instance, device, name }
    }
}
