//! Reading one shard: what is shared, what is copied, and what the ledger holds, at the same time.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::{join_all, join3};
use jiff::Timestamp;
use snapferry_core::copying::{Decision, Deferral, Outcome};
use snapferry_core::facts::{CallError, Copies, SourceSnapshot};
use snapferry_core::ids::{AccountId, Region};
use snapferry_core::ledger::Shard;
use snapferry_core::policy::PolicyState;

use crate::run::Run;
use crate::{CopiesIn, Item, World};

/// More snapshots, or copies in a Region, than this are not kept in memory together: the shard is split.
pub(super) const MOST: usize = 20_000;

/// Owners asked for in one read, to keep the request small; more of them are several reads.
const OWNERS: usize = 100;

/// What became of reading a shard.
pub(super) enum Read {
    /// All that could be read.
    All(Seen),
    /// It does not fit into memory.
    TooMuch,
    /// Nothing can be said of it: of no owner, or not of the ledger.
    Unread,
}

/// What was read of a shard.
pub(super) struct Seen {
    /// When the reading began.
    pub(super) began: Timestamp,
    pub(super) sources: Vec<SourceSnapshot>,
    /// The owners of which this is not all that they share.
    pub(super) unread: BTreeSet<AccountId>,
    pub(super) regions: BTreeMap<Region, Result<Copies, CallError>>,
    pub(super) items: Vec<Item>,
}

/// What owners share, as far as it could be read.
#[derive(Default)]
struct Shared {
    sources: Vec<SourceSnapshot>,
    unread: BTreeMap<AccountId, CallError>,
    unreadable: Vec<String>,
    is_too_much: bool,
}

/// Reads a shard.
pub(super) async fn shard<W: World>(run: &Run<'_, W>, shard: &Shard) -> Read {
    // Before anything is read: a hold that ends while a slow page is on its way still holds for what that page shows.
    let began = run.world.now();
    let (mut shared, regions, items) = join3(
        shared(run, shard),
        join_all(run.setup.regions().into_iter().map(async |region| {
            let copies = run.world.copies_in(region, shard, MOST).await;
            (region.clone(), copies)
        })),
        run.world.obligations(shard, MOST * run.setup.regions().len().max(1)),
    )
    .await;
    if shared.is_too_much || regions.iter().any(|(_, copies)| matches!(copies, Ok(CopiesIn::TooMany))) {
        return Read::TooMuch;
    }
    let (items, unreadable) = match items {
        Ok(Some(items)) => items,
        Ok(None) => return Read::TooMuch,
        Err(error) => {
            run.ledger_failed(0, &error);
            return Read::Unread;
        }
    };
    for (_, copies) in &regions {
        if let Ok(CopiesIn::All(copies)) = copies {
            shared.unreadable.extend(copies.unreadable.iter().cloned());
        }
    }
    tell_unread(run, &shared, &unreadable);
    if shared.sources.is_empty() && !shared.unread.is_empty() && shared.unread.len() == owners(run).len() {
        shared.unread.values().take(1).for_each(|error| run.home_failed(error));
        return Read::Unread;
    }
    let mut sources = shared.sources;
    // EC2 may show a snapshot on two pages when others come and go meanwhile.
    sources.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    sources.dedup_by(|a, b| a.id == b.id);
    let regions = regions.into_iter().map(|(region, copies)| (region, copies.and_then(all))).collect();
    Read::All(Seen { began, sources, unread: shared.unread.into_keys().collect(), regions, items })
}

fn all(copies: CopiesIn) -> Result<Copies, CallError> {
    match copies {
        CopiesIn::All(copies) => Ok(copies),
        CopiesIn::TooMany | CopiesIn::MostlyEmpty => Err(CallError::not_read()),
    }
}

/// The owners that a sweep reads: those of all policies that copy.
fn owners<W: World>(run: &Run<'_, W>) -> Vec<AccountId> {
    let enabled = run.setup.policies.iter().filter(|policy| policy.state == PolicyState::Enabled);
    let owners: BTreeSet<&AccountId> = enabled.flat_map(|policy| &policy.owners).collect();
    owners.into_iter().filter(|owner| run.setup.account.as_ref() != Some(*owner)).cloned().collect()
}

/// All owners' snapshots; where some cannot be read, each owner by itself, so that one spoils no other.
async fn shared<W: World>(run: &Run<'_, W>, shard: &Shard) -> Shared {
    let mut shared = Shared::default();
    for owners in owners(run).chunks(OWNERS) {
        let Err(error) = pages(run, owners, shard, &mut shared).await else { continue };
        let [_, _, ..] = owners else {
            shared.unread.extend(owners.iter().map(|owner| (owner.clone(), error.clone())));
            continue;
        };
        for owner in owners {
            if shared.is_too_much {
                break;
            }
            if let Err(error) = pages(run, std::slice::from_ref(owner), shard, &mut shared).await {
                shared.unread.insert(owner.clone(), error);
            }
        }
    }
    shared
}

async fn pages<W: World>(
    run: &Run<'_, W>,
    owners: &[AccountId],
    shard: &Shard,
    shared: &mut Shared,
) -> Result<(), CallError> {
    let mut next: Option<String> = None;
    while !shared.is_too_much {
        let page = run.world.shared(owners, shard, next.as_deref()).await?;
        shared.sources.extend(page.snapshots);
        shared.unreadable.extend(page.unreadable);
        shared.is_too_much = shared.sources.len() > MOST;
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    Ok(())
}

/// Names what could not be read; the rest goes on without it.
fn tell_unread<W: World>(run: &Run<'_, W>, shared: &Shared, unreadable: &[String]) {
    for (owner, error) in &shared.unread {
        let message = format!("what {owner} shares: {}", error.message);
        tell(run, CallError { message, ..error.clone() });
    }
    let of_ec2 = shared.unreadable.iter().map(|what| ("EC2's answer", what));
    for (whose, what) in of_ec2.chain(unreadable.iter().map(|what| ("the ledger", what))) {
        let message = format!("{whose} holds something that cannot be read, and the rest goes on without it: {what}");
        tell(run, CallError { code: "UnreadableAnswer".to_owned(), message, request_id: None });
    }
}

fn tell<W: World>(run: &Run<'_, W>, error: CallError) {
    run.tell(&Decision::of_sources(Deferral::SourcesUnread(error)), &Outcome::Stands);
}
