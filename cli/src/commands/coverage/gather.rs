//! Reads what coverage stands on, all Regions at the same time, or says which could not be read.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::{Context as _, bail};
use futures_util::future::join_all;
use indicatif::{MultiProgress, ProgressBar};
use jiff::Timestamp;
use snapferry_aws::clients::Clients;
use snapferry_aws::copying::owners;
use snapferry_aws::errors::call_error;
use snapferry_aws::keys::KeyCache;
use snapferry_aws::locks::held_lock;
use snapferry_aws::reads;
use snapferry_core::coverage::{Facts, Home};
use snapferry_core::facts::{CallError, Copies, DescribedCopy, HeldLock, Inventory, SourceSnapshot};
use snapferry_core::ids::{AccountId, PolicyName, Region, SnapshotId};
use snapferry_core::policy::Policy;
use snapferry_core::tags::Proof;

use crate::account::connection::Account;
use crate::account::copies::{self, bar, unread_line};
use crate::account::databases::Databases;

/// Locks in one answer (EC2 API reference, DescribeLockedSnapshots, `MaxResults`).
const LOCKS: i32 = 1000;

/// What the stack goes on with, as its parameters have it.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Retired {
    /// A Region that is no target any more: its copies are history (may be repeated)
    #[arg(long, value_name = "REGION", value_parser = Region::parse)]
    retired_region: Vec<Region>,
    /// A Region whose stack is gone: its copies count as the first home's (may be repeated)
    #[arg(long, value_name = "REGION", value_parser = Region::parse)]
    retired_home: Vec<Region>,
    /// A policy that is not in the document any more: its copies are history (may be repeated)
    #[arg(long, value_name = "NAME", value_parser = PolicyName::parse)]
    retired_policy: Vec<PolicyName>,
}

/// Reads everything, the target Regions once for all homes. One Region that cannot be read is an error: what is not read must not look like coverage.
pub(super) async fn gather(
    accounts: &[Account],
    policies: &[Policy],
    since: Option<Timestamp>,
    retired: &Retired,
) -> anyhow::Result<Facts> {
    let account = accounts.first().context("no home Region")?;
    let targets = policies.iter().flat_map(|policy| &policy.targets).map(|target| &target.region);
    let regions: BTreeSet<Region> = targets.chain(&retired.retired_region).cloned().collect();
    let clients = account.clients(regions.clone());
    let (owners, databases) = (owners(policies), Databases::besides(account, policies, &retired.retired_policy));
    // Draws nothing unless standard error is a terminal.
    let progress = MultiProgress::new();
    let (snapshots, copies) = tokio::join!(
        join_all(accounts.iter().map(|account| {
            let bar = bar(&progress, format!("{}: shared snapshots", account.home));
            shared(account, policies, &owners, bar)
        })),
        join_all(regions.iter().map(|region| {
            let bar = bar(&progress, format!("{region}: copies"));
            read(&clients, &databases, region, bar)
        })),
    );
    // Nobody needs them once the result is there.
    let _ = progress.clear();
    let mut unread = Vec::new();
    let mut homes = Vec::new();
    for (account, snapshots) in accounts.iter().zip(snapshots) {
        let region = account.home.clone();
        let snapshots = snapshots.unwrap_or_else(|error| {
            unread.push(unread_line(&format!("the shared snapshots in {region}"), &error, "--region"));
            Vec::new()
        });
        // A retired home's copies are one stack's.
        let retired = retired.retired_home.iter().filter(|_| homes.is_empty()).cloned().collect();
        homes.push(Home { region, retired, snapshots, ledger: None });
    }
    let (mut found, mut locks, mut proofs) = (BTreeMap::new(), HashMap::new(), HashMap::new());
    for (region, copies) in regions.into_iter().zip(copies) {
        match copies {
            Ok((copies, held, proved)) => {
                locks.extend(held.into_iter().map(|(id, lock)| ((region.clone(), id), lock)));
                proofs.extend(proved.into_iter().map(|(id, proof)| ((region.clone(), id), proof)));
                found.insert(region, copies);
            }
            Err(error) => unread.push(unread_line(&format!("the copies in {region}"), &error, "Target in the policy")),
        }
    }
    if !unread.is_empty() {
        let unread = unread.join("\n");
        bail!("nothing is known about coverage: {} could not read everything\n{unread}", account.arn);
    }
    Ok(Facts {
        account: account.id.clone(),
        homes,
        retired_policies: retired.retired_policy.iter().cloned().collect(),
        since,
        now: Timestamp::now(),
        regions: found,
        locks,
        proofs,
    })
}

/// What the owners share in a home.
async fn shared(
    account: &Account,
    policies: &[Policy],
    owners: &[AccountId],
    bar: ProgressBar,
) -> Result<Vec<SourceSnapshot>, CallError> {
    let mut found = reads::shared_by(&account.clients([]), owners).await?;
    found.extend(Databases::new(account, policies).shared(owners).await?);
    bar.finish();
    Ok(found)
}

/// What is read of a Region: its copies, the locks that EC2 holds on them, and what was proven of their content.
type Found = (Copies, HashMap<SnapshotId, HeldLock>, Vec<(SnapshotId, Proof)>);

/// The copies in a Region, and what is known of them besides.
async fn read(clients: &Clients, databases: &Databases, region: &Region, bar: ProgressBar) -> Result<Found, CallError> {
    let (mut inventory, mut proofs) = (Inventory::default(), Vec::new());
    let take = |copy: DescribedCopy| {
        proofs.extend(copy.tags.proof.clone().map(|proof| (copy.id.clone(), proof)));
        inventory.add(copy);
    };
    copies::read(clients, region, &bar, take).await?;
    databases.for_each_copy(region, |copy| inventory.add(copy)).await?;
    let mut copies = inventory.close();
    KeyCache::default().note(clients, region, &mut copies).await;
    let any = copies.copies.iter().any(|copy| copy.lock.is_some());
    let locks = if any { locks(clients, region).await? } else { HashMap::new() };
    bar.finish();
    Ok((copies, locks, proofs))
}

/// The locks that EC2 holds.
async fn locks(clients: &Clients, region: &Region) -> Result<HashMap<SnapshotId, HeldLock>, CallError> {
    let mut held = HashMap::new();
    let mut token: Option<String> = None;
    loop {
        let read = clients.ec2(region).describe_locked_snapshots().max_results(LOCKS).set_next_token(token.clone());
        let page = read.send().await.map_err(|error| call_error(&error))?;
        for lock in page.snapshots.unwrap_or_default() {
            let id = lock.snapshot_id().and_then(|id| SnapshotId::parse(id).ok());
            held.extend(id.zip(held_lock(&lock)));
        }
        match page.next_token.filter(|next| !next.is_empty()) {
            Some(next) if token.as_ref() == Some(&next) => {
                let message = "DescribeLockedSnapshots gave the same page token twice".to_owned();
                return Err(CallError { code: "UnreadableAnswer".to_owned(), message, request_id: None });
            }
            Some(next) => token = Some(next),
            None => return Ok(held),
        }
    }
}
