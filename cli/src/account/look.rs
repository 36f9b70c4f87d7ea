//! What the copier would see now, read with the command's credentials.

use std::collections::HashSet;
use std::time::Duration;

use indicatif::ProgressBar;
use snapferry_aws::clients::Clients;
use snapferry_aws::copying::{Ask, gather};
use snapferry_aws::deadline::Deadline;
use snapferry_aws::keys::KeyCache;
use snapferry_core::copying::{Facts, Scope};
use snapferry_core::event::ShareEvent;
use snapferry_core::ids::SnapshotId;
use snapferry_core::policy::Policy;

use crate::account::connection::Account;

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
