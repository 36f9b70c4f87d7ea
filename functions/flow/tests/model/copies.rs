//! The copies in the target account, as they are and as EC2 shows them.

use snapferry_core::facts::{DescribedCopy, State};
use snapferry_core::ids::{AccountId, KeyArn, SnapshotId};
use snapferry_core::tags::{self, CopyTags, Lock, ReadTags, Status};

use crate::clock::{Ms, timestamp};
use crate::policies::{ACCOUNT, NAMES, Phase, REGIONS, Wish};

/// A CopySnapshot request as it goes over the wire, as far as it matters.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// What the document is for the process that asks.
    pub(crate) phase: Phase,
    pub(crate) region: usize,
    pub(crate) source: SnapshotId,
    pub(crate) description: String,
    pub(crate) encrypted: bool,
    pub(crate) key: Option<KeyArn>,
    pub(crate) tags: Vec<(String, String)>,
}

/// What becomes of a copy that EC2 started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Completes,
    Fails,
    /// It completes, under another key than the one asked for.
    WrongKey,
}

/// What a copy is a copy of: the number of its source, and which wish of its it fulfils.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Identity {
    pub(crate) source: usize,
    pub(crate) wish: Wish,
}

impl Identity {
    /// As the copy's tags say.
    pub(crate) fn of(source: usize, tags: &CopyTags, region: usize) -> Self {
        let policy = NAMES.iter().position(|name| *name == tags.policy.as_str()).expect("a known policy");
        Self { source, wish: Wish { policy, region } }
    }
}

/// A copy, with the tags that its request carried.
#[derive(Debug)]
pub(crate) struct Copy {
    pub(crate) id: SnapshotId,
    pub(crate) region: usize,
    pub(crate) key: Option<KeyArn>,
    pub(crate) started: Ms,
    pub(crate) finishes: Ms,
    pub(crate) fate: Fate,
    /// From when on DescribeSnapshots shows it.
    pub(crate) shown_from: Ms,
    pub(crate) state: State,
    /// The status tag as it is now; `None` when somebody edited it.
    pub(crate) status: Option<Status>,
    pub(crate) settled_at: Option<Ms>,
    pub(crate) deleted: bool,
    /// When somebody deletes it by hand.
    pub(crate) goes: Option<Ms>,
    pub(crate) tags: CopyTags,
}

impl Copy {
    pub(crate) fn is_shown(&self, at: Ms) -> bool {
        !self.deleted && self.shown_from <= at
    }

    /// Whether it counts, in truth, whatever EC2 shows.
    pub(crate) fn is_live(&self) -> bool {
        let judged_bad = matches!(self.status, Some(Status::Failed | Status::Rejected));
        !self.deleted && self.state != State::Error && !judged_bad
    }

    pub(crate) fn place(&self) -> String {
        format!("{} in {}", self.id, REGIONS[self.region])
    }
}

/// The copy as EC2 describes it.
pub(crate) fn described(copy: &Copy) -> DescribedCopy {
    let tags = copy.tags.to_pairs();
    let status = copy.status.map_or("done?", Status::as_str);
    let lock = if copy.status == Some(Status::Verified) { Lock::Locked } else { Lock::Pending }.as_str();
    let tags = tags.iter().map(|(key, value)| match *key {
        tags::STATUS => (*key, status),
        tags::LOCK => (*key, lock),
        _ => (*key, value.as_str()),
    });
    DescribedCopy {
        id: copy.id.clone(),
        owner: AccountId::parse(ACCOUNT).ok(),
        state: copy.state,
        state_message: String::new(),
        encrypted: true,
        kms_key: copy.key.as_ref().map(ToString::to_string),
        size_gib: copy.tags.source_size_gib,
        start_time: timestamp(copy.started),
        tags: ReadTags::read(&copy.id, tags),
        lock: None,
        description: Box::default(),
        database: None,
    }
}
