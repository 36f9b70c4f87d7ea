//! Following hints: what earlier events named is looked for at each tick, closely at first.

use snapferry_core::copying::{Decision, Outcome, Skip, Verdict};
use snapferry_core::event::ShareEvent;
use snapferry_core::ledger::{Follow, Hint};

use crate::World;
use crate::events::{Named, discover};
use crate::hints::forget;
use crate::run::Run;

/// How many are looked for at once, those looked for longest ago first: EC2 names one missing snapshot an answer.
const AT_ONCE: usize = 25;

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
    ShareEvent { time: Some(hint.wanted), ..ShareEvent::naming(hint.event.as_str(), hint.source.clone()) }
}
