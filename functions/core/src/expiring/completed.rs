//! What a run says at its end, zeros too: one that says nothing is missing.

use jiff::Timestamp;

use crate::audit::{CopyExpired, CopySkipped, Expiry, ExpiryCompleted, Ran, Reason, Record, Told};

/// `expiry.completed`: what the run did, and whether that was all there was to do.
#[must_use]
pub fn completed(told: &Told, ran: &Ran, now: Timestamp) -> Record {
    let expired = told.sum(|reason| matches!(reason, Reason::CopyExpired(_)));
    let gone = told.count(CopyExpired::AlreadyGone);
    let expiry = Expiry {
        copies: ran.copies,
        deleted: expired - gone,
        gone: gone + told.count(CopySkipped::AlreadyGone),
        kept: told.by(|reason| match reason {
            Reason::CopyKept(reason) => Some(reason),
            _ => None,
        }),
        refused: told.by(|reason| match reason {
            Reason::CopyRefused(reason) => Some(reason),
            _ => None,
        }),
        unread_regions: ran.unread(),
        endangered_keys: ran.endangered_keys.clone(),
        dropped_volumes: ran.dropped_volumes,
        duration_ms: ran.duration_ms,
        calls: ran.calls,
    };
    let whole = expiry.is_complete();
    let mut record = Record::new(if whole { ExpiryCompleted::Complete } else { ExpiryCompleted::Incomplete }, now);
    record.expiry = Some(expiry);
    if whole {
        return record;
    }
    record.message(
        "Not every copy was looked at or had its turn: expiry.unreadRegions names the Regions that could not be read, \
         expiry.kept counts what there was no time or no answer for (out-of-time, region-closed). The next run goes on."
            .to_owned(),
    )
}
