//! How obligations end without the verifier: claimed, told, written. Two who would tell one end cannot both claim it. A process that
//! dies between claim and end leaves the claim, and another takes its place once that is old: told twice at worst, never not at all.

use snapferry_core::audit::{CopyWithdrawn, Record};
use snapferry_core::copying::{missed, withdrawn};
use snapferry_core::facts::CallError;
use snapferry_core::ledger::{End, Obligation};

use crate::run::Run;
use crate::{World, Written};

/// Tells that an obligation is withdrawn, and ends it, as far as may be; gives whether it is over.
///
/// # Errors
/// The ledger's.
pub(crate) async fn withdraw<W: World>(
    run: &Run<'_, W>,
    obligation: &Obligation,
    reason: CopyWithdrawn,
) -> Result<bool, CallError> {
    let record = || withdrawn(obligation, reason, &run.setup.home, run.world.now());
    end(run, obligation, End::Withdrawn, record).await
}

/// As [`withdraw`], of one whose source is gone.
///
/// # Errors
/// The ledger's.
pub(crate) async fn miss<W: World>(run: &Run<'_, W>, obligation: &Obligation) -> Result<bool, CallError> {
    let record = || missed(obligation, &run.setup.home, run.world.now());
    end(run, obligation, End::Missed, record).await
}

async fn end<W: World>(
    run: &Run<'_, W>,
    obligation: &Obligation,
    why: End,
    record: impl FnOnce() -> Record,
) -> Result<bool, CallError> {
    let mut stands = obligation.clone();
    // What this process told and could not write is only written.
    if !run.has_told_end(obligation) {
        let Some(claim) = obligation.ending(why, run.world.now()) else { return Ok(false) };
        if !run.may_end() || run.world.write(&claim).await? == Written::Stale {
            return Ok(false);
        }
        run.say_end(obligation, record());
        stands = claim;
    }
    match stands.ended(why, run.world.now()) {
        Some(ended) => Ok(run.world.write(&ended).await? == Written::Done),
        None => Ok(false),
    }
}
