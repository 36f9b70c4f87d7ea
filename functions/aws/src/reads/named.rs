//! Snapshots asked for by their IDs. One ID that EC2 does not know, or takes for malformed, fails the whole call: it is asked
//! again without the ID that the message names, or by halves.

use aws_sdk_ec2::operation::describe_snapshots::builders::DescribeSnapshotsFluentBuilder;
use aws_sdk_ec2::types::Snapshot;
use futures_util::future::{FutureExt as _, LocalBoxFuture, try_join};
use snapferry_core::facts::{CallError, DescribedCopy};
use snapferry_core::ids::{Region, SnapshotId};
use snapferry_flow::Shown;

use super::pages::{FILTER_VALUES, for_each_found};
use super::snapshot::{copy, id, source};
use crate::clients::Clients;

/// After so many calls that named a missing ID the rest is asked for by halves, at the same time: where many are missing they
/// would come one after the other.
const ONE_BY_ONE: usize = 4;

/// How often halves are asked for at the same time: 2, 4.
const AT_ONCE: u32 = 2;

/// The snapshots among `ids` that EC2 shows in the home Region, whoever owns them and since when they are shared. What it shows
/// and cannot be read is named, and spoils nothing else.
///
/// # Errors
/// The first call that failed for another reason than that one of the IDs is not there.
pub async fn by_id(clients: &Clients, ids: &[SnapshotId]) -> Result<Shown, CallError> {
    let mut shown = Shown::default();
    let named = Named { clients, region: &clients.home, are_ours: false };
    for snapshot in named.describe(ids).await? {
        // Whatever else EC2 shows, it is none of those that were asked for.
        let Ok(id) = id(&snapshot) else { continue };
        match source(snapshot, &clients.home) {
            Ok(source) => shown.snapshots.push(source),
            Err(problem) => {
                tracing::warn!(problem.message, "a snapshot cannot be read");
                shown.unreadable.insert(id, problem.message);
            }
        }
    }
    shown.snapshots.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    Ok(shown)
}

/// The copies of this home and the retired ones among `ids` in `region`: what is not this account's own, has another home or
/// cannot be read is left out, as in [`for_each_own_copy`](super::for_each_own_copy).
///
/// # Errors
/// The first call that failed for another reason than that one of the IDs is not there.
pub async fn own_copies_by_id(
    clients: &Clients,
    region: &Region,
    ids: &[SnapshotId],
) -> Result<Vec<DescribedCopy>, CallError> {
    let mut copies = Vec::new();
    for snapshot in (Named { clients, region, are_ours: true }).describe(ids).await? {
        match copy(&snapshot) {
            Ok(copy) if copy.tags.source_region.as_ref().is_some_and(|home| clients.homes.contains(home)) => {
                copies.push(copy);
            }
            Ok(_) => {}
            Err(problem) => tracing::warn!(%region, problem.message, "a copy cannot be read"),
        }
    }
    Ok(copies)
}

/// Where snapshots are asked for by their IDs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named<'c> {
    pub(super) clients: &'c Clients,
    pub(super) region: &'c Region,
    /// Whether only this account's own are wanted, and not what others share or made public.
    pub(super) are_ours: bool,
}

impl<'c> Named<'c> {
    /// The snapshots among `ids` that EC2 shows.
    ///
    /// # Errors
    /// The first call that failed for another reason than that one of the IDs is not there.
    pub(super) async fn describe(self, ids: &[SnapshotId]) -> Result<Vec<Snapshot>, CallError> {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids.dedup();
        let mut found = Vec::new();
        for ids in ids.chunks(FILTER_VALUES) {
            found.extend(self.without_missing(ids.to_vec(), AT_ONCE).await?);
        }
        Ok(found)
    }

    fn without_missing(
        self,
        mut ids: Vec<SnapshotId>,
        at_once: u32,
    ) -> LocalBoxFuture<'c, Result<Vec<Snapshot>, CallError>> {
        let read = async move {
            for _ in 0..ONE_BY_ONE {
                let error = match self.once(&ids).await {
                    Err(error) if is_about_an_id(&error) => error,
                    done => return done,
                };
                let before = ids.len();
                ids.retain(|id| !names(&error.message, id));
                match ids.len() {
                    // An error can mean nothing but the only ID.
                    1 if before == 1 => return Ok(Vec::new()),
                    now if now == before => break,
                    _ => {}
                }
            }
            self.by_halves(ids, at_once).await
        };
        read.boxed_local()
    }

    async fn by_halves(self, mut ids: Vec<SnapshotId>, at_once: u32) -> Result<Vec<Snapshot>, CallError> {
        let rest = ids.split_off(ids.len() / 2);
        let less = at_once.saturating_sub(1);
        let (one, other) = (self.without_missing(ids, less), self.without_missing(rest, less));
        let (mut one, other) = if at_once > 0 { try_join(one, other).await? } else { (one.await?, other.await?) };
        one.extend(other);
        Ok(one)
    }

    async fn once(self, ids: &[SnapshotId]) -> Result<Vec<Snapshot>, CallError> {
        // Without an ID EC2 would give everything there is.
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let ask = |read: DescribeSnapshotsFluentBuilder| {
            let read = read.set_snapshot_ids(Some(ids.clone()));
            if self.are_ours { read.owner_ids("self") } else { read }
        };
        let mut found = Vec::new();
        let take = |snapshot| {
            found.push(snapshot);
            Ok(())
        };
        for_each_found(self.clients, self.region, ask, take).await?;
        Ok(found)
    }
}

/// Whether a call failed because of one of its IDs (EC2 API reference, "Error codes").
fn is_about_an_id(error: &CallError) -> bool {
    matches!(
        error.code.as_str(),
        "InvalidSnapshot.NotFound" | "InvalidSnapshotID.Malformed" | "InvalidSnapshotId.Malformed"
    )
}

/// Whether a message names an ID, and not a longer one that begins with it.
fn names(message: &str, id: &SnapshotId) -> bool {
    let mut words = message.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    words.any(|word| word == id.as_str())
}
