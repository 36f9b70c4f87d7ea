//! Reads all copies of ours, page by page into small facts: a Region may hold a hundred thousand.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use snapferry_core::expiring::Facts;
use snapferry_core::ids::{AccountId, Region};

use crate::deadline::Deadline;
use crate::keys::KeyCache;
use crate::reads::with_timeout;
use crate::vault::Vault;

/// Reads the copies in all `regions`, and the keys that they are under, at the same time. A Region that is not read in time
/// counts as unread.
pub async fn gather(
    vault: &impl Vault,
    keys: &KeyCache,
    regions: &BTreeSet<Region>,
    account: Option<AccountId>,
    deadline: Deadline,
) -> Facts {
    let clients = vault.clients();
    let reads = regions.iter().map(async |region| {
        let copies = async {
            let mut copies = vault.all(region).await?;
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
