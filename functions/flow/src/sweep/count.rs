//! A round's end: what was counted, with what became of it meanwhile.

use std::cell::RefCell;

use snapferry_core::audit::CopyDeferred;
use snapferry_core::copying::{Ran, not_tried, summary};

use super::lineages::Sweeper;
use super::slice::Slice;
use crate::World;
use crate::run::Run;

/// Notes what the serving in this invocation made of what the round found, and tells the round's totals where it is done.
pub(crate) async fn finish<W: World>(run: &Run<'_, W>, mut slice: Slice) {
    let served = run.served();
    if !slice.is_ours || (!slice.is_done() && served.is_empty()) {
        return;
    }
    served.iter().for_each(|served| slice.count(served));
    if slice.round.is_read() {
        slice.clock(run);
        tell(run, &mut slice);
    }
    slice.note(run).await;
}

/// Tells what is in line and was not tried, then the totals.
fn tell<W: World>(run: &Run<'_, W>, slice: &mut Slice) {
    let now = run.world.now();
    for (region, waiting) in slice.round.owed.iter().filter(|(_, waiting)| **waiting > 0) {
        let reason = run.lane(region, |lane| lane.closed()).unwrap_or(CopyDeferred::InLine);
        slice.round.totals.waits(reason, *waiting);
        run.say(not_tried(region, reason, *waiting, now), None);
    }
    let ran = Ran { id: &slice.round.id, duration_ms: slice.round.took_ms, calls: slice.round.calls };
    summary(&slice.round.totals, ran, now).iter().for_each(|record| run.world.say(record));
}

/// Decides at a round's end on sources that are older than their retention.
pub(crate) async fn close<W: World>(run: &Run<'_, W>, sweeper: &RefCell<Sweeper>, slice: &Slice) {
    if !slice.is_done() {
        return;
    }
    let sweeper = sweeper.take();
    if let Err(error) = sweeper.close(run).await {
        run.ledger_failed(0, &error);
    }
}
