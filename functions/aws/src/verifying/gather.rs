//! Reads the copies that wait for a verdict or a lock, and the keys that they are under; and what else a verifier of volumes looks
//! at, by EC2's own tag filters.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use snapferry_core::facts::{CallError, DescribedCopy, KeyFact, Lineage, State};
use snapferry_core::ids::{AccountId, Region, SnapshotId};
use snapferry_core::tags::{self, Lock, Status};
use snapferry_core::verifying::Facts;

use crate::clients::Clients;
use crate::deadline::Deadline;
use crate::keys::KeyCache;
use crate::reads::{filter, for_each_own_copy, own_copies_by_id, with_timeout};
use crate::vault::{Vault, locks};

/// Reads the candidates of all `regions` at the same time. A Region that is not read in time counts as unread.
pub async fn gather(
    vault: &impl Vault,
    keys: &KeyCache,
    regions: &BTreeSet<Region>,
    account: Option<AccountId>,
    deadline: Deadline,
) -> Facts {
    let time = deadline.reading_time();
    let reads = regions.iter().map(async |region| {
        let read = async { Ok(with_keys(vault.clients(), keys, region, vault.waiting(region).await?).await) };
        (region.clone(), with_timeout(time, read).await)
    });
    facts(vault.clients(), account, join_all(reads).await)
}

/// Reads those of the `wanted` copies that wait for a verdict or a lock, as a run over all would read them. A Region that is not
/// read in time is not in the answer: nothing depends on it, because the next run looks at all.
pub async fn named(
    clients: &Clients,
    keys: &KeyCache,
    wanted: &BTreeMap<Region, Vec<SnapshotId>>,
    account: Option<AccountId>,
    deadline: Deadline,
) -> Facts {
    let time = deadline.reading_time();
    let reads = wanted.iter().map(async |(region, ids)| {
        let read = async {
            let mut copies = own_copies_by_id(clients, region, ids).await?;
            let is_unlocked = |copy: &DescribedCopy| {
                copy.tags.status == Some(Status::Verified) && copy.tags.lock == Some(Lock::Pending)
            };
            copies.retain(|copy| copy.tags.status == Some(Status::Copying) || is_unlocked(copy));
            let mut unlocked = copies.extract_if(.., |copy| is_unlocked(copy)).collect::<Vec<_>>();
            locks(clients, region, &mut unlocked).await;
            copies.extend(unlocked);
            Ok(with_keys(clients, keys, region, copies).await)
        };
        let read = with_timeout(time, read).await;
        if let Err(error) = &read {
            tracing::warn!(%region, code = error.code, message = error.message, "the copies that ended could not be read");
        }
        read.ok().map(|read| (region.clone(), Ok(read)))
    });
    facts(clients, account, join_all(reads).await.into_iter().flatten())
}

/// Reads the verified copies of `regions` whose verdict does not name them, each Region whole: EC2's filters know no absent
/// tags. A Region that is not read in time is not in the answer, and holds up no other work.
pub async fn unbound(
    clients: &Clients,
    keys: &KeyCache,
    regions: &BTreeSet<Region>,
    account: Option<AccountId>,
    deadline: Deadline,
) -> Facts {
    let time = deadline.reading_time();
    let verified = vec![filter(&format!("tag:{}", tags::STATUS), [Status::Verified.as_str()])];
    let reads = regions.iter().map(async |region| {
        let read = async {
            let mut found = Vec::new();
            let keep = |copy: DescribedCopy| {
                if copy.tags.copy.is_none() && !copy.tags.are_of_another() {
                    found.push(copy);
                }
            };
            for_each_own_copy(clients, region, verified.clone(), keep).await?;
            Ok(with_keys(clients, keys, region, found).await)
        };
        let read = with_timeout(time, read).await;
        if let Err(error) = &read {
            tracing::warn!(%region, code = error.code, message = error.message, "the verified copies could not be read");
        }
        read.ok().map(|read| (region.clone(), Ok(read)))
    });
    facts(clients, account, join_all(reads).await.into_iter().flatten())
}

/// Reads the copies whose source's volume nobody named, and keeps those that are `wanted`. A Region that is not read in time
/// counts as unread.
pub async fn unnamed(
    clients: &Clients,
    regions: &BTreeSet<Region>,
    deadline: Deadline,
    wanted: impl Fn(&DescribedCopy) -> bool,
) -> Facts {
    let time = deadline.reading_time();
    let fillers: Vec<String> = Lineage::fillers().collect();
    let fillers = vec![filter(&format!("tag:{}", tags::SOURCE_VOLUME), fillers.iter().map(String::as_str))];
    let reads = regions.iter().map(async |region| {
        let mut found = Vec::new();
        let keep = |copy: DescribedCopy| {
            if wanted(&copy) {
                found.push(copy);
            }
        };
        let done = with_timeout(time, for_each_own_copy(clients, region, fillers.clone(), keep)).await;
        if let Err(error) = &done {
            tracing::warn!(%region, code = error.code, message = error.message, "the copies without a volume could not be read");
        }
        (region.clone(), done.map(|()| Read { copies: found, keys: BTreeMap::new() }))
    });
    facts(clients, None, join_all(reads).await)
}

/// What was read of a Region.
struct Read {
    copies: Vec<DescribedCopy>,
    keys: BTreeMap<Box<str>, KeyFact>,
}

fn facts(
    clients: &Clients,
    account: Option<AccountId>,
    reads: impl IntoIterator<Item = (Region, Result<Read, CallError>)>,
) -> Facts {
    let mut facts = Facts {
        account,
        homes: clients.homes.clone(),
        retired_policies: clients.retired_policies.clone(),
        regions: BTreeMap::new(),
        keys: BTreeMap::new(),
        obligations: BTreeMap::new(),
    };
    for (region, read) in reads {
        let copies = read.map(|read| {
            facts.keys.extend(read.keys);
            read.copies
        });
        facts.regions.insert(region, copies);
    }
    facts
}

/// Adds what KMS says of the keys of completed copies: only those are verified or locked, and EC2 may name the key of a
/// pending one by an alias.
async fn with_keys(clients: &Clients, keys: &KeyCache, region: &Region, copies: Vec<DescribedCopy>) -> Read {
    let completed = copies.iter().filter(|copy| copy.state == State::Completed);
    let named: BTreeSet<&str> = completed.filter_map(|copy| copy.kms_key.as_deref()).collect();
    let keys = keys.look_at_all(clients, region, named).await;
    Read { copies, keys }
}
