//! Reads the copies in the Regions, all at the same time, or says which could not be read.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::bail;
use futures_util::future::join_all;
use indicatif::{MultiProgress, ProgressBar};
use jiff::Timestamp;
use snapferry_aws::clients::Clients;
use snapferry_aws::keys::KeyCache;
use snapferry_core::facts::CallError;
use snapferry_core::ids::{PolicyName, Region};
use snapferry_core::policy::Policy;
use snapferry_core::recovery::{Facts, Reading, Vault};

use crate::account::connection::Account;
use crate::account::copies::{self, bar, unread_line};
use crate::account::databases::Databases;

/// Reads everything. One Region that cannot be read is an error: the newest point may be there.
pub(super) async fn gather(
    account: &Account,
    policies: &[Policy],
    retired: &[PolicyName],
    regions: BTreeSet<Region>,
) -> anyhow::Result<Facts> {
    let (clients, databases) = (account.clients(regions.clone()), Databases::besides(account, policies, retired));
    let progress = MultiProgress::new();
    let each =
        regions.iter().map(|region| read(&clients, &databases, region, bar(&progress, format!("{region}: copies"))));
    let vaults = join_all(each).await;
    // Nobody needs them once the result is there.
    let _ = progress.clear();
    let (mut found, mut unread) = (BTreeMap::new(), Vec::new());
    for (region, vault) in regions.into_iter().zip(vaults) {
        match vault {
            Ok(vault) => {
                found.insert(region, vault);
            }
            Err(error) => {
                let what = format!("the copies in {region}");
                unread.push(unread_line(&what, &error, "Target in the policy, or look elsewhere with --target"));
            }
        }
    }
    if !unread.is_empty() {
        bail!(
            "nothing is known about points: {} could not read everything; --target names the Regions to look at\n{}",
            account.arn,
            unread.join("\n")
        );
    }
    Ok(Facts { account: account.id.clone(), now: Timestamp::now(), regions: found })
}

async fn read(clients: &Clients, databases: &Databases, region: &Region, bar: ProgressBar) -> Result<Vault, CallError> {
    let mut reading = Reading::default();
    let take = |copy, missing| match missing {
        None => reading.add(copy),
        Some(missing) => reading.add_in_doubt(copy, missing),
    };
    copies::read_in_doubt_too(clients, region, &bar, take).await?;
    databases.for_each_copy_with_content(region, |copy, content| reading.add_with(copy, content)).await?;
    let mut vault = reading.close();
    KeyCache::default().note(clients, region, &mut vault.copies).await;
    bar.finish();
    Ok(vault)
}
