//! One account's lines in a Region: the newest of each lineage in turn, then again; what is delayed behind it, unless it is
//! overdue; and last the lineages of which EC2 refused a copy lately.

use std::collections::VecDeque;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use jiff::{SignedDuration, Timestamp};
use snapferry_core::facts::CallError;
use snapferry_core::ids::{AccountId, PolicyName, Region};
use snapferry_core::ledger::{Obligation, Place, State, Turn, place};

use crate::World;
use crate::run::Run;

/// What is overdue by that much does not wait behind what is fresh.
const OVERDUE: SignedDuration = SignedDuration::from_hours(1);

/// How many are read at once.
const PAGE: usize = 25;

/// How many of an account's lines are read at the same time: there may be one for each policy, and as many accounts.
const LINES_AT_ONCE: usize = 3;

/// Behind so many whose lineages were refused lately nobody is looked for in an invocation.
const MOST_PASSED: usize = 200;

/// One account's lines, one of each policy, read as far as is needed and merged by the order of their places.
pub(super) struct Queue<'r> {
    region: &'r Region,
    pub(super) account: AccountId,
    fresh: Fresh,
    /// Those that are due.
    delayed: Vec<Line>,
    /// Whether the last was overdue. Those and the fresh ones take turns: hundreds that are refused for ever would else use up, each
    /// time, the refusals after which the account is passed over, and nothing fresh would come to be tried.
    was_overdue: bool,
    /// Whether anything was found, or left unread because its policy is passed over.
    pub(super) is_used: bool,
}

/// Where the reading of the fresh ones stands.
struct Fresh {
    lines: Vec<Line>,
    /// The lineage that had its turn last in this pass.
    had: Option<String>,
    /// Whether this pass began at the beginning.
    is_whole: bool,
    /// Whether something was found in this pass.
    has_found: bool,
    /// How many were passed whose lineages were refused lately; nothing once they have their turn, too.
    passed: Option<usize>,
}

/// One policy's line, as far as it was read.
struct Line {
    policy: PolicyName,
    page: VecDeque<Obligation>,
    /// Behind which place the next page begins.
    after: Option<String>,
    /// Whether the line ends with this page.
    is_last: bool,
}

impl<'r> Queue<'r> {
    pub(super) fn new<W: World>(run: &Run<'_, W>, region: &'r Region, turn: Turn) -> Self {
        let after = turn.lineage.as_deref().map(Place::behind);
        let lines = |after: Option<String>| {
            run.setup.policies.iter().map(move |policy| Line::new(policy.name.clone(), after.clone())).collect()
        };
        let is_whole = after.is_none();
        let (fresh, delayed) = (lines(after), lines(None));
        let fresh = Fresh { lines: fresh, had: turn.lineage, is_whole, has_found: false, passed: Some(0) };
        Self { region, account: turn.account, fresh, delayed, was_overdue: false, is_used: false }
    }

    /// The one whose turn it is; nothing when none is due.
    pub(super) async fn next<W: World>(&mut self, run: &Run<'_, W>) -> Result<Option<Obligation>, CallError> {
        self.leave_out_passed_over(run);
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
        if next.is_none() && self.fresh.passed.take().is_some_and(|passed| passed > 0) {
            self.fresh.begin();
            next = self.next_fresh(run).await?;
        }
        self.is_used |= next.is_some();
        Ok(next)
    }

    /// However many wait under a policy that is passed over, what waits under the others is read at once.
    fn leave_out_passed_over<W: World>(&mut self, run: &Run<'_, W>) {
        let Self { region, account, fresh, delayed, is_used, .. } = self;
        run.lane(region, |lane| {
            for lines in [&mut fresh.lines, delayed] {
                let before = lines.len();
                lines.retain(|line| lane.passes_over(&line.policy, account).is_none());
                *is_used |= lines.len() < before;
            }
        });
    }

    /// The first that was due at `due`.
    async fn next_delayed<W: World>(
        &mut self,
        run: &Run<'_, W>,
        now: Timestamp,
        due: Timestamp,
    ) -> Result<Option<Obligation>, CallError> {
        loop {
            self.read_delayed(run, now).await?;
            let Some(line) = first(&mut self.delayed) else { return Ok(None) };
            let Some(head) = line.page.pop_front() else { return Ok(None) };
            if head.due().is_none_or(|at| at > due) {
                line.page.push_front(head);
                return Ok(None);
            }
            if run.take(&head.identity) {
                return Ok(Some(head));
            }
        }
    }

    /// Reads of each policy as far as it has a head, or to its end.
    async fn read_delayed<W: World>(&mut self, run: &Run<'_, W>, now: Timestamp) -> Result<(), CallError> {
        let (region, account) = (self.region, &self.account);
        let read = async |line: &mut Line| -> Result<(), CallError> {
            while line.is_to_be_read() {
                let (place, before) = (Place::delayed(region, account, &line.policy), Place::due_at(now));
                let page = run.world.line(&place, line.after.as_deref(), Some(&before), PAGE).await?;
                let next = next_page(&page, &place, line.after.as_deref());
                line.is_last = page.len() < PAGE || next.is_none();
                line.after = next;
                // One that is not due stands where it does not belong, because somebody edited it: it holds up nobody behind it.
                let page = page.into_iter().filter(|head| head.due().is_some_and(|at| at <= now)).collect();
                let added = if line.is_last { added(run, region, account, &place, None, None) } else { Vec::new() };
                line.page = merged(page, added).into();
            }
            Ok(())
        };
        stream::iter(self.delayed.iter_mut().map(read)).buffer_unordered(LINES_AT_ONCE).try_collect().await
    }

    /// The newest of the next lineage.
    async fn next_fresh<W: World>(&mut self, run: &Run<'_, W>) -> Result<Option<Obligation>, CallError> {
        loop {
            self.read_fresh(run).await?;
            if let Some(head) = first(&mut self.fresh.lines).and_then(|line| line.page.pop_front()) {
                let lineage = Place::lineage(&head);
                let had_its_turn = self.fresh.had.as_deref().is_some_and(|had| lineage <= had);
                if !had_its_turn && (run.is_busy(&head) || self.fresh.passes(run, &head)) {
                    self.fresh.had = Some(lineage.to_owned());
                } else if !had_its_turn && run.take(&head.identity) {
                    (self.fresh.had, self.fresh.has_found) = (Some(lineage.to_owned()), true);
                    return Ok(Some(head));
                }
            } else if self.fresh.is_whole && !self.fresh.has_found {
                return Ok(None);
            } else {
                self.fresh.begin();
            }
        }
    }

    /// Reads of each policy as far as it has a head, or to its end.
    async fn read_fresh<W: World>(&mut self, run: &Run<'_, W>) -> Result<(), CallError> {
        let (region, account, had) = (self.region, &self.account, self.fresh.had.as_deref());
        let read = async |line: &mut Line| -> Result<(), CallError> {
            while line.is_to_be_read() {
                let place = Place::fresh(region, account, &line.policy);
                let after = line.after.take().max(had.map(Place::behind));
                let page = run.world.line(&place, after.as_deref(), None, PAGE).await?;
                let last = next_page(&page, &place, after.as_deref());
                line.is_last = page.len() < PAGE || last.is_none();
                let page = page.into_iter().filter(|head| head.state == State::Owed).collect();
                let before = if line.is_last { None } else { last.as_deref() };
                let added = added(run, region, account, &place, after.as_deref(), before);
                line.page = merged(page, added).into();
                line.after = last;
            }
            Ok(())
        };
        stream::iter(self.fresh.lines.iter_mut().map(read)).buffer_unordered(LINES_AT_ONCE).try_collect().await
    }

    /// Whether nothing stands in any line, due or not.
    pub(super) async fn is_empty<W: World>(&self, run: &Run<'_, W>) -> Result<bool, CallError> {
        if self.is_used {
            return Ok(false);
        }
        let first = async |line: &Line| {
            run.world.line(&Place::delayed(self.region, &self.account, &line.policy), None, None, 1).await
        };
        let found = stream::iter(self.delayed.iter().map(first)).buffer_unordered(LINES_AT_ONCE);
        found.try_all(async |found| found.is_empty()).await
    }
}

impl Fresh {
    /// Begins another pass.
    fn begin(&mut self) {
        let lines = self.lines.drain(..).map(|line| Line::new(line.policy, None)).collect();
        *self = Self { lines, had: None, is_whole: true, has_found: false, passed: self.passed };
    }

    /// Whether one waits until the others had their turn: EC2 refused a copy of its lineage lately.
    fn passes<W: World>(&mut self, run: &Run<'_, W>, head: &Obligation) -> bool {
        match &mut self.passed {
            Some(passed) if *passed < MOST_PASSED && run.was_refused(head) => {
                *passed += 1;
                true
            }
            _ => false,
        }
    }
}

impl Line {
    fn new(policy: PolicyName, after: Option<String>) -> Self {
        Self { policy, page: VecDeque::new(), after, is_last: false }
    }

    fn is_to_be_read(&self) -> bool {
        self.page.is_empty() && !self.is_last
    }
}

/// The line whose head comes first.
fn first(lines: &mut [Line]) -> Option<&mut Line> {
    lines.iter_mut().filter(|line| !line.page.is_empty()).min_by_key(|line| line.page.front().and_then(order))
}

/// What this invocation added to a line between two places: the index may not show it yet.
fn added<W: World>(
    run: &Run<'_, W>,
    region: &Region,
    account: &AccountId,
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
    run.owed(region, account).into_iter().filter(is_between).collect()
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
