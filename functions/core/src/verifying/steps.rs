//! What a verdict makes of the obligation that the copy was for.

use jiff::Timestamp;

use super::decision::{Decision, Verdict};
use crate::ledger::{End, Obligation, State};
use crate::tags::Status;

/// The obligation to write once a decision's verdict stands on the copy's tags. One that names another copy is kept as long as
/// this one waits: were it gone, this one would be taken for the copy. `None` where the obligation is another copy's,
/// or the verdict says nothing of it. What is to be locked is over with its verdict: its lock is the verifier's own affair.
#[must_use]
pub fn step(decision: &Decision<'_>, obligation: &Obligation, now: Timestamp) -> Option<Obligation> {
    let copy = &decision.copy?.id;
    match decision.verdict {
        // Adopted late, or named by nobody: the verdict stands all the same.
        Verdict::Verify { .. } if obligation.copy().is_none_or(|named| named == copy) => {
            let named = obligation.copying(copy.clone(), now).unwrap_or_else(|| obligation.clone());
            Some(Obligation { revision: obligation.revision.saturating_add(1), ..named.ended(End::Protected, now)? })
        }
        Verdict::Reject { .. } | Verdict::Fail(_) => obligation.failed(copy, now),
        Verdict::AnotherNamed(_) => obligation.kept(now),
        _ => None,
    }
}

/// Whether the audit has this obligation's end already, with this very copy: the copy's tags were set back, or EC2 still shows
/// the old ones. The verdict is written to them again, and not told again.
#[must_use]
pub fn is_told(decision: &Decision<'_>, obligation: &Obligation) -> bool {
    let Some(copy) = decision.copy else { return false };
    let is_first_verdict =
        copy.tags.status == Some(Status::Copying) && matches!(decision.verdict, Verdict::Verify { .. });
    let is_over = |state: &State| match state {
        State::Ended { why: End::Protected, copy: Some(named), .. } => *named == copy.id,
        _ => false,
    };
    is_first_verdict && is_over(&obligation.state)
}
