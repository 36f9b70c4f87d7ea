//! Following hints: what earlier events named is looked for at each tick, closely at first.

use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use snapferry_core::copying::{Decision, Skip, Verdict};
use snapferry_core::ledger::Follow;

use crate::World;
use crate::events::{Named, discover};
use crate::hints::{event, give_up};
use crate::run::Run;

/// How many are looked for at once, those looked for longest ago first: EC2 names one missing snapshot an answer.
const AT_ONCE: usize = 25;

/// Looks for what earlier events named, and gives up what is too old while so much of the invocation is left.
pub(crate) async fn follow<W: World>(run: &Run<'_, W>, until: Duration) {
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
    let given_up = stream::iter(&over).for_each_concurrent(AT_ONCE, async |hint| {
        if run.world.left() > until {
            run.caused_by(&hint.source, &hint.event);
            let event = event(hint);
            give_up(run, hint, &Decision::of_event(&event, Verdict::Skip(Skip::NotVisible))).await;
        }
    });
    given_up.await;
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
