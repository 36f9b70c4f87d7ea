//! What owners share with this account itself; public snapshots are not meant for it.

use aws_sdk_ec2::operation::describe_snapshots::builders::DescribeSnapshotsFluentBuilder;
use snapferry_core::facts::{CallError, SourceSnapshot};
use snapferry_core::ids::AccountId;
use snapferry_core::ledger::Shard;
use snapferry_flow::Page;

use super::pages::{PAGE, filter, for_each_snapshot, page};
use super::snapshot::source;
use crate::clients::Clients;

/// Owners asked for in one read, to keep the request small; more of them are several reads.
const OWNERS: usize = 100;

/// All snapshots in the home Region that `owners` share, but what cannot be read: that is logged, and spoils nothing else.
///
/// # Errors
/// The first call that failed.
pub async fn shared_by(clients: &Clients, owners: &[AccountId]) -> Result<Vec<SourceSnapshot>, CallError> {
    let mut found = Vec::new();
    for owners in owners.chunks(OWNERS) {
        let ask = |read| of(read, owners);
        let take = |snapshot| {
            match source(snapshot, &clients.home) {
                Ok(snapshot) => found.push(snapshot),
                Err(problem) => tracing::warn!(problem.message, "a shared snapshot cannot be read"),
            }
            Ok(())
        };
        for_each_snapshot(clients, &clients.home, ask, take).await?;
    }
    // EC2 may show a snapshot on two pages when others come and go meanwhile.
    found.sort_unstable_by(|a: &SourceSnapshot, b| a.id.cmp(&b.id));
    found.dedup_by(|a, b| a.id == b.id);
    Ok(found)
}

/// One page of the snapshots of a shard that `owners` share. What cannot be read is named, and spoils nothing else.
///
/// # Errors
/// When EC2 did not give the page.
pub async fn shared_page(
    clients: &Clients,
    owners: &[AccountId],
    shard: &Shard,
    next: Option<&str>,
) -> Result<Page, CallError> {
    // Without an owner EC2 would give all that is shared, by anybody.
    if owners.is_empty() {
        return Ok(Page::default());
    }
    let read = of(clients.ec2(&clients.home).describe_snapshots(), owners).max_results(PAGE);
    let is_all = *shard == Shard::all();
    let read = if is_all { read } else { read.filters(filter("snapshot-id", [shard.filter().as_str()])) };
    let (snapshots, next) = page(read, next).await?;
    let mut found = Page { next, ..Page::default() };
    for snapshot in snapshots {
        match source(snapshot, &clients.home) {
            Ok(snapshot) => found.snapshots.push(snapshot),
            Err(problem) => found.unreadable.push(problem.message),
        }
    }
    Ok(found)
}

fn of(read: DescribeSnapshotsFluentBuilder, owners: &[AccountId]) -> DescribeSnapshotsFluentBuilder {
    read.set_owner_ids(Some(owners.iter().map(ToString::to_string).collect())).restorable_by_user_ids("self")
}
