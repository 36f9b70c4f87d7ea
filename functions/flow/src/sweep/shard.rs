//! What follows from one shard: the decisions, what the ledger holds brought up to date, and what becomes owed.

use std::collections::BTreeMap;

use snapferry_core::copying::{Decision, Deferral, Facts, Outcome, Plan, Refusal, Scope, Verdict, decide};
use snapferry_core::facts::CallError;
use snapferry_core::ids::Region;
use snapferry_core::ledger::{Identity, Obligation, Shard};

use super::lineages::Sweeper;
use super::read::Seen;
use super::round::Slice;
use super::{ends, owe};
use crate::World;
use crate::run::Run;

/// Takes in one shard.
///
/// # Errors
/// The ledger's: then the shard is read again, and what was written is not written again.
pub(super) async fn take<W: World>(
    run: &Run<'_, W>,
    sweeper: &mut Sweeper,
    slice: &mut Slice,
    shard: &Shard,
    seen: Seen,
) -> Result<(), CallError> {
    let Seen { began, sources, unread, regions, items } = seen;
    let obligations: BTreeMap<Identity, Obligation> =
        items.iter().map(|item| (item.obligation.identity.clone(), item.obligation.clone())).collect();
    let facts = Facts {
        account: run.setup.account.clone(),
        home: run.setup.home.clone(),
        scope: Scope::Sweep { since: run.setup.since },
        named: Vec::new(),
        snapshots: Ok(sources),
        regions,
        retired_policies: run.setup.retired_policies.clone(),
        keys: run.keys().await,
        obligations,
        noticed: run.noticed(),
    };
    let mut plan = decide(&run.setup.policies, &facts, began);
    if *shard == Shard::all() {
        plan.settle(&facts);
    } else {
        sweeper.set_aside(run, &facts, plan.set_aside());
    }
    ends::settle(run, &slice.round.id, &facts, &unread, &items, began).await?;
    owe::adopt(run, &facts).await?;
    let owed = owe::owe(run, &facts, &plan.decisions, began).await?;
    for (region, count) in owed {
        let so_far = slice.round.owed.entry(region).or_default();
        *so_far = so_far.saturating_add(count);
    }
    tell(run, &mut plan);
    slice.round.totals.add_all(plan.tally);
    Ok(())
}

/// Counts all decisions, and tells those that stand for no copy in line. What is in line is told of when it is tried, and the
/// rest of it with a count.
fn tell<W: World>(run: &Run<'_, W>, plan: &mut Plan<'_>) {
    let mut alike: BTreeMap<(Option<&Region>, &'static str), (&Decision<'_>, u64)> = BTreeMap::new();
    for decision in &plan.decisions {
        let in_line = Outcome::Deferred(Deferral::InLine);
        let outcome = if let Verdict::Copy(_) = decision.verdict { &in_line } else { &Outcome::Stands };
        plan.tally.add(decision, outcome);
        match &decision.verdict {
            Verdict::Copy(_) => {}
            Verdict::Refuse(refusal @ Refusal::Key(..)) => {
                let (_, count) = alike.entry((decision.region, refusal.reason().name())).or_insert((decision, 0));
                *count += 1;
            }
            Verdict::Defer(deferral @ Deferral::KeyUnread(_)) => {
                let (_, count) = alike.entry((decision.region, deferral.reason().name())).or_insert((decision, 0));
                *count += 1;
            }
            _ => run.tell_once(decision),
        }
    }
    for (decision, count) in alike.into_values() {
        run.tell_alike(decision, count);
    }
}
