//! Deletes what was decided, each copy after a second look at it. It chooses nothing: it only stops at a limit, and
//! leaves a Region alone that stops answering.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use snapferry_core::expiring::{Change, Deletion, Outcome, Quota, Rest, Vault, recheck};
use snapferry_core::facts::CallError;
use snapferry_core::ids::Region;

use super::look_again;
use crate::clients::Clients;
use crate::deadline::Deadline;
use crate::errors::{call_error, is_refusal};
use crate::reads::within;
use crate::writes;

/// Copies that are looked at and deleted at the same time: quick enough for thousands in a run, and far below EC2's
/// request limits.
const AT_ONCE: usize = 5;
/// The second look, with its retries.
const LOOK_TIMEOUT: Duration = Duration::from_secs(8);
/// No copy is begun with when less of the invocation remains: a look and a deletion take 8 s each at most, and their
/// record must still be written.
const RESERVE: Duration = Duration::from_secs(20);

/// Carries out `deletions` in the given order, at most as many as `quota` allows. `report` is told of each outcome as
/// soon as there is one. Gives how many were not even tried, and why; with the Region where it was for the Region's sake.
pub async fn execute<'f>(
    clients: &Clients,
    deletions: &[Deletion<'f>],
    mut quota: Quota,
    deadline: Deadline,
    report: impl Fn(&Deletion<'f>, &Outcome),
) -> Vec<(Rest, Option<&'f Region>, usize)> {
    let mut waiting = deletions.iter();
    let mut closed: BTreeMap<&'f Region, usize> = BTreeMap::new();
    let stopped = loop {
        if deadline.left() < RESERVE {
            break Rest::OutOfTime;
        }
        let granted = quota.take(AT_ONCE);
        let open = |deletion: &&Deletion<'f>| match closed.get_mut(deletion.region) {
            Some(passed) => {
                *passed += 1;
                false
            }
            None => true,
        };
        let batch: Vec<&Deletion<'f>> = waiting.by_ref().filter(open).take(granted).collect();
        (batch.len()..granted).for_each(|_| quota.give_back());
        if batch.is_empty() {
            break Rest::RunLimit;
        }
        join_all(batch.iter().map(async |deletion| {
            let outcome = delete(clients, deletion).await;
            report(deletion, &outcome);
            outcome
        }))
        .await
        .iter()
        .zip(&batch)
        .for_each(|(outcome, deletion)| {
            if outcome.is_harmless() {
                quota.give_back();
            }
            if outcome.closes_region() {
                closed.entry(deletion.region).or_default();
            }
        });
    };
    let closed = closed.into_iter().map(|(region, passed)| (Rest::RegionClosed, Some(region), passed));
    closed.chain([(stopped, None, waiting.len())]).filter(|(_, _, count)| *count > 0).collect()
}

async fn delete(clients: &Clients, deletion: &Deletion<'_>) -> Outcome {
    let fresh = match look(clients, deletion).await {
        Ok(fresh) => fresh,
        Err(error) => return Outcome::Unread(error),
    };
    if let Err(change) = recheck(deletion, &fresh, Timestamp::now()) {
        return Outcome::Changed(change);
    }
    let Err(error) = writes::delete(clients, deletion.region, &deletion.copy.id).await else {
        return Outcome::Deleted;
    };
    let said = call_error(&error);
    if said.code == "InvalidSnapshot.NotFound" {
        return Outcome::Gone(said);
    }
    if is_refusal(&error) {
        return Outcome::Refused(said);
    }
    match look(clients, deletion).await.map(|fresh| recheck(deletion, &fresh, Timestamp::now())) {
        Ok(Err(Change::Gone)) => Outcome::Gone(said),
        _ => Outcome::Unanswered(said),
    }
}

/// Reads the copy, and the one that makes it dispensable, in one call.
async fn look(clients: &Clients, deletion: &Deletion<'_>) -> Result<Vault, CallError> {
    let ids = [Some(&deletion.copy.id), deletion.survivor.map(|survivor| &survivor.id)];
    within(LOOK_TIMEOUT, look_again(clients, deletion.region, ids.into_iter().flatten())).await
}
