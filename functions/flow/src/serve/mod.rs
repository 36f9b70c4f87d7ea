//! Serving the line: of each Region, as much as it takes now.

mod answers;
mod batch;
mod queue;
mod queues;

use std::time::Duration;

use futures_util::future::join_all;
use snapferry_core::ids::Region;

use crate::World;
use crate::run::Run;
use batch::FOR_A_BATCH;
use queues::Queues;

/// How many are looked at together.
const BATCH: usize = 25;

/// Serves these Regions at the same time until so much of the invocation is left, and begins nothing near its end. `answers` says
/// whether what was asked for without an answer is looked for, too.
pub(crate) async fn serve<W: World>(run: &Run<'_, W>, regions: Vec<Region>, answers: bool, until: Duration) {
    join_all(regions.iter().map(async |region| {
        if answers {
            answers::look(run, region, until.max(FOR_A_BATCH)).await;
        }
        in_region(run, region, until).await;
    }))
    .await;
}

async fn in_region<W: World>(run: &Run<'_, W>, region: &Region, until: Duration) {
    if !run.lane(region, |lane| lane.takes_more()) {
        return;
    }
    let mut queues = match Queues::read(run, region).await {
        Ok(queues) => queues,
        Err(error) => return run.ledger_failed(0, &error),
    };
    while run.world.left() > until.max(FOR_A_BATCH) && run.lane(region, |lane| lane.takes_more()) {
        let batch = queues.next(run, BATCH).await;
        if batch.is_empty() {
            break;
        }
        match batch::serve(run, region, &batch, until).await {
            Ok(unseen) => queues.leave_out(&unseen),
            Err(deferral) => {
                run.put_back(&batch);
                run.tell_region(region, deferral, batch.len());
                break;
            }
        }
    }
    queues.close(run).await;
}
