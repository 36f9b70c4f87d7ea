//! What the copier would see now, read with the command's credentials.

use std::collections::HashSet;
use std::time::Duration;

use anyhow::Context as _;
use indicatif::ProgressBar;
use snapferry_aws::clients::Clients;
use snapferry_aws::copying::{Ask, gather, owners};
use snapferry_aws::deadline::Deadline;
use snapferry_aws::keys::KeyCache;
use snapferry_core::copying::{Facts, Scope};
use snapferry_core::event::ShareEvent;
use snapferry_core::facts::{Copies, Inventory};
use snapferry_core::ids::SnapshotId;
use snapferry_core::policy::Policy;
use snapferry_core::rds::SnapshotArn;

use crate::account::connection::Account;
use crate::account::databases::Databases;

/// As long as a function may run. Reading a hundred thousand snapshots takes seconds.
const TIME: Duration = Duration::from_mins(15);

/// An event that names `snapshot`, for looking at that snapshot alone.
pub(crate) fn event(snapshot: SnapshotId) -> ShareEvent {
    ShareEvent::naming("snapferry", snapshot)
}

/// Clients for the home Region and all targets.
pub(crate) fn clients(account: &Account, policies: &[Policy]) -> Clients {
    account.clients(policies.iter().flat_map(|policy| &policy.targets).map(|target| target.region.clone()))
}

/// Reads all facts, with a sign of life on a terminal.
pub(crate) async fn facts(
    account: &Account,
    clients: &Clients,
    policies: &[Policy],
    scope: Scope,
    named: Vec<ShareEvent>,
) -> Facts {
    let ask = Ask { policies, account: Some(account.id.clone()), scope, named, noticed: HashSet::new() };
    let bar = ProgressBar::new_spinner();
    let keys = KeyCache::default();
    let reading = gather(clients, &keys, Deadline::after(TIME), ask);
    let mut reading = std::pin::pin!(reading);
    let mut tick = tokio::time::interval(Duration::from_millis(100));
    let facts = loop {
        tokio::select! {
            facts = &mut reading => break facts,
            _ = tick.tick() => {
                bar.set_message(format!("reading snapshots and copies, {} reads", clients.calls()));
                bar.tick();
            }
        }
    };
    bar.finish_and_clear();
    facts
}

/// Leaves nothing but the snapshot of a database in the facts of a sweep, as if an event had named it.
///
/// # Errors
/// When it is not shared with this account, or could not be read.
pub(crate) fn name_database(arn: &SnapshotArn, facts: &mut Facts) -> anyhow::Result<()> {
    let (home, text) = (facts.home.clone(), arn.to_string());
    if let Ok(snapshots) = &mut facts.snapshots {
        snapshots.retain(|snapshot| snapshot.arn() == Some(&text));
        let found = snapshots.first().map(|snapshot| event(snapshot.id.clone()));
        facts.named = vec![found.with_context(|| {
            format!("RDS does not show {text} to this account in {home}: not shared; or it was not looked for, because no enabled policy names its kind \
             and owner")
        })?];
    }
    facts.scope = Scope::Events;
    Ok(())
}

/// Adds to the facts of a sweep those of the databases that a policy names.
pub(crate) async fn add_databases(databases: &Databases, clients: &Clients, policies: &[Policy], facts: &mut Facts) {
    if !databases.are_copied() {
        return;
    }
    let shared = databases.shared(&owners(policies)).await;
    facts.snapshots = match (std::mem::replace(&mut facts.snapshots, Ok(Vec::new())), shared) {
        (Ok(snapshots), Ok(shared)) => Ok(snapshots.into_iter().chain(shared).collect()),
        (Err(error), _) | (_, Err(error)) => Err(error),
    };
    let keys = KeyCache::default();
    for (region, found) in &mut facts.regions {
        let mut inventory = Inventory::default();
        let read = databases.for_each_copy(region, |copy| inventory.add(copy)).await;
        let mut copies = inventory.close();
        keys.note(clients, region, &mut copies).await;
        *found = match (std::mem::replace(found, Ok(Copies::default())), read) {
            (Ok(volumes), Ok(())) => Ok(volumes.with(copies)),
            (Err(error), _) | (_, Err(error)) => Err(error),
        };
    }
}
