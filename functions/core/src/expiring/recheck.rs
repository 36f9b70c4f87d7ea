//! The second look at a copy, just before it is deleted.

use super::due::due;
use super::plan::Deletion;
use super::reasons::{Cause, Change};
use crate::facts::{Copies, Copy, KeyLife, Origin, State};
use crate::tags::Status;

/// Whether a copy may still go, by a fresh reading of it and of the copy that makes it dispensable.
///
/// # Errors
/// What has changed.
pub fn recheck(deletion: &Deletion<'_>, fresh: &Copies, now: jiff::Timestamp) -> Result<(), Change> {
    let whole = || fresh.copies.iter().filter(|copy| !copy.is_tampered);
    let find = |planned: &Copy| whole().find(|copy| copy.id == planned.id);
    let Some(copy) = find(deletion.copy) else {
        let is_tampered = fresh.tampered.iter().any(|copy| copy.id == deletion.copy.id);
        return Err(if is_tampered { Change::NotDue } else { Change::Gone });
    };
    let is_same = is_same(copy, deletion.copy);
    let is_due = due(copy, now).is_some_and(|(cause, _)| cause == deletion.cause);
    let is_fit = match deletion.cause {
        Cause::Expired => copy.is_verified(),
        Cause::Failed => copy.state == State::Error,
        Cause::Rejected => matches!(copy.state, State::Completed | State::Error),
        Cause::Unjudged => true,
    };
    if !(is_same && is_due && is_fit) {
        return Err(Change::NotDue);
    }
    match deletion.survivor {
        Some(planned) if !find(planned).is_some_and(|survivor| survives(survivor, planned, copy)) => {
            Err(Change::SurvivorGone)
        }
        _ => Ok(()),
    }
}

/// Whether a copy is still as good as when another was found dispensable because of it: a rejected one, if it can still be
/// restored as soon as the other can.
fn survives(survivor: &Copy, planned: &Copy, other: &Copy) -> bool {
    let is_as_good = match planned.status {
        Some(Status::Rejected) => {
            let is_rejected = survivor.status == Some(Status::Rejected) && survivor.state == State::Completed;
            survivor.is_survivor()
                || is_rejected && (other.state == State::Error || survivor.origin.life <= other.origin.life)
        }
        _ => survivor.is_survivor(),
    };
    is_as_good && is_same(survivor, planned)
}

/// Whether two readings tell of one copy. The owner is part of the origin; what became of the key is not.
fn is_same(copy: &Copy, planned: &Copy) -> bool {
    let origin = |copy: &Copy| Origin { life: KeyLife::InDoubt, ..(*copy.origin).clone() };
    let is_of_one = copy.lineage == planned.lineage && copy.source == planned.source;
    // A database's copy that is deleted and made again has the same name.
    is_of_one && origin(copy) == origin(planned) && copy.start_time == planned.start_time
}
