//! Reads all copies of ours, page by page into small facts: a Region may hold a hundred thousand.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use aws_sdk_ec2::operation::describe_snapshots::builders::DescribeSnapshotsFluentBuilder;
use aws_sdk_ec2::types::Snapshot;
use futures_util::future::join_all;
use snapferry_core::expiring::{Facts, HeldCopy, Origin, Vault};
use snapferry_core::facts::{CallError, TamperedCopy};
use snapferry_core::ids::{AccountId, Region, SnapshotId};
use snapferry_core::tags::{self, CopyTags};

use crate::clients::Clients;
use crate::reads::{each, filter, id, start_time, state, tags_of, unique};

/// Reads the copies in all `regions` at the same time.
pub async fn gather(clients: &Clients, regions: &BTreeSet<Region>, account: Option<AccountId>) -> Facts {
    // Either tag gives a copy away: one that lost the other is reported, not overlooked.
    let ours = filter("tag-key", [tags::POLICY, tags::SOURCE_SNAPSHOT]);
    let reads = regions.iter().map(async |region| {
        let vault = read(clients, region, |read| read.owner_ids("self").filters(ours.clone())).await;
        (region.clone(), vault)
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
    let mut found = Found::default();
    each(clients, region, ask, |snapshot| found.add(&snapshot)).await?;
    let Vault { copies, tampered, newest } = found.vault;
    Ok(Vault { copies: unique(copies, |copy| &copy.id), tampered: unique(tampered, |copy| &copy.id), newest })
}

#[derive(Default)]
struct Found {
    vault: Vault,
    /// Each origin once in memory, however many copies share it.
    origins: HashSet<Arc<Origin>>,
}

impl Found {
    fn add(&mut self, snapshot: &Snapshot) -> Result<(), CallError> {
        let id = id(snapshot)?;
        let start_time = start_time(snapshot)?;
        self.vault.newest = self.vault.newest.max(Some(start_time));
        let owner = AccountId::parse(snapshot.owner_id().unwrap_or_default()).map_err(|problem| CallError {
            code: "UnreadableAnswer".to_owned(),
            message: format!("owner of {id}: {problem}"),
            request_id: None,
        })?;
        let tags = tags_of(snapshot);
        match CopyTags::parse(tags) {
            Err(problems) => self.vault.tampered.push(TamperedCopy { id, problems }),
            Ok(tags) => {
                let origin = self.origin(Origin {
                    owner,
                    policy: tags.policy,
                    account: tags.source_account,
                    region: tags.source_region,
                    volume: tags.source_volume,
                });
                self.vault.copies.push(HeldCopy {
                    id,
                    origin,
                    source: tags.source_snapshot,
                    source_start_time: tags.source_start_time,
                    start_time,
                    state: state(snapshot),
                    status: tags.status,
                    settled_at: tags.settled_at,
                    expire_after: tags.expire_after,
                    lock: tags.lock,
                });
            }
        }
        Ok(())
    }

    fn origin(&mut self, origin: Origin) -> Arc<Origin> {
        if let Some(known) = self.origins.get(&origin) {
            return Arc::clone(known);
        }
        let origin = Arc::new(origin);
        self.origins.insert(Arc::clone(&origin));
        origin
    }
}
