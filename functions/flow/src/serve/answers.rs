//! What was asked for without an answer: when its hold is over, its copy is there, or it goes back into the line.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use snapferry_core::copying::Deferral;
use snapferry_core::facts::{CallError, Copies};
use snapferry_core::ids::{Region, SnapshotId};
use snapferry_core::ledger::{Obligation, Place, State};

use super::queue::next_page;
use crate::run::Run;
use crate::settle::found;
use crate::{World, Written, line};

/// How many are looked for at once.
const PAGE: usize = 100;

/// How many are written at the same time.
const WRITES: usize = 25;

/// Looks for the copies of those whose hold is over, until so much of the invocation is left.
pub(super) async fn look<W: World>(run: &Run<'_, W>, region: &Region, until: Duration) {
    let (mut after, mut seen) = (None, HashSet::new());
    while run.world.left() > until {
        // Before anything is read: the hold has to be over for what is read.
        let now = run.world.now();
        let line = Place::asked(region);
        let page = run.world.line(&line, after.as_deref(), Some(&Place::due_at(now)), PAGE).await;
        let page = match page {
            Ok(page) => page,
            Err(error) => return run.ledger_failed(0, &error),
        };
        after = next_page(&page, &line, after.as_deref());
        let is_last = page.len() < PAGE || after.is_none();
        let due: Vec<Obligation> =
            page.into_iter().filter(|asked| is_due(asked, now) && seen.insert(asked.identity.clone())).collect();
        if !due.is_empty() && !settle(run, region, &due, until).await || is_last {
            return;
        }
    }
}

fn is_due(asked: &Obligation, now: Timestamp) -> bool {
    matches!(asked.state, State::Asked { .. }) && asked.due().is_some_and(|due| due <= now)
}

/// Whether the Region could be read.
async fn settle<W: World>(run: &Run<'_, W>, region: &Region, due: &[Obligation], until: Duration) -> bool {
    let mut sources: Vec<SnapshotId> = due.iter().map(|asked| asked.identity.source.clone()).collect();
    sources.sort_unstable();
    sources.dedup();
    let copies = match run.world.copies_of(region, &sources).await {
        Ok(copies) => copies,
        Err(error) => {
            run.tell_region(region, Deferral::of_region(error), due.len());
            return false;
        }
    };
    // What is not written now is due still.
    for some in due.chunks(WRITES).take_while(|_| run.world.left() > until) {
        let written = join_all(some.iter().map(|asked| answer(run, asked, &copies))).await;
        written.iter().filter_map(|written| written.as_ref().err()).for_each(|error| run.ledger_failed(1, error));
    }
    true
}

async fn answer<W: World>(run: &Run<'_, W>, asked: &Obligation, copies: &Copies) -> Result<Written, CallError> {
    match found(asked, copies, run.world.now()) {
        Some(after) => run.world.write(&after).await,
        // EC2 has none: the request was not carried out, and has its turn again.
        None => match asked.not_now(asked) {
            Some(after) => line::stand(run, &after).await,
            None => Ok(Written::Stale),
        },
    }
}
