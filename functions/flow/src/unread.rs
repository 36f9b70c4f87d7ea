//! What could not be read in this invocation.

use std::cell::RefCell;
use std::collections::BTreeMap;

use snapferry_core::facts::CallError;

/// So often what cannot be read is asked for. Then it is left alone until the next invocation, so that it slows nothing else
/// down.
const TRIES: u32 = 3;

/// Owners, or Regions, whose reads failed.
#[derive(Debug)]
pub(crate) struct Unread<K>(RefCell<BTreeMap<K, (u32, CallError)>>);

impl<K: Ord + Clone> Unread<K> {
    pub(crate) fn new() -> Self {
        Self(RefCell::default())
    }

    /// The answer of `read`, unless it failed often enough: then that failure.
    pub(crate) async fn ask<T>(
        &self,
        of: &K,
        read: impl Future<Output = Result<T, CallError>>,
    ) -> Result<T, CallError> {
        if let Some(error) = self.given_up(of) {
            return Err(error);
        }
        let answer = read.await;
        if let Err(error) = &answer {
            self.note(of, error);
        }
        answer
    }

    /// Why this is not asked for again, if so.
    pub(crate) fn given_up(&self, of: &K) -> Option<CallError> {
        let failed = self.0.borrow();
        failed.get(of).filter(|(times, _)| *times >= TRIES).map(|(_, error)| error.clone())
    }

    /// Notes a failure; tells whether it is the first.
    pub(crate) fn note(&self, of: &K, error: &CallError) -> bool {
        let mut failed = self.0.borrow_mut();
        let (times, last) = failed.entry(of.clone()).or_insert_with(|| (0, error.clone()));
        *times = times.saturating_add(1);
        last.clone_from(error);
        *times == 1
    }
}
