//! What one invocation does of a round.

use jiff::Timestamp;
use snapferry_core::ledger::Round;

use crate::run::{Run, Served};
use crate::{World, Written};

/// What an invocation did of a round.
pub(crate) struct Slice {
    pub(crate) round: Round,
    /// Whether the round's item is still the one that this invocation wrote: else another one goes on with it.
    pub(crate) is_ours: bool,
    /// When reading began, and the calls that had been made by then.
    pub(super) began: (Timestamp, u64),
}

impl Slice {
    /// Whether all of it is read.
    pub(crate) fn is_done(&self) -> bool {
        self.is_ours && self.round.is_read()
    }

    /// Adds to the round what this invocation spent since it was last asked.
    pub(crate) fn clock<W: World>(&mut self, run: &Run<'_, W>) {
        let (began, calls) = std::mem::replace(&mut self.began, (run.world.now(), run.world.calls()));
        let took = u64::try_from(self.began.0.duration_since(began).as_millis()).unwrap_or_default();
        self.round.took_ms = self.round.took_ms.saturating_add(took);
        self.round.calls = self.round.calls.saturating_add(self.began.1.saturating_sub(calls));
    }

    /// Writes how far the round has come.
    pub(super) async fn note<W: World>(&mut self, run: &Run<'_, W>) {
        self.clock(run);
        let next = Round { revision: self.round.revision.saturating_add(1), ..self.round.clone() };
        match run.world.write_round(&next).await {
            Ok(Written::Done) => self.round = next,
            Ok(Written::Stale) => self.is_ours = false,
            Err(error) => {
                run.ledger_failed(0, &error);
                self.is_ours = false;
            }
        }
    }

    /// Counts what became of what the round found in line. What is in a part that is not read yet is counted when it is.
    pub(super) fn count(&mut self, served: &Served) {
        if self.round.awaits(&served.source) {
            return;
        }
        self.round.totals.served(&served.region, &served.outcome);
        if let Some(owed) = self.round.owed.get_mut(&served.region) {
            *owed = owed.saturating_sub(1);
        }
    }
}
