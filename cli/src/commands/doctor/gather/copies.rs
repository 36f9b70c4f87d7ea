//! Looks at the copies that there are.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use snapferry_aws::clients::Clients;
use snapferry_aws::keys::KeyCache;
use snapferry_aws::reads;
use snapferry_core::facts::{CallError, Copies, Inventory};
use snapferry_core::ids::Region;
use snapferry_core::tags;

use crate::account::databases::Databases;

/// Reads all copies in `regions`, other homes' too, and the keys that they are under; of databases where a policy names some.
pub(super) async fn look(
    clients: &Clients,
    databases: &Databases,
    keys: &KeyCache,
    regions: BTreeSet<Region>,
) -> BTreeMap<Region, Result<Copies, CallError>> {
    let ours = reads::filter("tag-key", [tags::POLICY, tags::SOURCE_SNAPSHOT]);
    let reads = regions.into_iter().map(async |region| {
        let mut inventory = Inventory::default();
        let mut read = reads::for_each_copy(clients, &region, vec![ours.clone()], |copy| inventory.add(copy)).await;
        if read.is_ok() {
            read = databases.for_each_copy(&region, |copy| inventory.add(copy)).await;
        }
        let mut copies = read.map(|()| inventory.close());
        if let Ok(copies) = &mut copies {
            keys.note(clients, &region, copies).await;
        }
        (region, copies)
    });
    join_all(reads).await.into_iter().collect()
}
