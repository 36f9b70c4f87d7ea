//! When a copy's time is over.

use jiff::{SignedDuration, Timestamp};

use super::reasons::Cause;
use crate::facts::{Copy, State};
use crate::tags::Status;

/// How long a failed or rejected copy stays after its verdict, so that somebody can look at it.
pub const UNSOUND_STAY: SignedDuration = SignedDuration::from_hours(24);

/// How long a copy whose verdict cannot be written stays: one in error after its start, one that is completed after its time
/// is over. Long enough for somebody to act on what is said of it each day, and for it to be judged after all.
pub const UNJUDGED_STAY: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Since when the copy may go by its own tags, and why; nothing when its time is not over.
pub(super) fn due(copy: &Copy, now: Timestamp) -> Option<(Cause, Timestamp)> {
    let (cause, at) = match copy.status {
        None => return None,
        Some(Status::Copying) => match copy.state {
            State::Error => (Cause::Failed, copy.start_time.checked_add(UNJUDGED_STAY).ok()?),
            State::Completed => (Cause::Unjudged, copy.expire_after.get()?.checked_add(UNJUDGED_STAY).ok()?),
            State::Pending | State::Other => return None,
        },
        Some(Status::Verified) if !copy.is_bound && copy.state == State::Completed => {
            (Cause::Unjudged, copy.expire_after.get()?.checked_add(UNJUDGED_STAY).ok()?)
        }
        Some(Status::Verified) => (Cause::Expired, copy.expire_after.get()?),
        Some(Status::Failed) => (Cause::Failed, copy.settled_at.get()?.checked_add(UNSOUND_STAY).ok()?),
        Some(Status::Rejected) => (Cause::Rejected, copy.settled_at.get()?.checked_add(UNSOUND_STAY).ok()?),
    };
    (at < now).then_some((cause, at))
}
