//! This stack's copies.

use aws_sdk_ec2::operation::describe_snapshots::builders::DescribeSnapshotsFluentBuilder;
use aws_sdk_ec2::types::{Filter, Snapshot};
use jiff::Timestamp;
use snapferry_core::facts::{CallError, Copies, DescribedCopy, Inventory, Lineage};
use snapferry_core::ids::{Region, SnapshotId};
use snapferry_core::ledger::Shard;
use snapferry_core::tags;
use snapferry_flow::{CopiesIn, is_mostly_empty};

use super::named::Named;
use super::pages::{FILTER_VALUES, PAGE, filter, for_each_found, for_each_snapshot, page};
use super::snapshot::{copy, copy_started, id};
use crate::clients::Clients;

/// The copies of `sources` in `region`.
///
/// # Errors
/// The first call that failed.
pub async fn copies(clients: &Clients, region: &Region, sources: &[SnapshotId]) -> Result<Copies, CallError> {
    let mut inventory = Inventory::default();
    for ids in sources.chunks(FILTER_VALUES) {
        let filters = vec![of_source(ids.iter().map(SnapshotId::as_str)), of_homes(clients)];
        let ask = |read| own(read, &filters);
        for_each_found(clients, region, ask, |copy| add(&mut inventory, &copy)).await?;
    }
    Ok(inventory.close())
}

/// The copies in `region` whose sources are in a shard, up to `most`. No page is read once there are more of them, or once it
/// shows that the pages are mostly empty.
///
/// # Errors
/// The first call that failed.
pub async fn copies_in(clients: &Clients, region: &Region, shard: &Shard, most: usize) -> Result<CopiesIn, CallError> {
    let of_shard = if *shard == Shard::all() {
        filter("tag-key", [tags::SOURCE_SNAPSHOT])
    } else {
        of_source([shard.filter().as_str()])
    };
    let filters = [of_shard, of_homes(clients)];
    let (mut inventory, mut pages, mut found, mut token) = (Inventory::default(), 0_usize, 0_usize, None);
    loop {
        let read = own(clients.ec2(region).describe_snapshots(), &filters).max_results(PAGE);
        let (snapshots, next) = page(read, token.as_deref()).await?;
        (pages, found) = (pages.saturating_add(1), found.saturating_add(snapshots.len()));
        if found > most {
            return Ok(CopiesIn::TooMany);
        }
        snapshots.iter().try_for_each(|copy| add(&mut inventory, copy))?;
        if next.is_none() {
            return Ok(CopiesIn::All(inventory.close()));
        }
        // Also where it is all: among many snapshots that are no copies, the walk's lookups by ID are fewer.
        if is_mostly_empty(pages, found) {
            return Ok(CopiesIn::MostlyEmpty);
        }
        token = next;
    }
}

/// All copies in `region`.
///
/// # Errors
/// The first call that failed.
pub async fn all_copies(clients: &Clients, region: &Region) -> Result<Copies, CallError> {
    let filters = [filter("tag-key", [tags::SOURCE_SNAPSHOT]), of_homes(clients)];
    let mut inventory = Inventory::default();
    for_each_snapshot(clients, region, |read| own(read, &filters), |copy| add(&mut inventory, &copy)).await?;
    Ok(inventory.close())
}

/// The copies in `region` that are of these volumes.
///
/// # Errors
/// The first call that failed.
pub async fn copies_of_lineages(clients: &Clients, region: &Region, lineages: &[Lineage]) -> Result<Copies, CallError> {
    let mut inventory = Inventory::default();
    for lineages in lineages.chunks(FILTER_VALUES) {
        let of_volume = filter(&format!("tag:{}", tags::SOURCE_VOLUME), lineages.iter().map(Lineage::as_str));
        let filters = [of_volume, of_homes(clients)];
        let ask = |read| own(read, &filters);
        for_each_snapshot(clients, region, ask, |copy| add(&mut inventory, &copy)).await?;
    }
    Ok(inventory.close())
}

/// The snapshots among `ids` in `region`, with or without Snapferry's tags.
///
/// # Errors
/// The first call that failed for another reason than that one of the IDs is not there.
pub async fn copies_by_id(clients: &Clients, region: &Region, ids: &[SnapshotId]) -> Result<Copies, CallError> {
    let mut inventory = Inventory::default();
    let named = Named { clients, region, are_ours: true };
    for copy in named.describe(ids).await? {
        // Whatever else EC2 shows, it is none of those that were asked for.
        if id(&copy).is_ok() {
            add(&mut inventory, &copy)?;
        }
    }
    Ok(inventory.close())
}

/// Hands over each copy of this home and the retired ones in `region` that passes `filters`; other homes' have a stack of
/// their own.
///
/// # Errors
/// The first call that failed.
pub async fn for_each_own_copy(
    clients: &Clients,
    region: &Region,
    mut filters: Vec<Filter>,
    take: impl FnMut(DescribedCopy),
) -> Result<(), CallError> {
    filters.push(of_homes(clients));
    for_each_copy(clients, region, filters, take).await
}

/// Hands over each snapshot of our own in `region` that passes `filters`. One that cannot be read is left out: nothing is done
/// to it, and it is no reason to do anything to another.
///
/// # Errors
/// The first call that failed.
pub async fn for_each_copy(
    clients: &Clients,
    region: &Region,
    filters: Vec<Filter>,
    mut take: impl FnMut(DescribedCopy),
) -> Result<(), CallError> {
    let found = |snapshot: Snapshot| {
        match copy(&snapshot) {
            Ok(copy) => take(copy),
            Err(problem) => tracing::warn!(%region, problem.message, "a copy cannot be read"),
        }
        Ok(())
    };
    for_each_snapshot(clients, region, |read| own(read, &filters), found).await
}

/// Hands over each snapshot of our own in `region` that passes `filters`, and with one that EC2 does not describe in full what is
/// missing.
///
/// # Errors
/// The first call that failed, or answered with a snapshot without an ID.
pub async fn for_each_copy_in_doubt_too(
    clients: &Clients,
    region: &Region,
    filters: Vec<Filter>,
    mut take: impl FnMut(DescribedCopy, Option<String>),
) -> Result<(), CallError> {
    let found = |snapshot: Snapshot| described(&snapshot).map(|(copy, missing)| take(copy, missing));
    for_each_snapshot(clients, region, |read| own(read, &filters), found).await
}

/// Takes a copy down. One of which EC2 does not say when it was started still counts by its identity, better no copy than a
/// second one, but proves nothing.
///
/// # Errors
/// When EC2 gives no ID: then nothing can be said of all that were asked for.
fn add(inventory: &mut Inventory, snapshot: &Snapshot) -> Result<(), CallError> {
    match described(snapshot)? {
        (copy, None) => inventory.add(copy),
        (copy, Some(missing)) => inventory.add_in_doubt(copy, missing),
    }
    Ok(())
}

/// A copy, and what EC2 does not say of it.
///
/// # Errors
/// When EC2 gives no ID.
fn described(snapshot: &Snapshot) -> Result<(DescribedCopy, Option<String>), CallError> {
    match copy(snapshot) {
        Ok(copy) => Ok((copy, None)),
        Err(problem) => {
            // As old as its source, or older than all.
            let mut copy = copy_started(snapshot, Timestamp::UNIX_EPOCH)?;
            copy.start_time = copy.tags.source_start_time.unwrap_or(copy.start_time);
            Ok((copy, Some(problem.message)))
        }
    }
}

fn own(read: DescribeSnapshotsFluentBuilder, filters: &[Filter]) -> DescribeSnapshotsFluentBuilder {
    read.owner_ids("self").set_filters(Some(filters.to_vec()))
}

fn of_source<'v>(ids: impl IntoIterator<Item = &'v str>) -> Filter {
    filter(&format!("tag:{}", tags::SOURCE_SNAPSHOT), ids)
}

fn of_homes(clients: &Clients) -> Filter {
    filter(&format!("tag:{}", tags::SOURCE_REGION), clients.homes.iter().map(Region::as_str))
}
