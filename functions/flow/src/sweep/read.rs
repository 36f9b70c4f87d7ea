//! Reading one shard: what is shared, what is copied, and what the ledger holds, at the same time.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, join_all, join3, select};
use jiff::Timestamp;
use snapferry_core::copying::{Decision, Deferral, Outcome};
use snapferry_core::facts::{CallError, Copies, SourceSnapshot};
use snapferry_core::ids::{AccountId, Region};
use snapferry_core::ledger::Shard;
use snapferry_core::policy::PolicyState;

use crate::run::Run;
use crate::{CopiesIn, Item, World, is_mostly_empty};

/// Owners asked for in one read, to keep the request small; more of them are several reads.
const OWNERS: usize = 100;

/// A part that was read for so long and was cut is split.
const ENOUGH: Duration = Duration::from_secs(20);

/// A shard of so many digits is not split for the time that it takes.
const MOST_DIGITS: usize = 3;

/// What became of reading a part of a round.
pub(super) enum Read {
    /// All that could be read.
    All(Seen),
    /// It does not fit into memory.
    TooMuch,
    /// EC2's pages are mostly empty; see [`is_mostly_empty`].
    MostlyEmpty,
    /// Nothing can be said of it: of no owner, or not of the ledger.
    Unread,
    /// The invocation's time was over before all was read.
    Cut,
}

/// What was read of a part of a round.
pub(super) struct Seen {
    /// When the reading began.
    pub(super) began: Timestamp,
    /// In the order of their IDs.
    pub(super) sources: Vec<SourceSnapshot>,
    /// The owners of which this is not all that they share.
    pub(super) unread: BTreeSet<AccountId>,
    pub(super) regions: BTreeMap<Region, Result<Copies, CallError>>,
    pub(super) items: Vec<Item>,
    /// Whether this is all that there is.
    pub(super) is_all: bool,
}

/// What owners share, as far as it could be read.
#[derive(Default)]
struct Shared {
    sources: Vec<SourceSnapshot>,
    unread: BTreeMap<AccountId, CallError>,
    unreadable: Vec<String>,
    is_too_much: bool,
    is_mostly_empty: bool,
    is_cut: bool,
}

/// So many snapshots of a shard are about what fits well into memory, with their copies and obligations.
pub(super) fn fits<W: World>(run: &Run<'_, W>) -> usize {
    let regions = run.setup.regions().len();
    run.setup.records / regions.saturating_mul(2).saturating_add(1)
}

/// More snapshots, or copies in a Region, than this are not kept in memory together.
fn most<W: World>(run: &Run<'_, W>) -> usize {
    fits(run).saturating_mul(3) / 2
}

/// Reads a shard, for as long as there is time.
pub(super) async fn shard<W: World>(run: &Run<'_, W>, shard: &Shard) -> Read {
    let left = run.world.left();
    let read = whole(run, shard).await;
    // What does not fit into the time of an invocation either is split, as what does not fit into memory.
    let had_time = left.saturating_sub(run.until.get()) >= ENOUGH;
    let is_cut = matches!(read, Read::Cut);
    if is_cut && had_time && shard.0.len() < MOST_DIGITS { Read::TooMuch } else { read }
}

/// What is read in time: not what outlasts it.
pub(super) async fn in_time<W: World, T>(run: &Run<'_, W>, read: impl Future<Output = T>) -> Option<T> {
    let time = run.world.left().saturating_sub(run.until.get());
    match select(pin!(read), pin!(run.world.sleep(time))).await {
        Either::Left((read, _)) => Some(read),
        Either::Right(_) => None,
    }
}

async fn whole<W: World>(run: &Run<'_, W>, shard: &Shard) -> Read {
    // Before anything is read: a hold that ends while a slow page is on its way still holds for what that page shows.
    let began = run.world.now();
    let (most, is_cut) = (most(run), Cell::new(false));
    let (mut shared, regions, items) = join3(
        shared(run, shard, most),
        join_all(run.setup.regions().into_iter().map(async |region| {
            let copies = run.regions.ask(region, run.world.copies_in(region, shard, most));
            let copies = in_time(run, copies).await.unwrap_or_else(|| {
                is_cut.set(true);
                Err(CallError::not_read())
            });
            (region.clone(), copies)
        })),
        async { in_time(run, items(run, shard)).await.unwrap_or(Err(Read::Cut)) },
    )
    .await;
    let is = |wanted: CopiesIn| regions.iter().any(|(_, copies)| copies.as_ref().is_ok_and(|copies| *copies == wanted));
    if shared.is_mostly_empty || is(CopiesIn::MostlyEmpty) {
        return Read::MostlyEmpty;
    }
    if shared.is_too_much || is(CopiesIn::TooMany) {
        return Read::TooMuch;
    }
    let unread = shared.unread.len();
    let is_silent = shared.sources.is_empty() && unread > 0 && unread == owners(run).len();
    if !is_silent && (shared.is_cut || is_cut.get()) {
        return Read::Cut;
    }
    let items = match items {
        Ok(items) => items,
        Err(instead) => return instead,
    };
    for (_, copies) in &regions {
        if let Ok(CopiesIn::All(copies)) = copies {
            shared.unreadable.extend(copies.unreadable.iter().cloned());
        }
    }
    shared.unreadable.iter().for_each(|what| tell_unreadable(run, "EC2's answer", what));
    if is_silent {
        shared.unread.values().take(1).for_each(|error| run.home_failed(error));
        return Read::Unread;
    }
    let sources = in_order(shared.sources);
    let regions = regions.into_iter().map(|(region, copies)| (region, copies.and_then(all))).collect();
    let unread = shared.unread.into_keys().collect();
    Read::All(Seen { began, sources, unread, regions, items, is_all: *shard == Shard::all() })
}

/// What the ledger holds of a shard: what is open, and what stands in a line.
///
/// # Errors
/// What is to be said of the shard instead.
pub(super) async fn items<W: World>(run: &Run<'_, W>, shard: &Shard) -> Result<Vec<Item>, Read> {
    let most = most(run).saturating_mul(run.setup.regions().len().max(1));
    match run.world.obligations(shard, most).await {
        Ok(Some((items, unreadable))) => {
            unreadable.iter().for_each(|what| tell_unreadable(run, "the ledger", what));
            Ok(items)
        }
        Ok(None) => Err(Read::TooMuch),
        Err(error) => {
            run.ledger_failed(0, &error);
            Err(Read::Unread)
        }
    }
}

/// EC2 may show a snapshot on two pages when others come and go meanwhile.
pub(super) fn in_order(mut sources: Vec<SourceSnapshot>) -> Vec<SourceSnapshot> {
    sources.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    sources.dedup_by(|a, b| a.id == b.id);
    sources
}

fn all(copies: CopiesIn) -> Result<Copies, CallError> {
    match copies {
        CopiesIn::All(copies) => Ok(copies),
        CopiesIn::TooMany | CopiesIn::MostlyEmpty => Err(CallError::not_read()),
    }
}

/// The owners that a sweep reads: those of all policies that copy.
pub(super) fn owners<W: World>(run: &Run<'_, W>) -> Vec<AccountId> {
    let enabled = run.setup.policies.iter().filter(|policy| policy.state == PolicyState::Enabled);
    let owners: BTreeSet<&AccountId> = enabled.flat_map(|policy| &policy.owners).collect();
    owners.into_iter().filter(|owner| run.setup.account.as_ref() != Some(*owner)).cloned().collect()
}

/// All owners' snapshots; where some cannot be read, each owner by itself, so that one spoils no other.
async fn shared<W: World>(run: &Run<'_, W>, shard: &Shard, most: usize) -> Shared {
    let mut shared = Shared::default();
    let mut asked = Vec::new();
    for owner in owners(run) {
        match run.owners.given_up(&owner) {
            Some(error) => _ = shared.unread.insert(owner, error),
            None => asked.push(owner),
        }
    }
    let mut last: Option<CallError> = None;
    for owners in asked.chunks(OWNERS) {
        let Err(error) = of(run, owners, shard, most, &mut shared, last.as_ref()).await else { continue };
        last = Some(error.clone());
        for owner in owners {
            let one = std::slice::from_ref(owner);
            let read = if owners.len() > 1 {
                of(run, one, shard, most, &mut shared, last.as_ref()).await
            } else {
                Err(error.clone())
            };
            let Err(error) = read else { continue };
            note_unread(run, owner, &error);
            shared.unread.insert(owner.clone(), error.clone());
            last = Some(error);
        }
    }
    shared
}

/// As [`pages`]; where nothing at all answered until the time was over, it is not waited for any more, and `last` stands for it.
async fn of<W: World>(
    run: &Run<'_, W>,
    owners: &[AccountId],
    shard: &Shard,
    most: usize,
    shared: &mut Shared,
    last: Option<&CallError>,
) -> Result<(), CallError> {
    match last.filter(|_| !run.has_time() && !run.home_answers.get()) {
        Some(error) => Err(error.clone()),
        None => pages(run, owners, shard, most, shared).await,
    }
}

async fn pages<W: World>(
    run: &Run<'_, W>,
    owners: &[AccountId],
    shard: &Shard,
    most: usize,
    shared: &mut Shared,
) -> Result<(), CallError> {
    let (mut next, mut pages, mut found): (Option<String>, usize, usize) = (None, 0, 0);
    shared.is_cut |= !run.has_time();
    while !shared.is_too_much && !shared.is_mostly_empty && !shared.is_cut {
        let page = run.world.shared(owners, shard, next.as_deref()).await?;
        run.home_answers.set(true);
        (pages, found) = (pages.saturating_add(1), found.saturating_add(page.snapshots.len()));
        shared.sources.extend(page.snapshots);
        shared.unreadable.extend(page.unreadable);
        shared.is_too_much = shared.sources.len() > most;
        next = page.next;
        if next.is_none() {
            break;
        }
        shared.is_cut = !run.has_time();
        // The walk that is taken instead reads all, whatever the shard.
        shared.is_mostly_empty = *shard != Shard::all() && is_mostly_empty(pages, found);
    }
    Ok(())
}

/// Notes that an owner's snapshots could not all be read, and names it once.
pub(super) fn note_unread<W: World>(run: &Run<'_, W>, owner: &AccountId, error: &CallError) {
    if run.owners.note(owner, error) {
        let message = format!("what {owner} shares: {}", error.message);
        tell(run, CallError { message, ..error.clone() });
    }
}

/// Names what could not be read; the rest goes on without it.
pub(super) fn tell_unreadable<W: World>(run: &Run<'_, W>, whose: &str, what: &str) {
    let message = format!("{whose} holds something that cannot be read, and the rest goes on without it: {what}");
    tell(run, CallError { code: "UnreadableAnswer".to_owned(), message, request_id: None });
}

fn tell<W: World>(run: &Run<'_, W>, error: CallError) {
    run.tell(&Decision::of_sources(Deferral::SourcesUnread(error)), &Outcome::Stands);
}
