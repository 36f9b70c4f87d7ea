//! Reads what coverage stands on, all Regions at the same time, or says which could not be read.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use anyhow::bail;
use futures_util::future::join_all;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use jiff::Timestamp;
use snapferry_aws::clients::Clients;
use snapferry_aws::copying::owners;
use snapferry_aws::errors::call_error;
use snapferry_aws::keys::KeyCache;
use snapferry_aws::locks::held_lock;
use snapferry_aws::reads;
use snapferry_core::coverage::Facts;
use snapferry_core::facts::{CallError, Copies, HeldLock, Inventory};
use snapferry_core::ids::{PolicyName, Region, SnapshotId};
use snapferry_core::policy::Policy;
use snapferry_core::tags;

use crate::account::connection::{Account, not_enabled};

/// Locks in one answer (EC2 API reference, DescribeLockedSnapshots, `MaxResults`).
const LOCKS: i32 = 1000;

/// What the stack goes on with, as its parameters have it.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Retired {
    /// A Region that is no target any more: its copies are history (may be repeated)
    #[arg(long, value_name = "REGION", value_parser = Region::parse)]
    retired_region: Vec<Region>,
    /// A Region whose stack is gone: its copies count as this home's (may be repeated)
    #[arg(long, value_name = "REGION", value_parser = Region::parse)]
    retired_home: Vec<Region>,
    /// A policy that is not in the document any more: its copies are history (may be repeated)
    #[arg(long, value_name = "NAME", value_parser = PolicyName::parse)]
    retired_policy: Vec<PolicyName>,
}

/// Reads everything. One Region that cannot be read is an error: what is not read must not look like coverage.
pub(super) async fn gather(
    account: &Account,
    policies: &[Policy],
    since: Option<Timestamp>,
    retired: &Retired,
) -> anyhow::Result<Facts> {
    let targets = policies.iter().flat_map(|policy| &policy.targets).map(|target| &target.region);
    let regions: BTreeSet<Region> = targets.chain(&retired.retired_region).cloned().collect();
    let clients = account.clients(regions.clone());
    let owners = owners(policies);
    // Draws nothing unless standard error is a terminal.
    let progress = MultiProgress::new();
    let shared = bar(&progress, format!("{}: shared snapshots", account.home));
    let (snapshots, copies) = tokio::join!(
        async {
            let read = reads::shared_by(&clients, &owners).await;
            shared.finish();
            read
        },
        join_all(regions.iter().map(|region| {
            let bar = bar(&progress, format!("{region}: copies"));
            read(&clients, region, bar)
        })),
    );
    // Nobody needs them once the result is there.
    let _ = progress.clear();
    let mut unread = Vec::new();
    let snapshots = snapshots.unwrap_or_else(|error| {
        unread.push(unread_line(&format!("the shared snapshots in {}", account.home), &error, "--region"));
        Vec::new()
    });
    let (mut found, mut locks) = (BTreeMap::new(), HashMap::new());
    for (region, copies) in regions.into_iter().zip(copies) {
        match copies {
            Ok((copies, held)) => {
                locks.extend(held.into_iter().map(|(id, lock)| ((region.clone(), id), lock)));
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
        homes: retired.retired_home.iter().chain([&account.home]).cloned().collect(),
        retired_policies: retired.retired_policy.iter().cloned().collect(),
        since,
        now: Timestamp::now(),
        snapshots,
        regions: found,
        locks,
        ledger: None,
    })
}

/// What was not read, and why; `named` is what names the Region.
fn unread_line(what: &str, error: &CallError, named: &str) -> String {
    let request = error.request_id.as_ref().map(|id| format!(" (request {id})")).unwrap_or_default();
    let message = snapferry_core::text::printable(&error.message, 500);
    let remedy = not_enabled(error, named).map(|remedy| format!("\n        {remedy}")).unwrap_or_default();
    format!("    {what}: {}: {message}{request}{remedy}", snapferry_core::text::printable(&error.code, 100))
}

fn bar(progress: &MultiProgress, what: String) -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {msg} {human_pos} {elapsed}");
    let bar = progress.add(ProgressBar::no_length()).with_message(what);
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// The copies in a Region, and the locks that EC2 holds on them.
async fn read(
    clients: &Clients,
    region: &Region,
    bar: ProgressBar,
) -> Result<(Copies, HashMap<SnapshotId, HeldLock>), CallError> {
    // The same tag that the copier looks for; all values, as with it.
    let ours = reads::filter("tag-key", [tags::SOURCE_SNAPSHOT]);
    let mut inventory = Inventory::default();
    let take = |copy| {
        bar.inc(1);
        inventory.add(copy);
    };
    reads::for_each_copy(clients, region, vec![ours], take).await?;
    let mut copies = inventory.close();
    KeyCache::default().note(clients, region, &mut copies).await;
    let any = copies.copies.iter().any(|copy| copy.lock.is_some());
    let locks = if any { locks(clients, region).await? } else { HashMap::new() };
    bar.finish();
    Ok((copies, locks))
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
