//! Reads all copies of ours, page by page into small facts: a Region may hold a hundred thousand.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use snapferry_core::expiring::Facts;
use snapferry_core::facts::{CallError, Copies, Inventory};
use snapferry_core::ids::{AccountId, Region, SnapshotId};
use snapferry_core::tags;

use crate::clients::Clients;
use crate::deadline::Deadline;
use crate::keys::KeyCache;
use crate::reads::{filter, for_each_copy, for_each_own_copy, with_timeout};

/// Reads the copies in all `regions`, and the keys that they are under, at the same time. A Region that is not read in time
/// counts as unread.
pub async fn gather(
    clients: &Clients,
    keys: &KeyCache,
    regions: &BTreeSet<Region>,
    account: Option<AccountId>,
    deadline: Deadline,
) -> Facts {
    // Either tag gives a copy away: one that lost the other is reported, not overlooked.
    let ours = filter("tag-key", [tags::POLICY, tags::SOURCE_SNAPSHOT]);
    let reads = regions.iter().map(async |region| {
        let copies = async {
            let mut inventory = Inventory::default();
            for_each_own_copy(clients, region, vec![ours.clone()], |copy| inventory.add(copy)).await?;
            let mut copies = inventory.close();
            keys.note(clients, region, &mut copies).await;
            Ok(copies)
        };
        (region.clone(), with_timeout(deadline.reading_time(), copies).await)
    });
    Facts {
        account,
        homes: clients.homes.clone(),
        retired_policies: clients.retired_policies.clone(),
        regions: join_all(reads).await.into_iter().collect(),
    }
}

/// Reads some copies and their keys afresh; those that are gone are not in it.
///
/// # Errors
/// The first call that failed.
pub async fn look_again<'i>(
    clients: &Clients,
    keys: &KeyCache,
    region: &Region,
    ids: impl IntoIterator<Item = &'i SnapshotId>,
) -> Result<Copies, CallError> {
    // By filter, because one ID that is gone would fail a call that names it; and by no other, because a copy whose tags were
    // edited meanwhile is not gone.
    let filter = filter("snapshot-id", ids.into_iter().map(SnapshotId::as_str));
    let mut inventory = Inventory::default();
    for_each_copy(clients, region, vec![filter], |copy| inventory.add(copy)).await?;
    let mut copies = inventory.close();
    keys.note(clients, region, &mut copies).await;
    Ok(copies)
}
