//! A round's end: what was counted, with what became of it meanwhile.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use snapferry_core::audit::CopyDeferred;
use snapferry_core::copying::{Ran, summary};
use snapferry_core::ids::AccountId;
use snapferry_core::ledger::Round;
use snapferry_core::policy::{SourceType, has_to_share};

use super::lineages::Sweeper;
use super::slice::Slice;
use crate::World;
use crate::run::Run;

/// Notes what the serving in this invocation made of what the round found, and tells the round's totals where it is done.
pub(crate) async fn finish<W: World>(run: &Run<'_, W>, mut slice: Slice) {
    let served = run.served();
    if !slice.is_ours || (!slice.is_done() && served.is_empty()) {
        return;
    }
    served.iter().for_each(|served| slice.count(served));
    if slice.round.is_read() {
        slice.clock(run);
        let unheard = unheard(run, &slice.round).await;
        tell(run, &mut slice, &unheard);
    }
    slice.note(run).await;
}

/// The other kinds of which nothing was ever seen, of each owner of which nothing of this kind was.
async fn unheard<W: World>(run: &Run<'_, W>, round: &Round) -> BTreeMap<AccountId, BTreeSet<SourceType>> {
    let policies = &run.setup.policies;
    let never_seen = round.totals.last_heard().into_iter().filter(|(_, newest)| newest.is_none());
    let owners: Vec<&AccountId> =
        never_seen.map(|(owner, _)| owner).filter(|owner| !has_to_share(policies, owner, &BTreeSet::new())).collect();
    if owners.is_empty() {
        return BTreeMap::new();
    }
    let rounds = run.world.other_rounds().await.unwrap_or_else(|error| {
        run.ledger_failed(0, &error);
        BTreeMap::new()
    });
    let kinds =
        |owner| rounds.iter().filter(|(_, round)| !round.may_have_heard(owner)).map(|(kind, _)| *kind).collect();
    owners.into_iter().map(|owner| (owner.clone(), kinds(owner))).collect()
}

/// Tells what is in line and was not tried, then the totals.
fn tell<W: World>(run: &Run<'_, W>, slice: &mut Slice, unheard: &BTreeMap<AccountId, BTreeSet<SourceType>>) {
    for (region, waiting) in &slice.round.owed {
        let mut left = *waiting;
        // Part of it is noted already, with reasons of its own.
        for (reason, count) in run.untried(region) {
            let noted = count.min(left);
            slice.round.totals.waits(reason, noted);
            left -= noted;
        }
        if left > 0 {
            let reason = run.lane(region, |lane| lane.closed()).unwrap_or(CopyDeferred::InLine);
            slice.round.totals.waits(reason, left);
            run.note_untried(region, reason, left, None);
        }
    }
    run.tell_untried();
    let ran = Ran {
        id: &slice.round.id,
        duration_ms: slice.round.took_ms,
        calls: slice.round.calls,
        policies: &run.setup.policies,
        silent_after_hours: run.setup.silent_after_hours,
        unheard,
        unserved: &run.setup.unserved,
    };
    summary(&slice.round.totals, ran, run.world.now()).iter().for_each(|record| run.world.say(record));
}

/// Decides at a round's end on sources that are older than their retention.
pub(crate) async fn close<W: World>(run: &Run<'_, W>, sweeper: &RefCell<Sweeper>, slice: &Slice) {
    if !slice.is_done() {
        return;
    }
    let sweeper = sweeper.take();
    if let Err(error) = sweeper.close(run).await {
        run.ledger_failed(0, &error);
    }
}
