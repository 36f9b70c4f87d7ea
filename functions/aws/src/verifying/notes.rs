//! What a run reads in the ledger and notes there. Verdicts do not wait for it: what is not noted, the next sweep notes, because it
//! finds the verdict on the copy.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use snapferry_core::facts::CallError;
use snapferry_core::ledger::{Identity, Obligation};
use snapferry_core::verifying::{Decision, Facts, Verdict, is_told, step};

use crate::ledger::Table;
use crate::reads::with_timeout;

/// Obligations looked at at the same time.
const LOOKS: usize = 25;

/// How many verdicts a run gives: each is a line in the audit, and most are an obligation's end.
const MOST_VERDICTS: u32 = 1000;

/// One run's dealings with the ledger. After the first error nothing more is asked of it: each request may take seconds.
pub struct Notes<'l> {
    ledger: &'l Table,
    verdicts: Cell<u32>,
    failed: RefCell<Option<CallError>>,
    missing: Cell<u64>,
}

impl<'l> Notes<'l> {
    /// Of a run that begins.
    #[must_use]
    pub fn new(ledger: &'l Table) -> Self {
        Self { ledger, verdicts: Cell::new(0), failed: RefCell::new(None), missing: Cell::new(0) }
    }

    /// Adds to the facts what the ledger holds of the identities that are to be judged, each read by its key, for at most
    /// this time.
    pub async fn look(&self, facts: &mut Facts, time: Duration) {
        let identities: Vec<Identity> = facts.to_be_judged().into_iter().collect();
        let obligations = &mut facts.obligations;
        let read = async {
            for some in identities.chunks(LOOKS) {
                if self.failed.borrow().is_some() {
                    break;
                }
                for read in join_all(some.iter().map(|identity| self.ledger.obligation(identity))).await {
                    match read {
                        Ok(Some(item)) => {
                            _ = obligations.insert(item.obligation.identity.clone(), item.obligation);
                        }
                        Ok(None) => {}
                        Err(error) => self.fail(error),
                    }
                }
            }
            Ok(())
        };
        if let Err(error) = with_timeout(time, read).await {
            self.fail(error);
        }
    }

    /// Whether this run may give one more verdict.
    pub(super) fn may_judge(&self) -> bool {
        let verdicts = self.verdicts.get();
        self.verdicts.set(verdicts.saturating_add(1));
        verdicts < MOST_VERDICTS
    }

    /// Whether the audit has this verdict by now. The ledger is read once more, because a run over all decides on what it read
    /// seconds ago, and a run over what an event names may have told and noted it since.
    pub(super) async fn is_told(&self, facts: &Facts, decision: &Decision<'_>) -> bool {
        let read = decision.copy.and_then(|copy| facts.obligation_of(decision.region, copy));
        let Some(read) = read.filter(|_| matches!(decision.verdict, Verdict::Verify { .. })) else { return false };
        if is_told(decision, read) || self.failed.borrow().is_some() {
            return is_told(decision, read);
        }
        match self.ledger.obligation(&read.identity).await {
            Ok(stands) => stands.is_some_and(|stands| is_told(decision, &stands.obligation)),
            Err(error) => {
                self.fail(error);
                false
            }
        }
    }

    /// Notes what a verdict that stands on the copy's tags makes of its obligation.
    pub(super) async fn note(&self, facts: &Facts, decision: &Decision<'_>) {
        let noted = if self.failed.borrow().is_some() {
            false
        } else if let Some(obligation) = decision.copy.and_then(|copy| facts.obligation_of(decision.region, copy)) {
            let becomes = |stands: &Obligation| step(decision, stands, Timestamp::now());
            self.ledger.step(obligation, becomes).await.map_err(|error| self.fail(error)).is_ok()
        } else {
            true
        };
        self.missing.set(self.missing.get().saturating_add(u64::from(!noted)));
    }

    /// How many verdicts are not noted because the ledger did not answer, and what it said; nothing where it always did.
    #[must_use]
    pub fn unread(&self) -> Option<(u64, CallError)> {
        self.failed.borrow().clone().map(|error| (self.missing.get(), error))
    }

    fn fail(&self, error: CallError) {
        tracing::warn!(code = error.code, message = error.message, "the ledger did not answer");
        let mut failed = self.failed.borrow_mut();
        if failed.is_none() {
            *failed = Some(error);
        }
    }
}
