//! Snapshots asked for by their IDs. One ID that EC2 does not know, or takes for malformed, fails the whole call: it is asked
//! again without the ID that the message names, or by halves.

use aws_sdk_ec2::types::Snapshot;
use futures_util::future::{BoxFuture, FutureExt as _, join};
use snapferry_core::facts::CallError;
use snapferry_core::ids::{Region, SnapshotId};
use snapferry_flow::Shown;

use super::pages::{FILTER_VALUES, for_each_found};
use super::snapshot::{id, source};
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
    for snapshot in describe(clients, &clients.home, ids).await? {
        let id = id(&snapshot)?;
        match source(snapshot) {
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

/// The snapshots among `ids` that EC2 shows in `region`.
///
/// # Errors
/// The first call that failed for another reason than that one of the IDs is not there.
pub(super) async fn describe(
    clients: &Clients,
    region: &Region,
    ids: &[SnapshotId],
) -> Result<Vec<Snapshot>, CallError> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    let mut found = Vec::new();
    for ids in ids.chunks(FILTER_VALUES) {
        found.extend(without_missing(clients, region, ids.to_vec(), AT_ONCE).await?);
    }
    Ok(found)
}

fn without_missing<'c>(
    clients: &'c Clients,
    region: &'c Region,
    mut ids: Vec<SnapshotId>,
    at_once: u32,
) -> BoxFuture<'c, Result<Vec<Snapshot>, CallError>> {
    let read = async move {
        for _ in 0..ONE_BY_ONE {
            let error = match once(clients, region, &ids).await {
                Err(error) if is_about_an_id(&error) => error,
                done => return done,
            };
            let before = ids.len();
            ids.retain(|id| !names(&error.message, id));
            if ids.len() == before {
                break;
            }
        }
        if ids.len() < 2 {
            return if ids.is_empty() { Ok(Vec::new()) } else { alone(clients, region, &ids).await };
        }
        let rest = ids.split_off(ids.len() / 2);
        let (one, other) = (
            without_missing(clients, region, ids, at_once.saturating_sub(1)),
            without_missing(clients, region, rest, at_once.saturating_sub(1)),
        );
        let (mut one, other) = if at_once > 0 {
            let (one, other) = join(one, other).await;
            (one?, other?)
        } else {
            (one.await?, other.await?)
        };
        one.extend(other);
        Ok(one)
    };
    read.boxed()
}

/// One ID, of which an error can mean nothing but itself.
async fn alone(clients: &Clients, region: &Region, id: &[SnapshotId]) -> Result<Vec<Snapshot>, CallError> {
    match once(clients, region, id).await {
        Err(error) if is_about_an_id(&error) => Ok(Vec::new()),
        done => done,
    }
}

async fn once(clients: &Clients, region: &Region, ids: &[SnapshotId]) -> Result<Vec<Snapshot>, CallError> {
    // Without an ID EC2 would give everything there is.
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    let named: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let take = |snapshot| {
        found.push(snapshot);
        Ok(())
    };
    for_each_found(clients, region, |read| read.set_snapshot_ids(Some(named.clone())), take).await?;
    Ok(found)
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
