//! What was asked for in Regions that are no target any more: nothing serves them, so a sweep looks there, as far as they can still be
//! read.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use snapferry_core::facts::{CallError, Copies};
use snapferry_core::ids::{Region, SnapshotId};
use snapferry_core::ledger::State;

use crate::run::Run;
use crate::{Item, World};

/// In so many Regions that are no target is looked at a time: an edited item names any.
const REGIONS: usize = 20;

/// The copies of what was asked for or is being copied in other Regions than `known`.
pub(super) async fn copies<W: World>(
    run: &Run<'_, W>,
    known: &BTreeMap<Region, Result<Copies, CallError>>,
    items: &[Item],
) -> BTreeMap<Region, Result<Copies, CallError>> {
    let mut strays: BTreeMap<&Region, BTreeSet<&SnapshotId>> = BTreeMap::new();
    for item in items {
        let identity = &item.obligation.identity;
        let is_asked = matches!(item.obligation.state, State::Asked { .. } | State::Copying { .. });
        if is_asked && !known.contains_key(&identity.region) {
            strays.entry(&identity.region).or_default().insert(&identity.source);
        }
    }
    let reads = strays.into_iter().take(REGIONS).map(async |(region, sources)| {
        let sources: Vec<SnapshotId> = sources.into_iter().cloned().collect();
        (region.clone(), run.regions.ask(region, run.world.copies_of(region, &sources)).await)
    });
    join_all(reads).await.into_iter().collect()
}
