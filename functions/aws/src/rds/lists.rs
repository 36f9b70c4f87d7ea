//! All that is shared and all copies, for those who look at them together with volumes'.

use snapferry_core::facts::{CallError, DescribedCopy, SourceSnapshot};
use snapferry_core::ids::{AccountId, Region};
use snapferry_core::rds::{Kind, Own};

use super::clients::RdsClients;
use super::read;

/// All snapshots of `kinds` in the home Region that `owners` share, but what cannot be read: that is logged, and spoils nothing else.
///
/// # Errors
/// The first call that failed.
pub async fn shared_by(
    clients: &RdsClients,
    kinds: &[Kind],
    owners: &[AccountId],
) -> Result<Vec<SourceSnapshot>, CallError> {
    let mut found = Vec::new();
    for kind in kinds {
        let mut next: Option<String> = None;
        loop {
            let page = read::shared(clients, *kind, next.as_deref()).await?;
            let of_owners = page.snapshots.iter().filter(|shared| owners.contains(&shared.source.arn.account));
            found.extend(of_owners.map(|shared| shared.fact()));
            for problem in page.unreadable {
                tracing::warn!(problem, "a shared snapshot of a database cannot be read");
            }
            next = page.next;
            if next.is_none() {
                break;
            }
        }
    }
    // RDS may show a snapshot on two pages when others come and go meanwhile.
    found.sort_unstable_by(|a: &SourceSnapshot, b| a.id.cmp(&b.id));
    found.dedup_by(|a, b| a.id == b.id);
    Ok(found)
}

/// Hands over each copy of `kinds` in a Region, and all that RDS says of it. One that RDS does not describe in full is left out, and named in the log.
///
/// # Errors
/// The first call that failed.
pub async fn for_each_copy(
    clients: &RdsClients,
    kinds: &[Kind],
    region: &Region,
    mut take: impl FnMut(DescribedCopy, Own),
) -> Result<(), CallError> {
    for kind in kinds {
        let take = |own: Own| {
            if let Some(copy) = own.fact() {
                take(copy, own);
            }
        };
        read::for_each_own(clients, region, *kind, take).await?;
    }
    Ok(())
}
