//! One account's line in a Region: the newest of each lineage in turn, then again; what is delayed behind it, unless it is
//! overdue.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};
use snapferry_core::facts::CallError;
use snapferry_core::ids::{AccountId, Region};
use snapferry_core::ledger::{Obligation, Place, State, Turn, place};

use crate::World;
use crate::run::Run;

/// What is overdue by that much does not wait behind what is fresh.
const OVERDUE: SignedDuration = SignedDuration::from_hours(1);

/// How many are read at once.
const PAGE: usize = 25;

/// One account's line, read as far as it is needed.
pub(super) struct Queue<'r> {
    region: &'r Region,
    pub(super) account: AccountId,
    fresh: Fresh,
    delayed: Delayed,
    /// Whether the last was overdue. Those and the fresh ones take turns: hundreds that are refused for ever would else use up, each
    /// time, the refusals after which the account is passed over, and nothing fresh would come to be tried.
    was_overdue: bool,
    /// Whether anything was found.
    pub(super) is_used: bool,
}

/// Where the reading of the fresh ones stands.
struct Fresh {
    page: VecDeque<Obligation>,
    /// Behind which place the next page begins.
    after: Option<String>,
    /// The lineage that had its turn last in this pass.
    had: Option<String>,
    /// Whether the line ends with this page.
    is_last: bool,
    /// Whether this pass began at the beginning.
    is_whole: bool,
    /// Whether something was found in this pass.
    has_found: bool,
}

/// Those that are due, as far as they were read.
#[derive(Default)]
struct Delayed {
    page: VecDeque<Obligation>,
    after: Option<String>,
    is_last: bool,
}

impl<'r> Queue<'r> {
    pub(super) fn new(region: &'r Region, turn: Turn) -> Self {
        let after = turn.lineage.as_deref().map(Place::behind);
        let is_whole = after.is_none();
        let fresh =
            Fresh { page: VecDeque::new(), after, had: turn.lineage, is_last: false, is_whole, has_found: false };
        Self { region, account: turn.account, fresh, delayed: Delayed::default(), was_overdue: false, is_used: false }
    }

    /// The one whose turn it is; nothing when none is due.
    pub(super) async fn next<W: World>(&mut self, run: &Run<'_, W>) -> Result<Option<Obligation>, CallError> {
        let now = run.world.now();
        let overdue = now.checked_sub(OVERDUE).unwrap_or(Timestamp::MIN);
        let mut next = None;
        if !self.was_overdue {
            next = self.next_delayed(run, now, overdue).await?;
        }
        self.was_overdue = next.is_some();
        if next.is_none() {
            next = self.next_fresh(run).await?;
        }
        if next.is_none() {
            next = self.next_delayed(run, now, now).await?;
        }
        self.is_used |= next.is_some();
        Ok(next)
    }

    /// The first that was due at `due`.
    async fn next_delayed<W: World>(
        &mut self,
        run: &Run<'_, W>,
        now: Timestamp,
        due: Timestamp,
    ) -> Result<Option<Obligation>, CallError> {
        loop {
            while let Some(head) = self.delayed.page.pop_front() {
                if head.due().is_none_or(|at| at > due) {
                    self.delayed.page.push_front(head);
                    return Ok(None);
                }
                if run.take(&head.identity) {
                    return Ok(Some(head));
                }
            }
            if self.delayed.is_last {
                return Ok(None);
            }
            let (line, before) = (Place::delayed(self.region, &self.account), Place::due_at(now));
            let page = run.world.line(&line, self.delayed.after.as_deref(), Some(&before), PAGE).await?;
            let next = next_page(&page, &line, self.delayed.after.as_deref());
            self.delayed.is_last = page.len() < PAGE || next.is_none();
            self.delayed.after = next;
            // One that is not due stands where it does not belong, because somebody edited it: it holds up nobody behind it.
            let page = page.into_iter().filter(|head| head.due().is_some_and(|at| at <= now)).collect();
            let added = if self.delayed.is_last { self.added(run, &line, None, None) } else { Vec::new() };
            self.delayed.page = merged(page, added).into();
        }
    }

    /// The newest of the next lineage.
    async fn next_fresh<W: World>(&mut self, run: &Run<'_, W>) -> Result<Option<Obligation>, CallError> {
        loop {
            while let Some(head) = self.fresh.page.pop_front() {
                let lineage = Place::lineage(&head);
                let had_its_turn = self.fresh.had.as_deref().is_some_and(|had| lineage <= had);
                if !had_its_turn && run.take(&head.identity) {
                    (self.fresh.had, self.fresh.has_found) = (Some(lineage.to_owned()), true);
                    return Ok(Some(head));
                }
            }
            if self.fresh.is_last && self.fresh.is_whole && !self.fresh.has_found {
                return Ok(None);
            }
            if self.fresh.is_last {
                self.fresh.begin();
            }
            self.read_fresh(run).await?;
        }
    }

    async fn read_fresh<W: World>(&mut self, run: &Run<'_, W>) -> Result<(), CallError> {
        let line = Place::fresh(self.region, &self.account);
        let behind = self.fresh.had.as_deref().map(Place::behind);
        let after = self.fresh.after.take().max(behind);
        let page = run.world.line(&line, after.as_deref(), None, PAGE).await?;
        let last = next_page(&page, &line, after.as_deref());
        self.fresh.is_last = page.len() < PAGE || last.is_none();
        let page = page.into_iter().filter(|head| head.state == State::Owed).collect();
        let before = if self.fresh.is_last { None } else { last.as_deref() };
        let added = self.added(run, &line, after.as_deref(), before);
        self.fresh.page = merged(page, added).into();
        self.fresh.after = last;
        Ok(())
    }

    /// What this invocation added to a line between two places: the index may not show it yet.
    fn added<W: World>(
        &self,
        run: &Run<'_, W>,
        line: &str,
        after: Option<&str>,
        before: Option<&str>,
    ) -> Vec<Obligation> {
        let is_between = |obligation: &Obligation| {
            place(obligation).is_some_and(|at| {
                at.line == line
                    && after.is_none_or(|after| at.order.as_str() > after)
                    && before.is_none_or(|before| at.order.as_str() < before)
            })
        };
        run.owed(self.region, &self.account).into_iter().filter(is_between).collect()
    }

    /// Whether nothing stands in either line, due or not.
    pub(super) async fn is_empty<W: World>(&self, run: &Run<'_, W>) -> Result<bool, CallError> {
        let line = Place::delayed(self.region, &self.account);
        Ok(!self.is_used && run.world.line(&line, None, None, 1).await?.is_empty())
    }
}

impl Fresh {
    /// Begins another pass.
    fn begin(&mut self) {
        *self =
            Self { page: VecDeque::new(), after: None, had: None, is_last: false, is_whole: true, has_found: false };
    }
}

/// Where the next page of a line begins: behind the last on this one that stands where it belongs. Nothing where that leads no
/// further.
pub(super) fn next_page(page: &[Obligation], line: &str, after: Option<&str>) -> Option<String> {
    let last = page.iter().rev().filter_map(place).find(|place| place.line == line)?;
    after.is_none_or(|after| last.order.as_str() > after).then_some(last.order)
}

fn order(obligation: &Obligation) -> Option<String> {
    place(obligation).map(|place| place.order)
}

/// Both in the order of their places. Of two of one identity the first is enough: it is taken once.
fn merged(page: Vec<Obligation>, added: Vec<Obligation>) -> Vec<Obligation> {
    if added.is_empty() {
        return page;
    }
    let mut all: Vec<Obligation> = added.into_iter().chain(page).collect();
    all.sort_by_cached_key(order);
    all.retain(|obligation| matches!(obligation.state, State::Owed | State::Delayed { .. }));
    all
}
