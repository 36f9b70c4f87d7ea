//! Hints: events whose snapshots EC2 does not show yet. They are looked for at each tick, closely at first.

use snapferry_core::copying::{Decision, Outcome, Skip, Verdict};
use snapferry_core::event::ShareEvent;
use snapferry_core::facts::CallError;
use snapferry_core::ledger::{Follow, Hint};

use crate::World;
use crate::events::{Named, discover};
use crate::run::Run;

/// How many are looked for at once, those looked for longest ago first: EC2 names one missing snapshot an answer.
const AT_ONCE: usize = 25;

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

/// Looks for what earlier events named.
pub(crate) async fn follow<W: World>(run: &Run<'_, W>) {
    let hints = match run.world.hints().await {
        Ok(hints) => hints,
        Err(error) => return run.ledger_failed(0, &error),
    };
    let now = run.world.now();
    let (mut look, mut over) = (Vec::new(), Vec::new());
    for hint in hints {
        match hint.follow(now) {
            Follow::Wait => {}
            Follow::Look => look.push(hint),
            Follow::Forget => over.push(hint),
        }
    }
    for hint in over {
        give_up(run, &hint).await;
    }
    look.sort_by_key(|hint| hint.looked.min(now));
    look.truncate(AT_ONCE);
    if look.is_empty() {
        return;
    }
    for hint in &look {
        run.caused_by(&hint.source, &hint.event);
    }
    discover(run, look.into_iter().map(|hint| Named { event: event(&hint), hint: Some(hint) }).collect()).await;
}

/// Tells that a snapshot never became visible, and forgets it.
async fn give_up<W: World>(run: &Run<'_, W>, hint: &Hint) {
    if run.may_end() {
        run.caused_by(&hint.source, &hint.event);
        let event = event(hint);
        run.tell(&Decision::of_event(&event, Verdict::Skip(Skip::NotVisible)), &Outcome::Stands);
        forget(run, hint).await;
    }
}

/// The event as far as its hint kept it: what it claimed excluded nothing then, and the policies may have changed since.
fn event(hint: &Hint) -> ShareEvent {
    ShareEvent {
        id: hint.event.clone(),
        snapshot: hint.source.clone(),
        region: None,
        time: Some(hint.wanted),
        claimed_owner: None,
    }
}
