//! The copies in the target account, as they are and as EC2 shows them.

use snapferry_core::facts::{ExistingCopy, State, TamperedCopy};
use snapferry_core::ids::{KeyArn, SnapshotId};
use snapferry_core::tags::{self, CopyTags, Lock, Status, TagProblem};

use crate::clock::{Ms, timestamp};
use crate::policies::{NAMES, REGIONS, Wish};

/// A CopySnapshot request as it goes over the wire, as far as it matters.
#[derive(Debug, Clone)]
pub(crate) struct Call {
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

/// The copy as the copier reads it.
pub(crate) fn existing(copy: &Copy) -> ExistingCopy {
    ExistingCopy {
        id: copy.id.clone(),
        policy: copy.tags.policy.clone(),
        source: copy.tags.source_snapshot.clone(),
        origin: Some((copy.tags.source_account.clone(), copy.tags.source_volume.clone())),
        state: copy.state,
        status: copy.status,
        lock_pending: copy.tags.lock == Some(Lock::Pending) && copy.status != Some(Status::Verified),
        start_time: timestamp(copy.started),
    }
}

/// What the copier reports of a copy whose status somebody edited.
pub(crate) fn tampered(copy: &Copy) -> Option<TamperedCopy> {
    let problem = || TagProblem { key: tags::STATUS, found: Some("done?".to_owned()) };
    copy.status.is_none().then(|| TamperedCopy { id: copy.id.clone(), problems: vec![problem()] })
}
