//! What a line of the audit says.

use jiff::Timestamp;
use serde::Serialize;

use super::proof::Proof;
use super::reason::Reason;
use super::run::{Expiry, Proofs, Verification, Volume};
use super::sweep::{Coverage, Owner, Sweep};
use crate::facts::CallError;
use crate::ids::{Region, SnapshotId};
use crate::kind::SourceType;
use crate::tags::{Lock, ReadTags, Status};
use crate::text::printable;
use crate::version;

/// The record format's name and version, in every line.
pub const FORMAT: &str = "snapferry/1";

/// One decision, outcome or count, as the audit tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// [`FORMAT`].
    pub audit: &'static str,
    /// The program's version, and its commit where it is of a release.
    pub version: &'static str,
    /// When the line was written, RFC 3339 in UTC.
    pub time: Timestamp,
    /// What happened and why: the members `event` and `reason`.
    #[serde(flatten)]
    pub reason: Reason,
    /// In plain words what happened and what to do next. Never holds text that a sender wrote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What made the function run: `event`, `sweep`, `serve` or `schedule`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger: Option<&'static str>,
    /// The EventBridge event's or the tick's ID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger_id: Option<String>,
    /// The policy's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// The shared snapshot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// The copy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copy: Option<Copy>,
    /// What the service said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Error>,
    /// What is wrong with an event that was not acted on; may quote it, escaped and bounded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// An unreadable event's body: escaped, bounded, and whatever a sender chose to write.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Everything in which a rejected copy differs from what was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<String>,
    /// What does not count against a copy and deserves a look, also of the event that named its source.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// How many copies a summary stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// What was read and compared of a copy's content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proof>,
    /// A sweep's counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sweep: Option<Sweep>,
    /// How one target Region stands at the end of a sweep.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coverage: Option<Coverage>,
    /// What a sweep knows of one owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
    /// What a run of verify-copies did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verification: Option<Verification>,
    /// What a run of prove-copies did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proofs: Option<Proofs>,
    /// What a run of delete-expired-copies did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiry: Option<Expiry>,
    /// A volume that dropped out of its account's backups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume: Option<Volume>,
}

/// The shared snapshot of a record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Source {
    /// Of what it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<&'static str>,
    /// Its ID.
    pub snapshot: String,
    /// Of a database's its ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    /// Its owner as EC2 says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Its Region.
    pub region: String,
    /// Its volume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume: Option<String>,
    /// Its volume's size in GiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_gib: Option<u32>,
    /// When it was started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time: Option<Timestamp>,
    /// Whether it is encrypted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encrypted: Option<bool>,
    /// Text that its owner wrote, escaped and bounded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// The copy of a record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Copy {
    /// Its ID, once there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<String>,
    /// The target Region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The key it was asked to be encrypted under.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_key: Option<String>,
    /// When it may be deleted, RFC 3339 in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expire_after: Option<Timestamp>,
    /// What is known of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// Whether it is locked, if it should be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lock: Option<Lock>,
    /// The other live copies of the same identity.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<String>,
    /// Seconds from its start to its verdict.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds_since_start: Option<i64>,
    /// Seconds from the start of its source to its verdict.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds_since_source: Option<i64>,
    /// Seconds from when it was first wanted to its verdict, or to its end without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds_since_wanted: Option<i64>,
}

/// What a service said when it refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Error {
    /// The service's code.
    pub code: String,
    /// The service's message.
    pub message: String,
    /// The request's ID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

impl Record {
    /// A record with nothing but its event, reason and time.
    #[must_use]
    pub fn new(reason: impl Into<Reason>, time: Timestamp) -> Self {
        Self {
            audit: FORMAT,
            version: version::semantic(),
            time,
            reason: reason.into(),
            message: None,
            trigger: None,
            trigger_id: None,
            policy: None,
            source: None,
            copy: None,
            error: None,
            problem: None,
            body: None,
            differences: Vec::new(),
            warnings: Vec::new(),
            count: None,
            proof: None,
            sweep: None,
            coverage: None,
            owner: None,
            verification: None,
            proofs: None,
            expiry: None,
            volume: None,
        }
    }

    /// Adds the plain words.
    #[must_use]
    pub fn message(mut self, message: String) -> Self {
        self.message = Some(message);
        self
    }

    /// Adds what the service said, if it said something.
    #[must_use]
    pub fn error(mut self, error: Option<&CallError>) -> Self {
        self.error = error.map(Error::from);
        self
    }

    /// The same as a function has to say it that is about snapshots of one kind: what holds of EC2 holds there of the service that makes
    /// them.
    #[must_use]
    pub fn of_kind(mut self, kind: SourceType) -> Self {
        if let Some(source) = &mut self.source {
            source.kind = Some(kind.as_str());
        }
        if let Some(owner) = &mut self.owner {
            owner.kind = Some(kind.as_str());
        }
        if kind.is_of_databases() {
            self.message = self.message.map(|message| message.replace("EC2", "RDS"));
        }
        self
    }

    /// Adds that a schedule made the function run, and which of its executions, where it said so.
    #[must_use]
    pub fn scheduled(mut self, run: Option<&str>) -> Self {
        self.trigger = Some("schedule");
        self.trigger_id = run.map(|run| crate::text::printable(run, 80));
        self
    }
}

impl From<&CallError> for Error {
    fn from(error: &CallError) -> Self {
        Self {
            code: printable(&error.code, 128),
            message: printable(&error.message, 1024),
            request_id: error.request_id.as_ref().map(|id| printable(id, 128)),
        }
    }
}

impl Source {
    /// What a copy's tags say of its source; nothing when they do not say which snapshot it is.
    #[must_use]
    pub fn of_tags(tags: &ReadTags) -> Option<Self> {
        Some(Self {
            kind: None,
            snapshot: tags.source_snapshot.as_ref()?.to_string(),
            arn: None,
            account: tags.source_account.as_ref().map(ToString::to_string),
            region: tags.source_region.as_ref()?.to_string(),
            volume: tags.source_volume.as_ref().map(ToString::to_string),
            size_gib: tags.source_size_gib,
            start_time: tags.source_start_time,
            encrypted: None,
            description: None,
        })
    }
}

impl Copy {
    /// A copy as its tags describe it.
    #[must_use]
    pub fn of_tags(id: &SnapshotId, region: &Region, tags: &ReadTags) -> Self {
        Self {
            snapshot: Some(id.to_string()),
            region: Some(region.to_string()),
            kms_key: tags.kms_key.as_ref().map(ToString::to_string),
            expire_after: tags.expire_after,
            status: tags.status,
            lock: tags.lock,
            ..Self::default()
        }
    }
}
