//! Reads the copies in the Regions, all at the same time, or says which could not be read.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;

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
use crate::account::databases::{Databases, are_named};

/// Reads everything: databases, too, where no policy names any, because an earlier one may have. One Region that cannot be read is an error: the newest point may be there.
pub(super) async fn gather(
    account: &Account,
    policies: &[Policy],
    retired: &[PolicyName],
    regions: BTreeSet<Region>,
) -> anyhow::Result<Facts> {
    let (clients, databases) = (account.clients(regions.clone()), Databases::of_all_kinds(account, policies));
    let progress = MultiProgress::new();
    let each =
        regions.iter().map(|region| read(&clients, &databases, region, bar(&progress, format!("{region}: copies"))));
    let vaults = join_all(each).await;
    // Nobody needs them once the result is there.
    let _ = progress.clear();
    let (mut found, mut unread) = (BTreeMap::new(), Vec::new());
    let mut say = |what: String, error: &CallError| {
        unread.push(unread_line(&what, error, "Target in the policy, or look elsewhere with --target"));
    };
    for (region, vault) in regions.into_iter().zip(vaults) {
        match vault {
            Ok((vault, unread_databases)) => {
                match unread_databases {
                    // What a retired policy named nobody knows.
                    Some(error) if are_named(policies) || !retired.is_empty() => {
                        say(format!("the copies of databases in {region}"), &error)
                    }
                    Some(error) => note(&region, &error)?,
                    None => {}
                }
                found.insert(region, vault);
            }
            Err(error) => say(format!("the copies in {region}"), &error),
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

/// Who has volumes alone may have nothing that reads databases.
fn note(region: &Region, error: &CallError) -> anyhow::Result<()> {
    let line = unread_line(&format!("databases in {region}"), error, "Target in the policy");
    let words =
        "not looked at; the policy names none, and what an earlier one copied of them is not among these points";
    Ok(writeln!(anstream::stderr(), "note: {}\n      {words}", line.trim_start())?)
}

/// What is kept in a Region, and why databases could not be read there.
async fn read(
    clients: &Clients,
    databases: &Databases,
    region: &Region,
    bar: ProgressBar,
) -> Result<(Vault, Option<CallError>), CallError> {
    let mut reading = Reading::default();
    let take = |copy, missing| match missing {
        None => reading.add(copy),
        Some(missing) => reading.add_in_doubt(copy, missing),
    };
    copies::read_in_doubt_too(clients, region, &bar, take).await?;
    let add = |copy, content, database: &str| reading.add_with(copy, content, database);
    let unread = databases.for_each_copy_with_content(region, add).await.err();
    let mut vault = reading.close();
    KeyCache::default().note(clients, region, &mut vault.copies).await;
    bar.finish();
    Ok((vault, unread))
}
