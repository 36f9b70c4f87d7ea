//! Hints: events whose snapshots EC2 does not show yet.

use snapferry_core::event::ShareEvent;
use snapferry_core::facts::CallError;
use snapferry_core::ledger::Hint;

use crate::World;
use crate::run::Run;

/// Keeps a hint of an event. Where there is one of its snapshot already, that one stays.
///
/// # Errors
/// The ledger's.
pub(crate) async fn keep<W: World>(run: &Run<'_, W>, event: &ShareEvent) -> Result<(), CallError> {
    let now = run.world.now();
    let hint = Hint {
        source: event.snapshot.clone(),
        event: event.id.clone(),
        wanted: event.wanted_at(now),
        since: now,
        looked: now,
        revision: 0,
    };
    run.world.write_hint(&hint).await.map(|_| ())
}

/// Notes that it was looked for in vain. Lost, it is only looked for sooner again.
pub(crate) async fn looked<W: World>(run: &Run<'_, W>, hint: &Hint) {
    if let Err(error) = run.world.write_hint(&hint.looked(run.world.now())).await {
        run.ledger_failed(0, &error);
    }
}

/// Removes a hint. Lost, it is looked for once more.
pub(crate) async fn forget<W: World>(run: &Run<'_, W>, hint: &Hint) {
    if let Err(error) = run.world.remove_hint(hint).await {
        run.ledger_failed(0, &error);
    }
}
