//! Looks at the databases' snapshots that are shared, and at the room for copies of them.

use std::collections::{BTreeMap, BTreeSet};

use snapferry_aws::copying::owners;
use snapferry_core::ids::Region;
use snapferry_core::policy::Policy;

use crate::account::connection::Account;
use crate::account::databases::Databases;
use crate::commands::doctor::facts::{Rds, Room};

/// Looks, where a policy names databases.
pub(super) async fn look(account: &Account, policies: &[Policy], regions: &[Region]) -> Option<Rds> {
    let databases = Databases::new(account, policies);
    if !databases.are_copied() {
        return None;
    }
    let mut rooms = BTreeMap::new();
    for region in regions {
        let mut copied = BTreeSet::new();
        let read = databases.for_each_copy(region, |copy| {
            copied.extend(copy.tags.policy.zip(copy.tags.source_snapshot));
        });
        let read = read.await;
        for kind in databases.kinds() {
            let usage = databases.usage(region, *kind).await;
            let room = match (&read, usage) {
                (Ok(()), Ok(usage)) => Ok(Room { usage, copied: copied.clone() }),
                (Err(error), _) => Err(error.clone()),
                (_, Err(error)) => Err(error),
            };
            rooms.insert((region.clone(), *kind), room);
        }
    }
    Some(Rds { shared: databases.shared(&owners(policies)).await, rooms })
}
