//! The lines of a Region's accounts, and whose turn it is.

use std::collections::{BTreeSet, VecDeque};

use futures_util::stream::{self, StreamExt as _};
use snapferry_core::facts::CallError;
use snapferry_core::ids::{AccountId, Region};
use snapferry_core::ledger::Obligation;

use super::queue::Queue;
use crate::run::Run;
use crate::{World, Written};

/// How many accounts' lines are read at the same time in a Region: each read is a connection.
const ACCOUNTS_AT_ONCE: usize = 8;

/// The accounts that may have something in line, in the order of their turns.
pub(super) struct Queues<'r> {
    region: &'r Region,
    waiting: VecDeque<Queue<'r>>,
    /// Those in which nothing was found.
    empty: Vec<Queue<'r>>,
    /// Whether a line could not be read: then nobody is served before those whose turn it is.
    is_unread: bool,
}

impl<'r> Queues<'r> {
    /// Reads whose turn it is.
    pub(super) async fn read<W: World>(run: &Run<'_, W>, region: &'r Region) -> Result<Self, CallError> {
        run.read_turns(region).await?;
        let (now, mut turns) = (run.world.now(), run.turns(region));
        turns.sort_by(|a, b| a.order(now).cmp(&b.order(now)));
        let waiting = turns.into_iter().map(|turn| Queue::new(run, region, turn)).collect();
        Ok(Self { region, waiting, empty: Vec::new(), is_unread: false })
    }

    /// The next up to `most`: one of each account in turn, then again. What is passed over is left out.
    pub(super) async fn next<W: World>(&mut self, run: &Run<'_, W>, most: usize) -> Vec<Obligation> {
        let mut next = Vec::new();
        while next.len() < most && !self.waiting.is_empty() && !self.is_unread {
            let turns = (most - next.len()).min(self.waiting.len());
            let mut queues: Vec<Queue<'r>> = self.waiting.drain(..turns).collect();
            let heads = stream::iter(queues.iter_mut().map(|queue| queue.next(run))).buffered(ACCOUNTS_AT_ONCE);
            let heads: Vec<_> = heads.collect().await;
            for (queue, head) in queues.into_iter().zip(heads) {
                match head {
                    Ok(Some(head)) => {
                        next.push(head);
                        self.waiting.push_back(queue);
                    }
                    Ok(None) => self.empty.push(queue),
                    Err(error) => {
                        run.ledger_failed(0, &error);
                        self.is_unread = true;
                    }
                }
            }
        }
        next
    }

    /// Leaves accounts out for the rest of the invocation.
    pub(super) fn leave_out(&mut self, accounts: &BTreeSet<AccountId>) {
        self.waiting.retain(|queue| !accounts.contains(&queue.account));
    }

    /// Removes the turns of accounts that have nothing in line, unless something was added a moment ago: the index may not show
    /// it yet.
    pub(super) async fn close<W: World>(self, run: &Run<'_, W>) {
        let region = self.region;
        let remove = async |queue: &Queue<'_>| {
            if let Err(error) = remove_turn(run, region, queue).await {
                run.ledger_failed(0, &error);
            }
        };
        stream::iter(self.empty.iter().map(remove)).buffer_unordered(ACCOUNTS_AT_ONCE).collect::<()>().await;
    }
}

async fn remove_turn<W: World>(run: &Run<'_, W>, region: &Region, queue: &Queue<'_>) -> Result<(), CallError> {
    let Some(turn) = run.turn(region, &queue.account) else { return Ok(()) };
    if turn.may_go(run.world.now()) && queue.is_empty(run).await? {
        match run.world.remove_turn(region, &turn).await? {
            Written::Done => run.forget_turn(region, &turn.account),
            // Somebody added something.
            Written::Stale => {}
        }
    }
    Ok(())
}
