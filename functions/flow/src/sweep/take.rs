//! What follows from a part of a round: the decisions, what the ledger holds brought up to date, and what becomes owed.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use snapferry_core::audit::Record;
use snapferry_core::copying::{
    CopiedLineage, Decision, Deferral, Facts, Outcome, Plan, Reading, Refusal, Scope, Subject, Tally, Verdict,
    count_open, decide, is_decided, kept,
};
use snapferry_core::facts::CallError;
use snapferry_core::ids::{AccountId, Region};
use snapferry_core::ledger::{Identity, Obligation};

use super::lineages::Sweeper;
use super::read::Seen;
use super::{ends, owe};
use crate::run::Run;
use crate::{Item, World, wish};

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

/// Takes in what is shared, and what became of it; nothing where the time was over before all was written.
///
/// # Errors
/// The ledger's: then the part is read again, and what was written is not written again.
pub(super) async fn shared<W: World>(
    run: &Run<'_, W>,
    sweeper: &RefCell<Sweeper>,
    round: &str,
    seen: Seen,
) -> Result<Option<Taken>, CallError> {
    let Seen { began, unread, is_all, .. } = seen;
    let (mut facts, mut items) = facts(run, seen.sources, seen.regions, seen.items);
    let of_part = items.len();
    facts.keys = run.keys().await;
    let policies = &run.setup.policies;
    // What the ledger holds of what is over is asked for only where it matters.
    let first = decide(policies, &facts, began);
    let asked = first.open().filter(|open| !facts.obligations.contains_key(open)).collect();
    let candidates: HashSet<Identity> = first.candidates.values().filter_map(Decision::identity).collect();
    let found = over(run, asked).await?;
    // Open and older than its retention: where the ledger is read apart, it is counted there.
    let is_apart = |item: &Item| !item.obligation.has_ended() && candidates.contains(&item.obligation.identity);
    let (apart, found): (Vec<Item>, Vec<Item>) = found.into_iter().partition(is_apart);
    facts.obligations.extend(found.iter().map(by_identity));
    items.extend(found);
    let mut plan = decide(policies, &facts, began);
    let waiting = leave_out(&mut plan, &apart);
    if is_all {
        plan.settle(&facts);
    } else {
        let candidates = plan.set_aside();
        let mut sweeper = sweeper.borrow_mut();
        sweeper.keep(plan.kept(&facts).chain(waiting));
        sweeper.set_aside(run, &facts, candidates);
    }
    let Some(over) = ends::settle(run, round, &facts, &unread, &items, began).await? else { return Ok(None) };
    owe::adopt(run, &facts).await?;
    let Some(owed) = owe::owe(run, &facts, &plan.decisions, began).await? else { return Ok(None) };
    let alike = tell(run, &mut plan);
    let mut taken = Taken { totals: plan.tally, owed, alike };
    let of_part = items.iter().take(of_part).filter(|item| !over.contains(&item.obligation.identity));
    taken.count_open(run, &facts, of_part, Reading::WithLedger, &unread, began);
    taken.totals.unread = unread;
    Ok(Some(taken))
}

/// Takes out the candidates that the ledger holds open, and gives their lineages, unless all was in vain so far.
fn leave_out(plan: &mut Plan<'_>, apart: &[Item]) -> Vec<CopiedLineage> {
    let apart: HashMap<&Identity, &Obligation> =
        apart.iter().map(|item| (&item.obligation.identity, &item.obligation)).collect();
    let mut waiting = Vec::new();
    plan.candidates.retain(|lineage, candidate| {
        let open = candidate.identity().and_then(|identity| apart.get(&identity).copied());
        waiting.extend(open.filter(|open| !open.is_in_vain()).map(|_| lineage.clone()));
        open.is_none()
    });
    waiting
}

impl Taken {
    /// Counts what the ledger holds open and no decision counts.
    fn count_open<'i, W: World>(
        &mut self,
        run: &Run<'_, W>,
        facts: &Facts,
        items: impl Iterator<Item = &'i Item>,
        reading: Reading,
        unread: &BTreeSet<AccountId>,
        began: Timestamp,
    ) {
        let policies = &run.setup.policies;
        let open = items.map(|item| &item.obligation);
        // What is to be withdrawn, and was too much for this invocation, waits for nothing.
        let open = open.filter(|open| wish::unwanted(run.setup, open, None).is_none());
        for open in open.filter(|open| {
            let is_unread = reading == Reading::Apart && unread.contains(&open.account);
            is_unread || !is_decided(policies, facts, open, reading, began)
        }) {
            if count_open(&mut self.totals, policies, facts, unread, open, began) {
                let waiting = self.owed.entry(open.identity.region.clone()).or_default();
                *waiting = waiting.saturating_add(1);
            }
        }
    }
}

/// Takes in what the ledger holds, where what is shared is read apart from it, and all of it but what `unread` share.
///
/// # Errors
/// As of [`shared`].
pub(super) async fn ledger<W: World>(
    run: &Run<'_, W>,
    sweeper: &RefCell<Sweeper>,
    round: &str,
    seen: Seen,
    unread: &BTreeSet<AccountId>,
) -> Result<Option<Taken>, CallError> {
    let began = seen.began;
    let (facts, items) = facts(run, seen.sources, seen.regions, seen.items);
    sweeper.borrow_mut().keep(kept(&facts));
    // Looked up by its ID, what an owner shares is known, also where the walk could not read all of it.
    let Some(over) = ends::settle(run, round, &facts, &BTreeSet::new(), &items, began).await? else {
        return Ok(None);
    };
    let mut taken = Taken::default();
    let items = items.iter().filter(|item| !over.contains(&item.obligation.identity));
    taken.count_open(run, &facts, items, Reading::Apart, unread, began);
    Ok(Some(taken))
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
