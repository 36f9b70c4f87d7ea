//! The walk that a round falls back to where EC2 cuts its pages before it filters them: there a shard costs as many calls as
//! all of them together. What is shared is read owner by owner instead, a page at a time, and its copies are looked up by their
//! sources' IDs; then what the ledger holds open is looked up by its IDs, shard by shard of the ledger alone.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::{join, join_all};
use snapferry_core::facts::{CallError, Copies, SourceSnapshot};
use snapferry_core::ids::{AccountId, Region, SnapshotId};
use snapferry_core::ledger::{Shard, Stretch};

use super::read::{Read, Seen, in_order, in_time, items, note_unread, owners, tell_unreadable};
use crate::run::Run;
use crate::{Item, Page, World};

/// The walk from its beginning.
pub(super) fn stretches<W: World>(run: &Run<'_, W>) -> Vec<Stretch> {
    owners(run).into_iter().map(|owner| Stretch { owner, next: None }).collect()
}

/// What owners share is gathered until it fills a call that looks up its copies, from so many pages at most.
const GATHERED: usize = 200;
const PAGES: usize = 20;

/// Reads some pages of what an owner shares, with the copies of that; gives the rest of it, too.
pub(super) async fn pages<W: World>(run: &Run<'_, W>, stretch: &Stretch) -> (Read, Option<Stretch>) {
    let began = run.world.now();
    let owner = std::slice::from_ref(&stretch.owner);
    let page = match gather(run, owner, stretch.next.clone()).await {
        Ok(page) => page,
        Err(error) => {
            note_unread(run, &stretch.owner, &error);
            if stretch.next.is_some() && is_about_token(&error) && run.owners.given_up(&stretch.owner).is_none() {
                // EC2 takes the token no more: this owner is read from its beginning. What was counted of it counts twice.
                let anew = Stretch { owner: stretch.owner.clone(), next: None };
                return (Read::All(seen(began, Vec::new(), Vec::new(), Vec::new())), Some(anew));
            }
            if run.home_answers.get() {
                // The rest of the round goes on without this owner; what the ledger holds of it is looked up by its IDs.
                let unread = BTreeSet::from([stretch.owner.clone()]);
                let seen = Seen { unread, ..seen(began, Vec::new(), Vec::new(), Vec::new()) };
                return (Read::All(seen), None);
            }
            run.home_failed(&error);
            return (Read::Unread, None);
        }
    };
    run.home_answers.set(true);
    page.unreadable.iter().for_each(|what| tell_unreadable(run, "EC2's answer", what));
    let sources = in_order(page.snapshots);
    let ids: Vec<SnapshotId> = sources.iter().map(|source| source.id.clone()).collect();
    let regions = run.setup.regions();
    let regions = join_all(regions.into_iter().map(async |region| copies_of(run, region, &ids).await)).await;
    let rest = page.next.map(|next| Stretch { owner: stretch.owner.clone(), next: Some(next) });
    (Read::All(seen(began, sources, regions, Vec::new())), rest)
}

/// Whether EC2 refuses the place where a page was to begin.
fn is_about_token(error: &CallError) -> bool {
    ["NextToken", "PaginationToken", "InvalidParameter"].iter().any(|part| error.code.contains(part))
}

async fn gather<W: World>(run: &Run<'_, W>, owner: &[AccountId], mut next: Option<String>) -> Result<Page, CallError> {
    let mut gathered = Page::default();
    for _ in 0..PAGES {
        let page = run.world.shared(owner, &Shard::all(), next.as_deref()).await?;
        gathered.snapshots.extend(page.snapshots);
        gathered.unreadable.extend(page.unreadable);
        (next, gathered.next) = (page.next.clone(), page.next);
        if next.is_none() || gathered.snapshots.len() >= GATHERED || !run.has_time() {
            break;
        }
    }
    Ok(gathered)
}

/// Reads what a shard of the ledger holds, with the sources and the copies of what is open, for as long as there is time.
pub(super) async fn ledger<W: World>(run: &Run<'_, W>, shard: &Shard) -> Read {
    in_time(run, looked_up(run, shard)).await.unwrap_or(Read::Cut)
}

async fn looked_up<W: World>(run: &Run<'_, W>, shard: &Shard) -> Read {
    let began = run.world.now();
    let items = match items(run, shard).await {
        Ok(items) => items,
        Err(instead) => return instead,
    };
    let of = |items: &mut dyn Iterator<Item = &Item>| -> Vec<SnapshotId> {
        let sources: BTreeSet<&SnapshotId> = items.map(|item| &item.obligation.identity.source).collect();
        sources.into_iter().cloned().collect()
    };
    let ids = of(&mut items.iter());
    let regions = run.setup.regions();
    let (shown, regions) = join(
        run.world.sources(&ids),
        join_all(regions.into_iter().map(async |region| {
            let here = of(&mut items.iter().filter(|item| item.obligation.identity.region == *region));
            copies_of(run, region, &here).await
        })),
    )
    .await;
    match shown {
        Ok(shown) => {
            shown.unreadable.values().for_each(|what| tell_unreadable(run, "EC2's answer", what));
            Read::All(seen(began, shown.snapshots, regions, items))
        }
        Err(error) => {
            run.home_failed(&error);
            Read::Unread
        }
    }
}

async fn copies_of<W: World>(
    run: &Run<'_, W>,
    region: &Region,
    ids: &[SnapshotId],
) -> (Region, Result<Copies, CallError>) {
    (region.clone(), run.regions.ask(region, run.world.copies_of(region, ids)).await)
}

fn seen(
    began: jiff::Timestamp,
    sources: Vec<SourceSnapshot>,
    regions: Vec<(Region, Result<Copies, CallError>)>,
    items: Vec<Item>,
) -> Seen {
    let regions: BTreeMap<Region, Result<Copies, CallError>> = regions.into_iter().collect();
    Seen { began, sources, unread: BTreeSet::new(), regions, items, is_all: false }
}
