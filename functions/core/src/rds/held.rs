//! What `AlreadyExists` means: the copy that was asked for before, or something else under its name.

use jiff::Timestamp;

use super::described::{AVAILABLE, COPYING, Own};
use crate::ids::KeyArn;
use crate::tags::{STATUS, Status};

/// The copy that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The tags by which it is known, whenever it was asked for: not those that tell of its time or its verdict.
    pub tags: Vec<(String, String)>,
    /// The source's ARN.
    pub source_arn: String,
    /// The source's `SnapshotCreateTime`.
    pub source_created: Timestamp,
    /// The key asked for; none for a copy in the clear.
    pub key: Option<KeyArn>,
}

/// What follows from the name's being taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// It is the copy that was asked for, and it runs or is there: the request has succeeded.
    Ours,
    /// It is that copy, and RDS is doing something else with it or has given it up, or it was found bad: it is neither success nor
    /// a stranger's, and the next attempt has another name.
    OursUnusable,
    /// It is something else, which is told and never touched: `name-taken`.
    Taken(Disagreement),
}

/// In what the holder differs from what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Disagreement {
    /// It is a copy of another snapshot, or of none.
    Source,
    /// It is a copy of another snapshot that had the same name.
    SourceCreated,
    /// It is under another key, or in the clear, or under a key where none was asked for.
    Key,
    /// A tag of the request is missing or has another value.
    Tags,
}

impl Disagreement {
    /// What it is, as a clause behind the holder's name.
    #[must_use]
    pub fn clause(self) -> &'static str {
        match self {
            Self::Source => "is not a copy of this snapshot by what RDS says of it",
            Self::SourceCreated => "is by its tag snapferry:source-start-time no copy of this snapshot",
            Self::Key => "is not encrypted as was asked for",
            Self::Tags => "has not the tags that were asked for: one was edited or removed",
        }
    }
}

/// Judges what holds the name of `asked`.
#[must_use]
pub fn judge(asked: &Asked, holder: &Own) -> Held {
    if let Some(disagreement) = disagreement(asked, holder) {
        return Held::Taken(disagreement);
    }
    let verdict = holder.tag(STATUS).and_then(Status::parse);
    match (holder.status.as_str(), verdict) {
        (_, Some(Status::Failed | Status::Rejected)) => Held::OursUnusable,
        (AVAILABLE | COPYING, _) => Held::Ours,
        _ => Held::OursUnusable,
    }
}

fn disagreement(asked: &Asked, holder: &Own) -> Option<Disagreement> {
    if holder.source_arn.as_ref() != Some(&asked.source_arn) {
        Some(Disagreement::Source)
    } else if holder.source_created() != Some(asked.source_created) {
        Some(Disagreement::SourceCreated)
    } else if holder.encrypted != asked.key.is_some() || holder.key != asked.key {
        Some(Disagreement::Key)
    } else if !asked.tags.iter().all(|tag| holder.tags.contains(tag)) {
        Some(Disagreement::Tags)
    } else {
        None
    }
}
