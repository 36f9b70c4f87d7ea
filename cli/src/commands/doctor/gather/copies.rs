//! Looks at the copies that there are.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use snapferry_aws::clients::Clients;
use snapferry_aws::reads;
use snapferry_core::facts::{CallError, Copies, Inventory};
use snapferry_core::ids::Region;
use snapferry_core::tags;

/// Reads all copies in `regions`, other homes' too.
pub(super) async fn look(clients: &Clients, regions: BTreeSet<Region>) -> BTreeMap<Region, Result<Copies, CallError>> {
    let ours = reads::filter("tag-key", [tags::POLICY, tags::SOURCE_SNAPSHOT]);
    let reads = regions.into_iter().map(async |region| {
        let mut inventory = Inventory::default();
        let read = reads::for_each_copy(clients, &region, vec![ours.clone()], |copy| inventory.add(copy)).await;
        (region, read.map(|()| inventory.close()))
    });
    join_all(reads).await.into_iter().collect()
}
