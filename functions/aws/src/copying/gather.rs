//! Reads all that the copying decision stands on, in parallel, and nothing else: for those who only look, with nothing of the
//! ledger.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use futures_util::future::join_all;
use snapferry_core::copying::{Facts, Scope};
use snapferry_core::event::ShareEvent;
use snapferry_core::facts::{CallError, KeyFact, SourceSnapshot};
use snapferry_core::ids::{AccountId, KeyArn, SnapshotId};
use snapferry_core::policy::{Policy, PolicyState};

use crate::clients::Clients;
use crate::deadline::Deadline;
use crate::keys::{KeyCache, configured};
use crate::reads;
use crate::settings::targets;

/// What is wanted.
#[derive(Debug)]
pub struct Ask<'a> {
    /// The policies.
    pub policies: &'a [Policy],
    /// This account, as far as it is known.
    pub account: Option<AccountId>,
    /// Only what events name, or all.
    pub scope: Scope,
    /// The events of the invocation, at most one for each snapshot.
    pub named: Vec<ShareEvent>,
    /// What was said within the last day.
    pub noticed: HashSet<String>,
}

/// Reads the shared snapshots, the copies in each target Region with the keys that they are under, and the configured keys,
/// all at the same time: none of them needs another's answer. A read that is not done in time counts as unread, so that one
/// slow Region costs the others nothing but the wait.
pub async fn gather(clients: &Clients, keys: &KeyCache, deadline: Deadline, ask: Ask<'_>) -> Facts {
    let time = deadline.reading_time();
    let ids: Vec<SnapshotId> = ask.named.iter().map(|event| event.snapshot.clone()).collect();
    let regions = targets(ask.policies);
    let configured = configured(ask.policies);
    let sources = match ask.scope {
        Scope::Events => Some(ids.as_slice()),
        Scope::Sweep { .. } => None,
    };
    let (snapshots, regions, keys) = tokio::join!(
        reads::with_timeout(time, snapshots(clients, ask.policies, ask.scope, &ids)),
        join_all(regions.iter().map(async |region| {
            let copies = async {
                let mut copies = match sources {
                    Some(sources) => reads::copies(clients, region, sources).await?,
                    None => reads::all_copies(clients, region).await?,
                };
                keys.note(clients, region, &mut copies).await;
                Ok(copies)
            };
            (region.clone(), reads::with_timeout(time, copies).await)
        })),
        join_all(
            configured.into_iter().map(async |(key, region)| (key.clone(), keys.look(clients, region, key).await))
        ),
    );
    Facts {
        account: ask.account,
        home: clients.home.clone(),
        scope: ask.scope,
        named: ask.named,
        snapshots,
        regions: regions.into_iter().collect(),
        retired_policies: clients.retired_policies.clone(),
        keys: keys.into_iter().collect::<BTreeMap<KeyArn, KeyFact>>(),
        obligations: BTreeMap::new(),
        noticed: ask.noticed,
    }
}

/// The snapshots that events name and, in a sweep, all that the policies' owners share.
async fn snapshots(
    clients: &Clients,
    policies: &[Policy],
    scope: Scope,
    ids: &[SnapshotId],
) -> Result<Vec<SourceSnapshot>, CallError> {
    match scope {
        Scope::Events => Ok(reads::by_id(clients, ids).await?.snapshots),
        Scope::Sweep { .. } => {
            let mut found = reads::shared_by(clients, &owners(policies)).await?;
            // An event may name what no owner shares: its record has to say what it is.
            let others: Vec<SnapshotId> =
                ids.iter().filter(|id| found.binary_search_by(|seen| seen.id.cmp(id)).is_err()).cloned().collect();
            if !others.is_empty() {
                found.extend(reads::by_id(clients, &others).await?.snapshots);
            }
            Ok(found)
        }
    }
}

/// The owners that a sweep reads: those of all policies that copy.
#[must_use]
pub fn owners(policies: &[Policy]) -> Vec<AccountId> {
    let enabled = policies.iter().filter(|policy| policy.state == PolicyState::Enabled);
    let owners: BTreeSet<&AccountId> = enabled.flat_map(|policy| &policy.owners).collect();
    owners.into_iter().cloned().collect()
}
