//! Bringing what the ledger holds of a shard up to date: what was edited is put back, what EC2 shows is noted, and what is no
//! longer wanted or gone for good ends.

use std::collections::BTreeSet;

use futures_util::stream::{self, StreamExt as _};
use jiff::Timestamp;
use snapferry_core::copying::{Facts, missed};
use snapferry_core::facts::{CallError, Copies, Copy, SourceSnapshot};
use snapferry_core::ids::{AccountId, Region, SnapshotId};
use snapferry_core::ledger::{End, Obligation, State};

use super::owe::{self, WRITES};
use crate::run::Run;
use crate::settle::{copies_of, found, named};
use crate::{Item, World, ends, line, wish};

/// How many snapshots are looked for by ID at once.
const BY_ID: usize = 200;

/// What is to be done about an item.
enum Next {
    /// It stands as it is.
    Stands,
    /// This is to be written in its place.
    Write(Box<Obligation>),
    /// Its copy has to be looked for by its ID.
    LookForCopy,
    /// It is told of as withdrawn, and ended.
    Withdraw(snapferry_core::audit::CopyWithdrawn),
    /// Its source was gone in an earlier round, too: it has to be looked for by its ID.
    LookForSource,
}

/// Settles all items of a shard. `unread` are the owners of which the shard's reading is not whole.
///
/// # Errors
/// The ledger's.
pub(super) async fn settle<W: World>(
    run: &Run<'_, W>,
    round: &str,
    facts: &Facts,
    unread: &BTreeSet<AccountId>,
    items: &[Item],
    began: Timestamp,
) -> Result<(), CallError> {
    let (mut writes, mut hidden, mut gone) = (Vec::new(), Vec::new(), Vec::new());
    // One that is over and still stands in a line was edited.
    let is_open =
        |item: &&Item| !item.obligation.has_ended() || !item.is_placed || item.obligation.repaired(began).is_some();
    for item in items.iter().filter(is_open) {
        match next(run, round, facts, unread, item, began) {
            Next::Stands => {}
            Next::Write(obligation) => writes.push(*obligation),
            Next::LookForCopy => hidden.push(&item.obligation),
            Next::Withdraw(reason) => ends::withdraw(run, &item.obligation, reason).await?,
            Next::LookForSource => gone.push(&item.obligation),
        }
    }
    writes.extend(look_for_copies(run, &hidden).await);
    write(run, writes).await?;
    look_for_sources(run, &gone).await?;
    keep_turns(run, items).await
}

fn next<W: World>(
    run: &Run<'_, W>,
    round: &str,
    facts: &Facts,
    unread: &BTreeSet<AccountId>,
    item: &Item,
    began: Timestamp,
) -> Next {
    let obligation = &item.obligation;
    let source = source_of(facts, &obligation.identity.source);
    if let Some(repaired) = repaired(run, item, source, began) {
        return write_next(repaired);
    }
    if let Some(Ok(copies)) = facts.regions.get(&obligation.identity.region)
        && let Some(next) = by_copies(obligation, copies, began)
    {
        return next;
    }
    if !matches!(obligation.state, State::Owed | State::Delayed { .. }) {
        return Next::Stands;
    }
    if let Some(reason) = wish::unwanted(run.setup, obligation, source) {
        return Next::Withdraw(reason);
    }
    match (source, obligation.gone_in(round)) {
        (Some(_), _) => obligation.seen().map_or(Next::Stands, write_next),
        // Of an owner that could not be read whole nothing is gone.
        (None, _) if unread.contains(&obligation.account) => Next::Stands,
        (None, Some(Ok(gone))) => write_next(gone),
        (None, Some(Err(()))) => Next::LookForSource,
        (None, None) => Next::Stands,
    }
}

/// What is to be written because the item was edited, or its place in the line was lost.
fn repaired<W: World>(
    run: &Run<'_, W>,
    item: &Item,
    source: Option<&SourceSnapshot>,
    began: Timestamp,
) -> Option<Obligation> {
    let obligation = &item.obligation;
    let request = source.and_then(|source| wish::request(run.setup, &obligation.identity, source).ok());
    let by_source = request.and_then(|request| obligation.repaired_by(request.source, &request.volume(), began));
    by_source.or_else(|| obligation.repaired(began)).or_else(|| {
        let revision = obligation.revision.saturating_add(1);
        (!item.is_placed).then(|| Obligation { revision, ..obligation.clone() })
    })
}

/// What EC2's copies make of it.
fn by_copies(obligation: &Obligation, copies: &Copies, began: Timestamp) -> Option<Next> {
    if let Some(next) = found(obligation, copies, began) {
        return Some(write_next(next));
    }
    let named = obligation.copy()?;
    let shown = |copy: &&Copy| copy.id == *named;
    match copies_of(&obligation.identity, copies).find(shown) {
        Some(copy) if copy.is_live() => Some(Next::Stands),
        Some(_) => obligation.failed(named, began).map(write_next),
        None if obligation.vanished(began).is_some() => Some(Next::LookForCopy),
        None => Some(Next::Stands),
    }
}

fn source_of<'f>(facts: &'f Facts, id: &SnapshotId) -> Option<&'f SourceSnapshot> {
    let sources = facts.snapshots.as_ref().ok()?;
    sources.get(sources.binary_search_by(|source| source.id.cmp(id)).ok()?)
}

/// Copies that EC2 named and does not show by their tags: what EC2 does not know by their IDs either is gone, and owed again.
async fn look_for_copies<W: World>(run: &Run<'_, W>, hidden: &[&Obligation]) -> Vec<Obligation> {
    let mut next = Vec::new();
    let regions: BTreeSet<&Region> = hidden.iter().map(|hidden| &hidden.identity.region).collect();
    for region in regions {
        let here: Vec<&Obligation> =
            hidden.iter().copied().filter(|hidden| hidden.identity.region == *region).collect();
        for some in here.chunks(BY_ID) {
            let ids: Vec<SnapshotId> = some.iter().filter_map(|hidden| hidden.copy().cloned()).collect();
            // What could not be read is looked for in the next round.
            let Ok(shown) = run.world.copies_by_id(region, &ids).await else { continue };
            let now = run.world.now();
            next.extend(some.iter().filter_map(|hidden| named(hidden, &shown, now)));
        }
    }
    next
}

/// Sources that were gone in two rounds: what EC2 does not show by its ID either is missed.
async fn look_for_sources<W: World>(run: &Run<'_, W>, gone: &[&Obligation]) -> Result<(), CallError> {
    for some in gone.chunks(BY_ID) {
        let mut ids: Vec<SnapshotId> = some.iter().map(|gone| gone.identity.source.clone()).collect();
        ids.sort_unstable();
        ids.dedup();
        let Ok(shown) = run.world.sources(&ids).await else { continue };
        for obligation in some {
            let source = &obligation.identity.source;
            let is_readable = shown.snapshots.iter().any(|shown| shown.id == *source);
            let is_shown = is_readable || shown.unreadable.contains_key(source);
            let now = run.world.now();
            let next = if is_shown { obligation.seen() } else { obligation.ended(End::Missed, now) };
            let Some(next) = next else { continue };
            if !is_shown {
                if !ends::stands(run, obligation).await? {
                    continue;
                }
                if !run.may_end() {
                    return Ok(());
                }
                run.say_end(obligation, missed(obligation, &run.setup.home, now));
            }
            run.world.write(&next).await?;
        }
    }
    Ok(())
}

async fn write<W: World>(run: &Run<'_, W>, writes: Vec<Obligation>) -> Result<(), CallError> {
    let (waiting, others): (Vec<_>, Vec<_>) =
        writes.into_iter().partition(|next| matches!(next.state, State::Owed | State::Delayed { .. }));
    let mut writes = stream::iter(&others).map(|other| run.world.write(other)).buffer_unordered(WRITES);
    while let Some(written) = writes.next().await {
        written?;
    }
    owe::put(run, waiting).await
}

/// Puts back the turns of accounts that have something in line and none.
async fn keep_turns<W: World>(run: &Run<'_, W>, items: &[Item]) -> Result<(), CallError> {
    let waiting = items.iter().map(|item| &item.obligation);
    let waiting = waiting.filter(|waiting| matches!(waiting.state, State::Owed | State::Delayed { .. }));
    let accounts: BTreeSet<(&Region, &AccountId)> =
        waiting.map(|waiting| (&waiting.identity.region, &waiting.account)).collect();
    for (region, account) in accounts {
        if run.turn(region, account).is_none() {
            line::keep_turn(run, region, account).await?;
        }
    }
    Ok(())
}

fn write_next(obligation: Obligation) -> Next {
    Next::Write(Box::new(obligation))
}
