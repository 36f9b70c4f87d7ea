//! Bringing what the ledger holds of a shard up to date: what was edited is put back, what EC2 shows is noted, and what is no
//! longer wanted or gone for good ends.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use futures_util::future::join_all;
use futures_util::stream::{self, Stream, StreamExt as _};
use jiff::Timestamp;
use snapferry_core::audit::CopyWithdrawn;
use snapferry_core::copying::Facts;
use snapferry_core::facts::{CallError, Copies, Copy, SourceSnapshot};
use snapferry_core::ids::{AccountId, Region, SnapshotId};
use snapferry_core::ledger::{By, Identity, Obligation, State};

use super::owe::{self, WRITES};
use super::strays;
use crate::run::Run;
use crate::settle::{copies_of, found, named};
use crate::{Item, Shown, World, ends, line, wish};

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
    Withdraw(CopyWithdrawn),
    /// Its source was gone in an earlier round, too: it has to be looked for by its ID.
    LookForSource,
}

/// What follows for items stands on this.
struct Look<'a> {
    facts: &'a Facts,
    /// The copies in Regions that are no target any more.
    strays: BTreeMap<Region, Result<Copies, CallError>>,
    unread: &'a BTreeSet<AccountId>,
    round: &'a str,
    began: Timestamp,
}

impl Look<'_> {
    fn copies(&self, region: &Region) -> Option<&Copies> {
        self.facts.regions.get(region).or_else(|| self.strays.get(region))?.as_ref().ok()
    }
}

/// Settles all items of a shard, and gives those that are over now; nothing where the time was over before all was written. `unread` are the owners of which the shard's reading is not
/// whole.
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
) -> Result<Option<HashSet<Identity>>, CallError> {
    let (mut writes, mut hidden, mut gone, mut unwanted) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    // One that is over and still stands in a line was edited.
    let is_open = |obligation: &Obligation| {
        !obligation.has_ended() || obligation.may_return() || obligation.repaired(began).is_some()
    };
    let strays = strays::copies(run, &facts.regions, items).await;
    let look = Look { facts, strays, unread, round, began };
    for item in items.iter().filter(|item| !item.is_placed || is_open(&item.obligation)) {
        match next(run, &look, item) {
            Next::Stands => {}
            Next::Write(obligation) => writes.push(*obligation),
            Next::LookForCopy => hidden.push(&item.obligation),
            Next::Withdraw(reason) => unwanted.push((&item.obligation, reason)),
            Next::LookForSource => gone.push(&item.obligation),
        }
    }
    writes.extend(look_for_copies(run, &hidden).await);
    let over = writes.iter().filter(|next| next.has_ended()).map(|next| next.identity.clone()).collect();
    if !write(run, writes).await? {
        return Ok(None);
    }
    let (withdrawn, missed) = (withdraw(run, &unwanted).await, look_for_sources(run, &gone).await);
    keep_turns(run, items).await?;
    Ok(Some([over, withdrawn, missed].into_iter().flatten().collect()))
}

/// Withdraws several at a time, for as long as there is time: the rest is left to the next round.
async fn withdraw<W: World>(run: &Run<'_, W>, unwanted: &[(&Obligation, CopyWithdrawn)]) -> HashSet<Identity> {
    all(stream::iter(unwanted).map(async |(obligation, reason)| {
        let is_over = run.has_time() && run.noted(ends::withdraw(run, obligation, *reason).await);
        is_over.then(|| obligation.identity.clone())
    }))
    .await
}

/// Those that are over. One that cannot be written keeps no other from its end, nor the round from its own: it stands, and the next
/// round comes upon it.
async fn all<F: Future<Output = Option<Identity>>>(ends: impl Stream<Item = F>) -> HashSet<Identity> {
    ends.buffer_unordered(WRITES).filter_map(async |over| over).collect().await
}

fn next<W: World>(run: &Run<'_, W>, look: &Look<'_>, item: &Item) -> Next {
    let Look { facts, unread, round, began, .. } = *look;
    let obligation = &item.obligation;
    let source = source_of(facts, &obligation.identity.source);
    if let Some(repaired) = repaired(run, item, source, began) {
        return write_next(repaired);
    }
    let copies = look.copies(&obligation.identity.region);
    if let Some(next) = copies.and_then(|copies| by_copies(obligation, copies, began)) {
        return next;
    }
    if obligation.may_return() {
        return returned(run, facts, obligation, source, began).map_or(Next::Stands, write_next);
    }
    if !matches!(obligation.state, State::Owed | State::Delayed { .. }) {
        let reason = wish::abandoned(run.setup, &obligation.identity);
        let reason = reason.filter(|_| obligation.is_given_up(copies.is_some(), began));
        return reason.map_or(Next::Stands, Next::Withdraw);
    }
    let may_be_protected = obligation.may_be_protected(copies.is_some(), began);
    if let Some(reason) = wish::unwanted(run.setup, obligation, source) {
        return if may_be_protected { Next::Stands } else { Next::Withdraw(reason) };
    }
    match (source, obligation.gone_in(round)) {
        (Some(_), _) => obligation.seen().map_or(Next::Stands, write_next),
        // Of an owner that could not be read whole nothing is gone.
        (None, _) if unread.contains(&obligation.account) => Next::Stands,
        (None, Some(Ok(gone))) => write_next(gone),
        (None, Some(Err(()))) if !may_be_protected => Next::LookForSource,
        (None, Some(Err(())) | None) => Next::Stands,
    }
}

/// What was withdrawn and is wanted again: its policy is enabled again, say, and there is no copy of it.
fn returned<W: World>(
    run: &Run<'_, W>,
    facts: &Facts,
    obligation: &Obligation,
    source: Option<&SourceSnapshot>,
    began: Timestamp,
) -> Option<Obligation> {
    if wish::unwanted(run.setup, obligation, Some(source?)).is_some() {
        return None;
    }
    let copies = facts.regions.get(&obligation.identity.region)?.as_ref().ok()?;
    let is_copied = copies_of(&obligation.identity, copies).any(Copy::is_live);
    if is_copied { None } else { obligation.wanted_again(By::Event, began) }
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
        Some(copy) if copy.is_live() => None,
        Some(_) => obligation.failed(named, began).map(write_next),
        None if obligation.vanished(began).is_some() => Some(Next::LookForCopy),
        None => None,
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
async fn look_for_sources<W: World>(run: &Run<'_, W>, gone: &[&Obligation]) -> HashSet<Identity> {
    let mut missed = HashSet::new();
    for some in gone.chunks(BY_ID).take_while(|_| run.has_time()) {
        let mut ids: Vec<SnapshotId> = some.iter().map(|gone| gone.identity.source.clone()).collect();
        ids.sort_unstable();
        ids.dedup();
        let Ok(shown) = run.world.sources(&ids).await else { continue };
        missed.extend(all(stream::iter(some).map(async |gone| look_for(run, gone, &shown).await)).await);
    }
    missed
}

/// The identity where it is missed.
async fn look_for<W: World>(run: &Run<'_, W>, gone: &Obligation, shown: &Shown) -> Option<Identity> {
    if !run.has_time() {
        return None;
    }
    let source = &gone.identity.source;
    if shown.snapshots.iter().any(|shown| shown.id == *source) || shown.unreadable.contains_key(source) {
        if let Some(seen) = gone.seen() {
            run.noted(run.world.write(&seen).await.map(|_| false));
        }
        return None;
    }
    run.noted(ends::miss(run, gone).await).then(|| gone.identity.clone())
}

/// Writes while there is time; tells whether all is written.
async fn write<W: World>(run: &Run<'_, W>, writes: Vec<Obligation>) -> Result<bool, CallError> {
    let (waiting, others): (Vec<_>, Vec<_>) =
        writes.into_iter().partition(|next| matches!(next.state, State::Owed | State::Delayed { .. }));
    for some in others.chunks(WRITES) {
        let written = join_all(some.iter().map(|other| run.world.write(other))).await;
        written.into_iter().collect::<Result<Vec<_>, _>>()?;
        if !run.has_time() && others.len() > WRITES {
            return Ok(false);
        }
    }
    owe::put(run, waiting, || run.has_time()).await
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
