//! How obligations end without the verifier: told first, written then. Between the two the process may die, and tell it again.

use snapferry_core::audit::CopyWithdrawn;
use snapferry_core::copying::withdrawn;
use snapferry_core::facts::CallError;
use snapferry_core::ledger::{End, Obligation};

use crate::World;
use crate::run::Run;

/// Tells that an obligation is withdrawn, and ends it, unless enough were told in this invocation.
///
/// # Errors
/// The ledger's.
pub(crate) async fn withdraw<W: World>(
    run: &Run<'_, W>,
    obligation: &Obligation,
    reason: CopyWithdrawn,
) -> Result<(), CallError> {
    let now = run.world.now();
    let Some(ended) = obligation.ended(End::Withdrawn, now) else { return Ok(()) };
    if stands(run, obligation).await? && run.may_end() {
        run.say_end(obligation, withdrawn(obligation, reason, &run.setup.home, now));
        run.world.write(&ended).await?;
    }
    Ok(())
}

/// Whether an obligation is still the one that was read: the index may be late, and what this invocation remembers too. Asked just
/// before an end is told, so that it is told once.
///
/// # Errors
/// The ledger's.
pub(crate) async fn stands<W: World>(run: &Run<'_, W>, obligation: &Obligation) -> Result<bool, CallError> {
    let stored = run.world.obligation(&obligation.identity).await?;
    Ok(stored.is_some_and(|stored| stored.obligation == *obligation))
}
