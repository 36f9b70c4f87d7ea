//! How obligations end without the verifier: told first, written then. Between the two the process may die, and tell it again.

use snapferry_core::audit::{CopyWithdrawn, Record};
use snapferry_core::copying::withdrawn;
use snapferry_core::facts::CallError;
use snapferry_core::ledger::{End, Obligation};

use crate::World;
use crate::run::Run;

/// Tells that an obligation is withdrawn, and ends it, unless enough were told in this invocation; gives whether it is over.
///
/// # Errors
/// The ledger's.
pub(crate) async fn withdraw<W: World>(
    run: &Run<'_, W>,
    obligation: &Obligation,
    reason: CopyWithdrawn,
) -> Result<bool, CallError> {
    let now = run.world.now();
    let Some(ended) = obligation.ended(End::Withdrawn, now) else { return Ok(false) };
    end(run, obligation, &ended, || withdrawn(obligation, reason, &run.setup.home, now)).await
}

/// Tells that an obligation ends, and ends it, as far as may be; gives whether it is over.
///
/// # Errors
/// The ledger's.
pub(crate) async fn end<W: World>(
    run: &Run<'_, W>,
    obligation: &Obligation,
    ended: &Obligation,
    record: impl FnOnce() -> Record,
) -> Result<bool, CallError> {
    // Enough told costs no look at the ledger.
    if !run.may_end() || !stands(run, obligation).await? {
        return Ok(false);
    }
    run.say_end(obligation, record());
    run.world.write(ended).await.map(|_| true)
}

/// Whether an obligation is still the one that was read: the index may be late, and what this invocation remembers too. Asked just
/// before an end is told, so that it is told once.
///
/// # Errors
/// The ledger's.
async fn stands<W: World>(run: &Run<'_, W>, obligation: &Obligation) -> Result<bool, CallError> {
    let stored = run.world.obligation(&obligation.identity).await?;
    Ok(stored.is_some_and(|stored| stored.obligation == *obligation))
}
