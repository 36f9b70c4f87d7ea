//! Reads all copies of ours, page by page into small facts: a Region may hold a hundred thousand.

use std::collections::BTreeSet;

use aws_sdk_ec2::operation::describe_snapshots::builders::DescribeSnapshotsFluentBuilder;
use aws_sdk_ec2::types::Snapshot;
use futures_util::future::join_all;
use snapferry_core::expiring::{Facts, Inventory, SeenCopy, Vault};
use snapferry_core::facts::CallError;
use snapferry_core::ids::{AccountId, Region, SnapshotId};
use snapferry_core::tags;

use crate::clients::Clients;
use crate::deadline::Deadline;
use crate::reads::{each, filter, id, start_time, state, tags_of, unreadable, within};

/// Reads the copies in all `regions` at the same time. A Region that is not read in time counts as unread.
pub async fn gather(
    clients: &Clients,
    regions: &BTreeSet<Region>,
    account: Option<AccountId>,
    deadline: Deadline,
) -> Facts {
    // Either tag gives a copy away: one that lost the other is reported, not overlooked.
    let ours = filter("tag-key", [tags::POLICY, tags::SOURCE_SNAPSHOT]);
    let reads = regions.iter().map(async |region| {
        let vault = read(clients, region, |read| read.owner_ids("self").filters(ours.clone()));
        (region.clone(), within(deadline.reading_time(), vault).await)
    });
    Facts { account, regions: join_all(reads).await.into_iter().collect() }
}

/// Reads some copies afresh; those that are gone are not in it.
///
/// # Errors
/// The first call that failed.
pub async fn look_again<'i>(
    clients: &Clients,
    region: &Region,
    ids: impl IntoIterator<Item = &'i SnapshotId>,
) -> Result<Vault, CallError> {
    // By filter, because one ID that is gone would fail a call that names it.
    let ids = filter("snapshot-id", ids.into_iter().map(SnapshotId::as_str));
    read(clients, region, |read| read.owner_ids("self").filters(ids.clone())).await
}

async fn read(
    clients: &Clients,
    region: &Region,
    ask: impl Fn(DescribeSnapshotsFluentBuilder) -> DescribeSnapshotsFluentBuilder,
) -> Result<Vault, CallError> {
    let mut inventory = Inventory::default();
    each(clients, region, ask, |snapshot| seen(&snapshot).map(|seen| inventory.add(seen, tags_of(&snapshot)))).await?;
    Ok(inventory.close())
}

fn seen(snapshot: &Snapshot) -> Result<SeenCopy, CallError> {
    let id = id(snapshot)?;
    let owner = AccountId::parse(snapshot.owner_id().unwrap_or_default())
        .map_err(|problem| unreadable(format!("owner of {id}: {problem}")))?;
    Ok(SeenCopy { owner, state: state(snapshot), start_time: start_time(snapshot)?, id })
}
