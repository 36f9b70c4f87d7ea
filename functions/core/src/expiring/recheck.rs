//! The second look at a copy, just before it is deleted, and how many may be deleted.

use super::{Cause, Change, Deletion, HeldCopy, Vault, due};
use crate::facts::State;
use crate::tags::Status;

/// How many attempts a run has for each deletion that it may make: copies that EC2 refuses to delete do not use up the
/// limit, so that they never hold up the others for good, and yet they must not keep the function busy for hours.
const ATTEMPTS: usize = 10;

/// Whether a copy may still go, by a fresh reading of it and of the copy that makes it dispensable.
///
/// # Errors
/// What has changed.
pub fn recheck(deletion: &Deletion<'_>, fresh: &Vault, now: jiff::Timestamp) -> Result<(), Change> {
    let find = |planned: &HeldCopy| fresh.copies.iter().find(|copy| copy.id == planned.id);
    let Some(copy) = find(deletion.copy) else {
        let is_tampered = fresh.tampered.iter().any(|copy| copy.id == deletion.copy.id);
        return Err(if is_tampered { Change::NotDue } else { Change::Gone });
    };
    // The owner is part of the origin.
    let is_same = copy.origin == deletion.copy.origin && copy.source == deletion.copy.source;
    let is_due = due(copy, now).is_some_and(|(cause, _)| cause == deletion.cause);
    let is_fit = match deletion.cause {
        Cause::Expired => copy.is_verified(),
        Cause::Failed => copy.state == State::Error,
        Cause::Rejected => true,
    };
    if !(is_same && is_due && is_fit) {
        return Err(Change::NotDue);
    }
    match deletion.survivor {
        Some(planned) if !find(planned).is_some_and(|survivor| survives(survivor, planned)) => {
            Err(Change::SurvivorGone)
        }
        _ => Ok(()),
    }
}

/// Whether a copy is still as good as when another was found dispensable because of it.
fn survives(survivor: &HeldCopy, planned: &HeldCopy) -> bool {
    let is_as_good = match planned.status {
        Status::Rejected => {
            survivor.is_verified() || survivor.status == Status::Rejected && survivor.state != State::Error
        }
        _ => survivor.is_verified(),
    };
    is_as_good && survivor.origin == planned.origin && survivor.source == planned.source
}

/// How many deletions are left to a run.
#[derive(Debug, Clone, Copy)]
pub struct Quota {
    deletions: usize,
    attempts: usize,
}

impl Quota {
    /// At most `max_deletes` deletions.
    #[must_use]
    pub fn new(max_deletes: usize) -> Self {
        Self { deletions: max_deletes, attempts: max_deletes.saturating_mul(ATTEMPTS) }
    }

    /// Takes as many of `wanted` attempts as are left.
    pub fn take(&mut self, wanted: usize) -> usize {
        let taken = wanted.min(self.deletions).min(self.attempts);
        self.deletions -= taken;
        self.attempts -= taken;
        taken
    }

    /// Gives back one of the taken ones that certainly deleted nothing.
    pub fn give_back(&mut self) {
        self.deletions += 1;
    }
}
