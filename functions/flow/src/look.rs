//! What an event's decisions stand on, read at the same time: one round trip to EC2.

use std::collections::BTreeMap;

use futures_util::future::{join, join_all, join4};
use snapferry_core::copying::{Facts, Scope};
use snapferry_core::event::ShareEvent;
use snapferry_core::facts::CallError;
use snapferry_core::ids::SnapshotId;
use snapferry_core::ledger::{Identity, Obligation};
use snapferry_core::policy::{Policy, PolicyState, Target};

use crate::World;
use crate::run::Run;

/// What was read.
pub(crate) struct Look {
    pub(crate) facts: Facts,
    /// What the ledger did not say.
    unread: BTreeMap<Identity, CallError>,
}

impl Look {
    /// What the ledger holds of an identity.
    ///
    /// # Errors
    /// The ledger's, when it did not say.
    pub(crate) fn stored(&self, identity: &Identity) -> Result<Option<&Obligation>, &CallError> {
        match self.unread.get(identity) {
            Some(error) => Err(error),
            None => Ok(self.facts.obligations.get(identity)),
        }
    }
}

/// Reads the sources by their IDs, their copies in each target Region, the keys, and what the ledger holds of them and of
/// those who wait.
pub(crate) async fn look<W: World>(run: &Run<'_, W>, named: Vec<ShareEvent>) -> Look {
    let ids: Vec<SnapshotId> = named.iter().map(|event| event.snapshot.clone()).collect();
    let regions = run.setup.regions();
    let (shown, copies, keys, (obligations, turns)) = join4(
        run.world.sources(&ids),
        join_all(regions.iter().map(async |region| ((*region).clone(), run.world.copies_of(region, &ids).await))),
        run.keys(),
        join(
            join_all(identities(run, &ids).into_iter().map(async |identity| {
                let read = run.world.obligation(&identity).await;
                (identity, read)
            })),
            join_all(regions.iter().map(async |region| run.read_turns(region).await)),
        ),
    )
    .await;
    turns.iter().filter_map(|read| read.as_ref().err()).for_each(|error| run.ledger_failed(0, error));
    let (mut known, mut unread) = (BTreeMap::new(), BTreeMap::new());
    for (identity, read) in obligations {
        match read {
            Ok(Some(item)) => _ = known.insert(identity, item.obligation),
            Ok(None) => {}
            Err(error) => _ = unread.insert(identity, error),
        }
    }
    let facts = Facts {
        account: run.setup.account.clone(),
        home: run.setup.home.clone(),
        scope: Scope::Events,
        named,
        snapshots: shown.map(|shown| shown.snapshots),
        regions: copies.into_iter().collect(),
        retired_policies: run.setup.retired_policies.clone(),
        keys,
        obligations: known,
        noticed: run.noticed(),
    };
    Look { facts, unread }
}

/// All that could be wanted of the snapshots.
fn identities<W: World>(run: &Run<'_, W>, ids: &[SnapshotId]) -> Vec<Identity> {
    let policies = run.setup.policies.iter().filter(|policy| policy.state == PolicyState::Enabled);
    let wishes = policies.flat_map(|policy| policy.targets.iter().map(move |target| (policy, target)));
    let identity = |(policy, target): (&Policy, &Target)| {
        let (policy, region) = (policy.name.clone(), target.region.clone());
        ids.iter().map(move |source| Identity {
            policy: policy.clone(),
            source: source.clone(),
            region: region.clone(),
        })
    };
    wishes.flat_map(identity).collect()
}
