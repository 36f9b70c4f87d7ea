//! What a run says at its end, zeros too: one that says nothing is missing.

use jiff::Timestamp;

use crate::audit::{
    CopyLocked, CopyNamed, CopyStalled, CopyVerified, Ran, Reason, Record, Told, Verification, VerifyCompleted,
};

/// `verify.completed`: what the run did, and whether that was all there was to do.
#[must_use]
pub fn completed(told: &Told, ran: &Ran, now: Timestamp) -> Record {
    let verification = Verification {
        copies: ran.copies,
        verified: told.count(CopyVerified::AsConfigured),
        rejected: told.sum(|reason| matches!(reason, Reason::CopyRejected(_))),
        failed: told.sum(|reason| matches!(reason, Reason::CopyFailed(_))),
        stalled: told.count(CopyStalled::PendingOverADay),
        locked: told.count(CopyLocked::Locked) + told.count(CopyLocked::AlreadyLocked),
        named: told.count(CopyNamed::FromDescription),
        locks_failed: told.count(CopyLocked::LockFailed) + told.count(CopyLocked::LockRuleGone),
        deferred: told.by(|reason| match reason {
            Reason::CopyDeferred(reason) => Some(reason),
            _ => None,
        }),
        unread_regions: ran.unread(),
        doomed_keys: ran.doomed_keys.clone(),
        duration_ms: ran.duration_ms,
        calls: ran.calls,
    };
    let whole = verification.is_complete();
    let mut record = Record::new(if whole { VerifyCompleted::Complete } else { VerifyCompleted::Incomplete }, now);
    record.verification = Some(verification);
    if whole {
        return record;
    }
    record.message(
        "Not every copy that waits for a verdict or a lock was looked at: verification.unreadRegions names the Regions that \
         could not be read, verification.deferred counts what there was no time for. The next run goes on."
            .to_owned(),
    )
}
