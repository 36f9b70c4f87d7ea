//! One obligation and how it stands.

use jiff::Timestamp;

use super::pauses::{FOREIGN_CLOCK, IN_VAIN};
use crate::facts::{Lineage, SourceSnapshot};
use crate::ids::{AccountId, PolicyName, Region, SnapshotId};

/// What is to have a copy: a policy's wish for a snapshot in a target Region.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    /// The policy.
    pub policy: PolicyName,
    /// The source snapshot.
    pub source: SnapshotId,
    /// The target Region.
    pub region: Region,
}

/// What made it known that the copy is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// A share event: owed whatever the snapshot's age.
    Event,
    /// A sweep.
    Sweep,
}

/// How an obligation stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It waits for its turn.
    Owed,
    /// It waits behind what was not refused and did not fail, and for its pause first.
    Delayed {
        /// When it was refused, or its copy's failure was noticed. The pause counts from here.
        since: Timestamp,
    },
    /// A request for its copy may be on its way, or may have been carried out without an answer.
    Asked {
        /// When the intent was written. Nothing else is asked for until [`HOLD`](super::HOLD) after it.
        at: Timestamp,
    },
    /// EC2 named its copy.
    Copying {
        /// The copy.
        copy: SnapshotId,
        /// When it was asked for, or seen first.
        at: Timestamp,
    },
    /// It is over, and its end stands in the audit.
    Ended {
        /// When.
        at: Timestamp,
        /// How.
        why: End,
        /// The copy that it waited for, where EC2 had named one: no other copy of the identity is verified while this stands.
        copy: Option<SnapshotId>,
    },
}

/// How an obligation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Its copy is verified.
    Protected,
    /// Its source went before there was a good copy.
    Missed,
    /// The policy no longer wants it.
    Withdrawn,
}

/// One obligation: an item of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obligation {
    /// For what.
    pub identity: Identity,
    /// The source's owner, as EC2 says.
    pub account: AccountId,
    /// Of a database's snapshot its ARN, for those who are told of it: it names nothing, because RDS's names are used again.
    pub arn: Option<Box<str>>,
    /// What the source is a snapshot of; a filler when nobody named it.
    pub lineage: Lineage,
    /// When the source was started.
    pub start: Timestamp,
    /// What made it known.
    pub by: By,
    /// Since when it is wanted: the event's time, or when a sweep first saw it.
    pub wanted: Timestamp,
    /// How often it became wanted anew after it had ended.
    pub generation: u32,
    /// How it stands.
    pub state: State,
    /// How often in a row its copy was refused, by EC2 or before EC2 was asked.
    pub refused: u32,
    /// How often in a row its turn came and nobody could say whether it may be copied: EC2 did not show its source, or showed it as not
    /// completed, or KMS did not answer for its key.
    pub put_off: u32,
    /// How many of its copies failed or were rejected.
    pub failed: u32,
    /// The round in which its source was first not to be seen, if it was not seen since.
    pub gone: Option<String>,
    /// When a process set about ending it: nobody else tells its end until [`HOLD`](super::HOLD) later.
    pub ending: Option<Timestamp>,
    /// Grows by one with each write; see [`LAST_REVISION`].
    pub revision: u64,
}

/// No item that was written here has a higher revision. One that has, whatever it is of, was edited, and counts as one that
/// cannot be read: nothing could be written in its place.
pub const LAST_REVISION: u64 = 1 << 53;

impl Obligation {
    /// What is to be written because a time in it lies in the future: the same with `now` in its place, so that neither a
    /// clock that was off nor an edited item holds anything up. `None` where there is nothing to repair.
    #[must_use]
    pub fn repaired(&self, now: Timestamp) -> Option<Self> {
        let latest = now.checked_add(FOREIGN_CLOCK).unwrap_or(now);
        let mut repaired = Self { revision: self.revision.saturating_add(1), ..self.clone() };
        let mut is_off = false;
        let mut clamp = |time: &mut Timestamp| {
            if *time > latest {
                (*time, is_off) = (now, true);
            }
        };
        clamp(&mut repaired.wanted);
        repaired.ending.iter_mut().for_each(&mut clamp);
        match &mut repaired.state {
            State::Owed => {}
            State::Delayed { since: at }
            | State::Asked { at }
            | State::Copying { at, .. }
            | State::Ended { at, .. } => {
                clamp(at);
            }
        }
        is_off.then_some(repaired)
    }

    /// The same, and with what EC2 says of the source in place of what was edited: the account and the lineage in whose line it
    /// stands, and when the source was started, before which nothing was wanted.
    #[must_use]
    pub fn repaired_by(&self, source: &SourceSnapshot, lineage: &Lineage, now: Timestamp) -> Option<Self> {
        let revision = self.revision.saturating_add(1);
        let whole = self.repaired(now).unwrap_or_else(|| Self { revision, ..self.clone() });
        let repaired = Self {
            account: source.owner.clone(),
            arn: source.arn().map(Into::into),
            lineage: lineage.clone(),
            start: source.start_time,
            wanted: whole.wanted.max(source.start_time.min(now)),
            ..whole
        };
        (repaired != Self { revision, ..self.clone() }).then_some(repaired)
    }

    /// Whether it is over.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        matches!(self.state, State::Ended { .. })
    }

    /// Whether it is over only because the policy did not want it, and a sweep alone would not come upon it again: an event asked for
    /// it.
    #[must_use]
    pub fn may_return(&self) -> bool {
        self.by == By::Event && matches!(self.state, State::Ended { why: End::Withdrawn, .. })
    }

    /// Whether so much of it failed or was refused that another source of its lineage may stand in for it.
    #[must_use]
    pub fn is_in_vain(&self) -> bool {
        self.failed >= IN_VAIN.0 || self.refused >= IN_VAIN.1
    }

    /// The copy that EC2 named for it, also when it is over: any other that passes for one is none of this identity's.
    #[must_use]
    pub fn named(&self) -> Option<&SnapshotId> {
        match &self.state {
            State::Copying { copy, .. } | State::Ended { why: End::Protected, copy: Some(copy), .. } => Some(copy),
            _ => None,
        }
    }

    /// Since when this copy of it is made, if it waits for that one.
    #[must_use]
    pub fn copying_since(&self, copy: &SnapshotId) -> Option<Timestamp> {
        match &self.state {
            State::Copying { copy: named, at } if named == copy => Some(*at),
            _ => None,
        }
    }

    /// The copy that it waits for, where EC2 named one.
    #[must_use]
    pub fn copy(&self) -> Option<&SnapshotId> {
        match &self.state {
            State::Copying { copy, .. } => Some(copy),
            _ => None,
        }
    }
}
