//! Hints: events whose snapshots EC2 does not show yet.

use snapferry_core::copying::{Decision, Outcome};
use snapferry_core::event::ShareEvent;
use snapferry_core::facts::CallError;
use snapferry_core::ledger::Hint;

use crate::run::Run;
use crate::{World, Written};

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

/// Follows on what EC2 shows as not completed after a day, and tells so: a large volume's first snapshot takes longer.
pub(crate) async fn follow_on<W: World>(run: &Run<'_, W>, hint: &Hint, decision: &Decision<'_>) {
    if run.noted(written(run, &hint.followed_on(run.world.now())).await) {
        run.tell(decision, &Outcome::Stands);
    }
}

/// Tells why a snapshot is looked for no longer, and forgets it. Of two who would tell it one fails to write that it was looked for;
/// and what cannot be removed has its pause behind that.
pub(crate) async fn give_up<W: World>(run: &Run<'_, W>, hint: &Hint, decision: &Decision<'_>) {
    let looked = hint.looked(run.world.now());
    if !run.may_end() || !run.noted(written(run, &looked).await) {
        return;
    }
    if run.note_given_up(hint) {
        run.tell(decision, &Outcome::Stands);
    }
    forget(run, &looked).await;
}

async fn written<W: World>(run: &Run<'_, W>, hint: &Hint) -> Result<bool, CallError> {
    Ok(run.world.write_hint(hint).await? == Written::Done)
}

/// The event as far as its hint kept it: what it claimed excluded nothing then, and the policies may have changed since.
pub(crate) fn event(hint: &Hint) -> ShareEvent {
    ShareEvent { time: Some(hint.wanted), ..ShareEvent::naming(hint.event.as_str(), hint.source.clone()) }
}

/// Removes a hint. Lost, it is looked for once more.
pub(crate) async fn forget<W: World>(run: &Run<'_, W>, hint: &Hint) {
    if let Err(error) = run.world.remove_hint(hint).await {
        run.ledger_failed(0, &error);
    }
}
