//! What follows from a part of a round: the decisions, what the ledger holds brought up to date, and what becomes owed.

use std::cell::RefCell;
use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use snapferry_core::audit::Record;
use snapferry_core::copying::{Deferral, Facts, Outcome, Plan, Refusal, Scope, Subject, Tally, Verdict, decide, kept};
use snapferry_core::facts::CallError;
use snapferry_core::ids::Region;
use snapferry_core::ledger::Identity;

use super::lineages::Sweeper;
use super::read::Seen;
use super::{ends, owe};
use crate::run::Run;
use crate::{Item, World};

/// Records of which one stands for many, by Region and reason, and for how many.
pub(super) type Alike = BTreeMap<(Option<Region>, &'static str), (Record, u64)>;

/// What a part adds to its round.
#[derive(Default)]
pub(super) struct Taken {
    pub(super) totals: Tally,
    /// By target Region: what waits in line.
    pub(super) owed: BTreeMap<Region, u64>,
    /// What is not told of yet.
    pub(super) alike: Alike,
}

/// Takes in what is shared, and what became of it.
///
/// # Errors
/// The ledger's: then the part is read again, and what was written is not written again.
pub(super) async fn shared<W: World>(
    run: &Run<'_, W>,
    sweeper: &RefCell<Sweeper>,
    round: &str,
    seen: Seen,
) -> Result<Taken, CallError> {
    let Seen { began, unread, is_all, .. } = seen;
    let (mut facts, mut items) = facts(run, seen.sources, seen.regions, seen.items);
    facts.keys = run.keys().await;
    let policies = &run.setup.policies;
    // What the ledger holds of what is over is asked for only where it matters.
    let asked = decide(policies, &facts, began).open().filter(|open| !facts.obligations.contains_key(open)).collect();
    let found = over(run, asked).await?;
    facts.obligations.extend(found.iter().map(by_identity));
    items.extend(found);
    let mut plan = decide(policies, &facts, began);
    if is_all {
        plan.settle(&facts);
    } else {
        let candidates = plan.set_aside();
        let mut sweeper = sweeper.borrow_mut();
        sweeper.keep(plan.kept(&facts));
        sweeper.set_aside(run, &facts, candidates);
    }
    ends::settle(run, round, &facts, &unread, &items, began).await?;
    owe::adopt(run, &facts).await?;
    let owed = owe::owe(run, &facts, &plan.decisions, began).await?;
    let alike = tell(run, &mut plan);
    Ok(Taken { totals: plan.tally, owed, alike })
}

/// Takes in what the ledger holds, where what is shared is read apart from it.
///
/// # Errors
/// As of [`shared`].
pub(super) async fn ledger<W: World>(
    run: &Run<'_, W>,
    sweeper: &RefCell<Sweeper>,
    round: &str,
    seen: Seen,
) -> Result<Taken, CallError> {
    let Seen { began, unread, .. } = seen;
    let (facts, items) = facts(run, seen.sources, seen.regions, seen.items);
    sweeper.borrow_mut().keep(kept(&facts));
    ends::settle(run, round, &facts, &unread, &items, began).await?;
    Ok(Taken::default())
}

fn facts<W: World>(
    run: &Run<'_, W>,
    sources: Vec<snapferry_core::facts::SourceSnapshot>,
    regions: BTreeMap<Region, Result<snapferry_core::facts::Copies, CallError>>,
    items: Vec<Item>,
) -> (Facts, Vec<Item>) {
    let facts = Facts {
        account: run.setup.account.clone(),
        home: run.setup.home.clone(),
        scope: Scope::Sweep { since: run.setup.since },
        named: Vec::new(),
        snapshots: Ok(sources),
        regions,
        retired_policies: run.setup.retired_policies.clone(),
        keys: BTreeMap::new(),
        obligations: items.iter().map(by_identity).collect(),
        noticed: run.noticed(),
    };
    (facts, items)
}

fn by_identity(item: &Item) -> (Identity, snapferry_core::ledger::Obligation) {
    (item.obligation.identity.clone(), item.obligation.clone())
}

/// What the ledger holds of these, if anything.
async fn over<W: World>(run: &Run<'_, W>, identities: Vec<Identity>) -> Result<Vec<Item>, CallError> {
    let reads = stream::iter(identities).map(async |identity| run.world.obligation(&identity).await);
    reads.buffer_unordered(owe::WRITES).try_filter_map(async |item| Ok(item)).try_collect().await
}

/// Counts all decisions, and tells those that stand for no copy in line. What is in line is told of when it is tried, and the
/// rest of it with a count; so is what one reason holds for.
fn tell<W: World>(run: &Run<'_, W>, plan: &mut Plan<'_>) -> Alike {
    let mut alike = Alike::new();
    for decision in &plan.decisions {
        let in_line = Outcome::Deferred(Deferral::InLine);
        let outcome = if let Verdict::Copy(_) = decision.verdict { &in_line } else { &Outcome::Stands };
        plan.tally.add(decision, outcome);
        let reason = match &decision.verdict {
            Verdict::Copy(_) => continue,
            Verdict::Refuse(refusal @ Refusal::Key(..)) => refusal.reason().name(),
            Verdict::Defer(
                deferral @ (Deferral::KeyUnread(_) | Deferral::RegionUnread(_) | Deferral::RegionNotEnabled(_)),
            ) => deferral.reason().name(),
            _ => {
                run.tell_once(decision);
                continue;
            }
        };
        let key = (decision.region.cloned(), reason);
        let (_, count) = alike.entry(key).or_insert_with(|| (run.alike(decision), 0));
        // Of a Region that could not be read each part says so, and nobody knows of how many copies.
        *count = if decision.subject == Subject::All { 1 } else { count.saturating_add(1) };
    }
    alike
}

/// Adds what another part of the same round has to tell.
pub(super) fn add(alike: &mut Alike, other: Alike) {
    for (key, (record, more)) in other {
        let is_of_region = record.source.is_none();
        let (_, count) = alike.entry(key).or_insert((record, 0));
        *count = if is_of_region { 1 } else { count.saturating_add(more) };
    }
}

/// Tells them.
pub(super) fn tell_alike<W: World>(run: &Run<'_, W>, alike: Alike) {
    for (mut record, count) in alike.into_values() {
        if count > 1 {
            (record.count, record.source) = (Some(count), None);
        }
        run.say(record, None);
    }
}
