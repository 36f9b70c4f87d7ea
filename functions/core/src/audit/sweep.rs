//! What a sweep leaves in the audit: how each target Region and each owner stands, and the whole.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::reason::{CopyDeferred, CopyRefused};

/// What a sweep found; one identity is (policy, source snapshot, target Region).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sweep {
    /// The ID of the tick.
    pub id: String,
    /// Snapshots that the policies' owners share.
    pub shared: u64,
    /// Those that at least one policy wants.
    pub matching: u64,
    /// Those ignored because they were started before `SNAPFERRY_SWEEP_SINCE`.
    pub before_since: u64,
    /// Identities without a live copy that the sweep leaves, because their source is older than their retention.
    pub over_retention: u64,
    /// Identities with a verified copy.
    pub protected: u64,
    /// Identities with a copy under way or not verified yet, those just started included.
    pub in_flight: u64,
    /// Copies started by this sweep.
    pub started: u64,
    /// Identities without a live copy after this sweep.
    pub missing: u64,
    /// Identities of which nothing is known, because their target Region could not be read.
    pub unknown: u64,
    /// Identities that are not proven protected: in flight, missing or unknown.
    pub unprotected: u64,
    /// Deferred identities by reason.
    pub deferred: BTreeMap<CopyDeferred, u64>,
    /// Refused identities and copies with malformed tags by reason, those included that were told within the last day.
    pub refused: BTreeMap<CopyRefused, u64>,
    /// Copies that EC2 refused to start.
    pub failed: u64,
    /// The configured keys that cannot encrypt a copy, with the reason that a copy would be refused for.
    pub unusable_keys: BTreeMap<String, CopyRefused>,
    /// For how long the oldest identity without a live copy has been so, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest_missing_seconds: Option<i64>,
    /// For how long the worst of the unprotected identities has been so, in seconds: since it is wanted. Where the ledger does not
    /// say, with its first copy under way since that was started, else since its source was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest_unprotected_seconds: Option<i64>,
    /// How long ago the newest snapshot of the most silent owner was started, in seconds; absent when nobody is to be
    /// heard from, or one was never seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub most_silent_owner_seconds: Option<i64>,
    /// The owners that have been silent for longer than they may; see [`Owner::is_silent`].
    pub silent_owners: Vec<String>,
    /// The enabled policies that name databases, of which this stack copies none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unserved_policies: Vec<String>,
    /// Owners of which nothing was ever seen.
    pub owners_never_seen: u64,
    /// Owners that an enabled policy names.
    pub owners: u64,
    /// How long the sweep took, in milliseconds.
    pub duration_ms: u64,
    /// Calls made to EC2 and KMS, retries not counted.
    pub calls: u64,
}

/// How one target Region stands; one identity is (policy, source snapshot, target Region).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Coverage {
    /// The target Region.
    pub region: String,
    /// Identities with a verified copy.
    pub protected: u64,
    /// Identities with a copy under way or not verified yet.
    pub in_flight: u64,
    /// Identities without a live copy.
    pub missing: u64,
    /// Identities of which nothing is known.
    pub unknown: u64,
    /// Identities that are not proven protected: in flight, missing or unknown.
    pub unprotected: u64,
    /// For how long the worst of the unprotected identities has been so, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest_unprotected_seconds: Option<i64>,
}

/// What a sweep knows of one owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Owner {
    /// The owner: a `SnapshotOwner` of an enabled policy.
    pub account: String,
    /// The kind of snapshots that the sweep was about; the function that writes the record knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<&'static str>,
    /// When the newest of its snapshots that a policy wants was started, shared still or copied earlier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newest: Option<Timestamp>,
    /// How long ago that was, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds_since_newest: Option<i64>,
    /// Whether that is longer ago than it may be, or nothing was ever seen.
    #[serde(rename = "silent")]
    pub is_silent: bool,
    /// After how many hours it counts as silent; absent: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub silent_after_hours: Option<u32>,
}
