//! What `AlreadyExists` means: the copy that was asked for before, or something else under its name.

use jiff::Timestamp;

use crate::ids::KeyArn;

/// The copy that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The tags that the request gives it.
    pub tags: Vec<(String, String)>,
    /// The source's ARN.
    pub source_arn: String,
    /// The source's `SnapshotCreateTime`.
    pub source_created: Timestamp,
    /// The key asked for; none for a copy in the clear.
    pub key: Option<KeyArn>,
}

/// What has the name, as RDS describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// `Status`.
    pub status: String,
    /// `TagList`.
    pub tags: Vec<(String, String)>,
    /// `SourceDBSnapshotIdentifier` or `SourceDBClusterSnapshotArn`.
    pub source_arn: Option<String>,
    /// The creation time of its source, as its own tag says: RDS gives a copy a time of its own.
    pub source_created: Option<Timestamp>,
    /// Whether it is, or will be, encrypted.
    pub encrypted: bool,
    /// `KmsKeyId`.
    pub key: Option<KeyArn>,
}

/// What follows from the name's being taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// It is the copy that was asked for, and it runs or is there: the request has succeeded.
    Ours,
    /// It is that copy, and RDS is doing something else with it or has given it up: it is neither success nor a stranger's,
    /// and is looked at again.
    OursUnusable,
    /// It is something else, which is told and never touched: `name-taken`.
    Taken(Disagreement),
}

/// In what the holder differs from what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Disagreement {
    /// A tag of the request is missing or has another value.
    Tags,
    /// It is a copy of another snapshot, or of none.
    Source,
    /// It is a copy of another snapshot that had the same name.
    SourceCreated,
    /// It is under another key, or in the clear, or under a key where none was asked for.
    Key,
}

/// Judges what holds the name of `asked`.
#[must_use]
pub fn judge(asked: &Asked, holder: &Holder) -> Held {
    if let Some(disagreement) = disagreement(asked, holder) {
        return Held::Taken(disagreement);
    }
    match holder.status.as_str() {
        "available" | "copying" => Held::Ours,
        _ => Held::OursUnusable,
    }
}

fn disagreement(asked: &Asked, holder: &Holder) -> Option<Disagreement> {
    if !asked.tags.iter().all(|tag| holder.tags.contains(tag)) {
        Some(Disagreement::Tags)
    } else if holder.source_arn.as_ref() != Some(&asked.source_arn) {
        Some(Disagreement::Source)
    } else if holder.source_created != Some(asked.source_created) {
        Some(Disagreement::SourceCreated)
    } else if holder.encrypted != asked.key.is_some() || holder.key != asked.key {
        Some(Disagreement::Key)
    } else {
        None
    }
}
