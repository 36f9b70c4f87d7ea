//! The copies in the target account, as they are and as EC2 shows them.

use snapferry_core::facts::{DescribedCopy, State};
use snapferry_core::ids::{AccountId, KeyArn, SnapshotId};
use snapferry_core::rds::{self, Own, Shared, SnapshotArn};
use snapferry_core::tags::{self, Lock, ReadTags, Status};

use crate::clock::{Ms, timestamp};
use crate::policies::{ACCOUNT, NAMES, Phase, REGIONS, Wish, region};

/// A CopySnapshot or CopyDBSnapshot request as it goes over the wire, as far as it matters, and who made it.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) process: usize,
    /// When that process began: what was shown by then it saw.
    pub(crate) began: Ms,
    /// The copy's name and its source, where the caller chooses the name.
    pub(crate) named: Option<(SnapshotId, Shared)>,
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
    pub(crate) fn of(source: usize, tags: &ReadTags, region: usize) -> Self {
        let named = tags.policy.as_ref().expect("a request's tags can be read back");
        let policy = NAMES.iter().position(|name| *name == named.as_str()).expect("a known policy");
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
    pub(crate) source: SnapshotId,
    pub(crate) tags: ReadTags,
    /// The tags as they went over the wire.
    pub(crate) pairs: Vec<(String, String)>,
    /// Who asked for it.
    pub(crate) process: usize,
    /// Its source, if that is of a database.
    pub(crate) database: Option<Shared>,
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

/// The copy as EC2 describes it, or RDS.
pub(crate) fn described(copy: &Copy) -> DescribedCopy {
    if let Some(source) = &copy.database {
        return own(copy, source).fact().expect("a name that Snapferry gives");
    }
    let tags = pairs(copy);
    DescribedCopy {
        id: copy.id.clone(),
        owner: AccountId::parse(ACCOUNT).ok(),
        state: copy.state,
        state_message: String::new(),
        encrypted: true,
        kms_key: copy.key.as_ref().map(ToString::to_string),
        size_gib: copy.tags.source_size_gib.unwrap_or_default(),
        start_time: timestamp(copy.started),
        tags: ReadTags::read(&copy.id, tags.iter().map(|(key, value)| (key.as_str(), value.as_str()))),
        lock: None,
        description: Box::default(),
        database: None,
    }
}

/// A copy of a database's snapshot as RDS describes it.
pub(crate) fn own(copy: &Copy, source: &Shared) -> Own {
    let (arn, account) = (&source.source.arn, AccountId::parse(ACCOUNT).unwrap());
    let status = match copy.state {
        State::Completed => rds::AVAILABLE,
        State::Pending => rds::COPYING,
        State::Error | State::Other => "failed",
    };
    Own {
        arn: SnapshotArn::new(arn.kind, region(copy.region), account, copy.id.to_string()),
        database: None,
        status: status.to_owned(),
        tags: pairs(copy),
        source_arn: Some(arn.to_string()),
        encrypted: copy.key.is_some(),
        key: copy.key.clone(),
        engine: Some(source.engine.clone()),
        engine_version: source.engine_version.clone(),
        allocated_storage: Some(source.allocated_storage),
        resource_id: Some(source.source.resource_id.clone()),
        created: (copy.state == State::Completed).then(|| timestamp(copy.started)),
        original: None,
    }
}

/// The tags as they are by now.
fn pairs(copy: &Copy) -> Vec<(String, String)> {
    let status = copy.status.map_or("done?", Status::as_str);
    let lock = if copy.status == Some(Status::Verified) { Lock::Locked } else { Lock::Pending }.as_str();
    let tags = copy.pairs.iter().map(|(key, value)| match key.as_str() {
        tags::STATUS => (key.clone(), status.to_owned()),
        tags::LOCK => (key.clone(), lock.to_owned()),
        _ => (key.clone(), value.clone()),
    });
    let settled =
        copy.settled_at.map(|at| [(tags::COPY, copy.id.to_string()), (tags::SETTLED_AT, timestamp(at).to_string())]);
    tags.chain(settled.into_iter().flatten().map(|(key, value)| (key.to_owned(), value))).collect()
}
