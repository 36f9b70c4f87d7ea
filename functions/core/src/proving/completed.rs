//! What a run says at its end, zeros too: one that says nothing is missing.

use jiff::Timestamp;

use crate::audit::{CopyDeferred, Proofs, ProveCompleted, Ran, Reason, Record, Told};

/// `prove.completed`: what the run proved, and what is still to be proven.
#[must_use]
pub fn completed(told: &Told, ran: &Ran, now: Timestamp) -> Record {
    let proofs = Proofs {
        copies: ran.copies,
        proved: told.by(|reason| match reason {
            Reason::CopyProved(level) => Some(level),
            _ => None,
        }),
        rejected: told.sum(|reason| matches!(reason, Reason::CopyRejected(_))),
        unread: told.count(CopyDeferred::NotProved),
        under_way: ran.under_way,
        waiting: ran.copies.saturating_sub(ran.settled),
        deferred: told.by(|reason| match reason {
            Reason::CopyDeferred(reason) => Some(reason),
            _ => None,
        }),
        unread_regions: ran.unread(),
        blocks: ran.blocks,
        duration_ms: ran.duration_ms,
        calls: ran.calls,
    };
    let whole = proofs.is_complete();
    let mut record = Record::new(if whole { ProveCompleted::Complete } else { ProveCompleted::Incomplete }, now);
    record.proofs = Some(proofs);
    if whole {
        return record;
    }
    record.message(
        "Nothing was proven that should have been: proofs.unreadRegions names the Regions that could not be read, and where \
         there is none, no block of the copies whose turn came could be. The next run goes on."
            .to_owned(),
    )
}
