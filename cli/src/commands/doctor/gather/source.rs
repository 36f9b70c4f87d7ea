//! Looks at a shared snapshot as the copier would.

use jiff::Timestamp;
use snapferry_aws::clients::Clients;
use snapferry_aws::copy_call;
use snapferry_aws::keys::KeyCache;
use snapferry_aws::reads::{self, filter};
use snapferry_core::copying::CopyRequest;
use snapferry_core::facts::{CallError, SourceSnapshot, Storage};
use snapferry_core::ids::{KeyArn, SnapshotId};
use snapferry_core::policy::Policy;

use crate::commands::doctor::facts::{Source, Try};

/// Looks at the snapshot, its key, and the copies that the policies want of it.
pub(super) async fn look(clients: &Clients, keys: &KeyCache, policies: &[Policy], id: &SnapshotId) -> Source {
    let (seen, arn) = match read(clients, id).await {
        Ok(Some((snapshot, arn))) => (Ok(Some(snapshot)), arn),
        Ok(None) => (Ok(None), None),
        Err(error) => (Err(error), None),
    };
    let key = match arn {
        Some(arn) => match KeyArn::parse(&arn) {
            Ok(key) => Some((arn, Some(keys.look(clients, &clients.home, &key).await))),
            Err(_) => Some((arn, None)),
        },
        None => None,
    };
    let mut tries = Vec::new();
    // What the copier would not ask EC2 for is not tried.
    if let Ok(Some(source)) = &seen
        && source.storage == Storage::Standard
    {
        for policy in policies.iter().filter(|policy| policy.owners.contains(&source.owner)) {
            for target in &policy.targets {
                let request = CopyRequest {
                    policy: &policy.name,
                    filter: &policy.description,
                    source,
                    home: &clients.home,
                    target,
                };
                let answer = copy_call::dry_run(clients, &request, Timestamp::now()).await;
                tries.push(Try { policy: policy.name.clone(), region: target.region.clone(), answer });
            }
        }
    }
    Source { id: id.clone(), seen, key, tries }
}

async fn read(clients: &Clients, id: &SnapshotId) -> Result<Option<(SourceSnapshot, Option<String>)>, CallError> {
    let Some(snapshot) = reads::by_id(clients, std::slice::from_ref(id)).await?.snapshots.pop() else {
        return Ok(None);
    };
    let mut arn = None;
    let ask = filter("snapshot-id", [id.as_str()]);
    reads::for_each_snapshot(
        clients,
        &clients.home,
        |read| read.filters(ask.clone()),
        |snapshot| {
            arn = snapshot.kms_key_id;
            Ok(())
        },
    )
    .await?;
    Ok(Some((snapshot, arn)))
}
