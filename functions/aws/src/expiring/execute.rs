//! Deletes what was decided, each copy after a second look at it. It chooses nothing.

use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use snapferry_core::expiring::{Attempts, Change, DeleteFailure, Deletion, Outcome, Rest, recheck};
use snapferry_core::facts::{CallError, Copies};
use snapferry_core::ids::Region;

use crate::deadline::Deadline;
use crate::keys::KeyCache;
use crate::reads::with_timeout;
use crate::vault::Vault;

/// Copies that are looked at and deleted at the same time: quick enough for thousands in a run, and far below EC2's
/// request limits.
const AT_ONCE: usize = 5;
/// The second look, with its retries.
const LOOK_TIMEOUT: Duration = Duration::from_secs(8);
/// No copy is begun with when less of the invocation remains: a look and a deletion take 8 s each at most, and their
/// record must still be written.
const RESERVE: Duration = Duration::from_secs(20);

/// Carries out `attempts`. `report` is told of each outcome as soon as there is one. Gives how many deletions were not even
/// tried, and why; with the Region where it was for the Region's sake.
pub async fn execute<'f>(
    vault: &impl Vault,
    keys: &KeyCache,
    mut attempts: Attempts<'_, 'f>,
    deadline: Deadline,
    report: impl Fn(&Deletion<'f>, &Outcome),
) -> Vec<(Rest, Option<&'f Region>, usize)> {
    loop {
        if deadline.left() < RESERVE {
            return attempts.rest(Rest::OutOfTime);
        }
        let batch = attempts.next(AT_ONCE);
        if batch.is_empty() {
            return attempts.rest(Rest::RunLimit);
        }
        let outcomes = join_all(batch.iter().map(async |deletion| {
            let outcome = delete(vault, keys, deletion).await;
            report(deletion, &outcome);
            outcome
        }));
        for (deletion, outcome) in batch.iter().zip(outcomes.await) {
            attempts.done(deletion, &outcome);
        }
    }
}

async fn delete(vault: &impl Vault, keys: &KeyCache, deletion: &Deletion<'_>) -> Outcome {
    let fresh = match look(vault, keys, deletion).await {
        Ok(fresh) => fresh,
        Err(error) => return Outcome::Unread(error),
    };
    if let Err(change) = recheck(deletion, &fresh, Timestamp::now()) {
        return Outcome::Changed(change);
    }
    let said = match vault.delete(deletion.region, deletion.copy).await {
        Ok(()) => return Outcome::Deleted,
        Err((DeleteFailure::Gone, said)) => return Outcome::Gone(said),
        Err((DeleteFailure::Refused(refusal), said)) => return Outcome::Refused(refusal, said),
        Err((DeleteFailure::Unknown, said)) => said,
    };
    match look(vault, keys, deletion).await.map(|fresh| recheck(deletion, &fresh, Timestamp::now())) {
        Ok(Err(Change::Gone)) => Outcome::Gone(said),
        _ => Outcome::Unanswered(said),
    }
}

/// Reads the copy, the one that makes it dispensable, and their keys.
async fn look(vault: &impl Vault, keys: &KeyCache, deletion: &Deletion<'_>) -> Result<Copies, CallError> {
    let ids: Vec<_> = [Some(deletion.copy), deletion.survivor].into_iter().flatten().map(|copy| &copy.id).collect();
    let read = async {
        let mut copies = vault.these(deletion.region, &ids).await?;
        keys.note(vault.clients(), deletion.region, &mut copies).await;
        Ok(copies)
    };
    with_timeout(LOOK_TIMEOUT, read).await
}
