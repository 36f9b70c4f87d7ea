//! One batch: one look at its sources and copies, and a judgement of each.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::{join, join3};
use jiff::Timestamp;
use snapferry_core::audit::{CopyDeferred, Reason};
use snapferry_core::copying::{
    CopyRequest, Decision, Deferral, Lane, Outcome, RESERVE, Refusal, Skip, Subject, Verdict, judge, not_for,
};
use snapferry_core::facts::{CallError, Copies, KeyFact, SourceSnapshot};
use snapferry_core::ids::{AccountId, KeyArn, Region, SnapshotId};
use snapferry_core::ledger::{Identity, Obligation};
use snapferry_core::verifying::STALLED_AFTER;

use crate::ask::{Asked, Wish, ask};
use crate::run::Run;
use crate::settle::{copies_of, found};
use crate::wish::{self, unwanted};
use crate::{World, ends, line};

/// How much of the invocation has to be left for another batch: its reads, and the end of the last request.
pub(super) const FOR_A_BATCH: Duration = RESERVE.saturating_mul(2);

/// What a batch's judgements stand on.
struct Look {
    /// When the reading began.
    began: Timestamp,
    sources: BTreeMap<SnapshotId, SourceSnapshot>,
    copies: Copies,
    keys: BTreeMap<KeyArn, KeyFact>,
}

/// How an obligation fared.
enum Fared {
    /// All that is to be said of it is said.
    Told,
    /// It is only counted.
    Counted(CopyDeferred, Option<CallError>),
}

/// So many of an account that EC2 does not show are enough for one invocation: each costs a call.
const UNSEEN: u32 = 3;

/// Serves a batch in its order until so much of the invocation is left, and gives the accounts of which EC2 did not show several snapshots.
///
/// # Errors
/// Why nothing can be said of the batch.
pub(super) async fn serve<W: World>(
    run: &Run<'_, W>,
    region: &Region,
    batch: &[Obligation],
    until: Duration,
) -> Result<BTreeSet<AccountId>, Deferral> {
    let look = look(run, region, batch).await?;
    let mut unseen: BTreeMap<&AccountId, u32> = BTreeMap::new();
    for (at, obligation) in batch.iter().enumerate() {
        // One is served in any case. What is put back keeps its place.
        if at > 0 && run.world.left() <= until {
            run.put_back(batch.get(at..).unwrap_or_default());
            break;
        }
        if !look.sources.contains_key(&obligation.identity.source) {
            *unseen.entry(&obligation.account).or_default() += 1;
        }
        match one(run, &look, obligation).await {
            Ok(Fared::Told) => {}
            Ok(Fared::Counted(reason, error)) => run.note_untried(region, reason, 1, error),
            Err(error) => run.ledger_failed(1, &error),
        }
    }
    Ok(unseen.into_iter().filter(|(_, times)| *times >= UNSEEN).map(|(account, _)| account.clone()).collect())
}

async fn look<W: World>(run: &Run<'_, W>, region: &Region, batch: &[Obligation]) -> Result<Look, Deferral> {
    let mut ids: Vec<SnapshotId> = batch.iter().map(|obligation| obligation.identity.source.clone()).collect();
    ids.sort_unstable();
    ids.dedup();
    // Before anything is read: a hold that ends while a slow read is under way still holds for what that read saw.
    let began = run.world.now();
    let (sources, copies, keys) = join3(run.world.sources(&ids), run.world.copies_of(region, &ids), run.keys()).await;
    let sources = sources.map_err(|error| {
        run.home_failed(&error);
        Deferral::SourcesUnread(error)
    })?;
    let sources = sources.snapshots.into_iter().map(|source| (source.id.clone(), source)).collect();
    Ok(Look { began, sources, copies: copies.map_err(Deferral::of_region)?, keys })
}

/// Judges one and does what follows. Without a request, too, its account had its turn with it.
async fn one<W: World>(run: &Run<'_, W>, look: &Look, obligation: &Obligation) -> Result<Fared, CallError> {
    let had_its_turn = line::tried(run, obligation);
    let source = look.sources.get(&obligation.identity.source);
    let request = match (unwanted(run.setup, obligation, source), source) {
        (Some(reason), _) => Err(reason),
        (None, Some(source)) => wish::request(run.setup, &obligation.identity, source),
        (None, None) => {
            // A sweep tells whether it is gone for good. Until then it has pauses, so that others have their turn.
            let put_off = obligation.put_off(run.world.now());
            join(delay(run, put_off), had_its_turn).await.0?;
            return Ok(Fared::Counted(CopyDeferred::NotVisibleYet, None));
        }
    };
    let request = match request {
        Ok(request) => request,
        // What has a copy after all is no more withdrawn than missed.
        Err(reason) => {
            match found(obligation, &look.copies, run.world.now()) {
                Some(after) => drop(join(run.world.write(&after), had_its_turn).await.0?),
                None => drop(join(ends::withdraw(run, obligation, reason), had_its_turn).await.0?),
            }
            return Ok(Fared::Told);
        }
    };
    let decision = judged(run, look, obligation, request);
    let waits = matches!(decision.verdict, Verdict::Copy(_))
        && (run.is_busy(obligation) || has_another_ahead(run, look, &request).await?);
    match &decision.verdict {
        Verdict::Copy(_) if waits => {
            run.note_busy(obligation);
            had_its_turn.await;
            Ok(Fared::Counted(CopyDeferred::InLine, None))
        }
        Verdict::Copy(_) => Ok(copy(run, &decision, request, obligation).await),
        Verdict::Refuse(refusal) => refuse(run, &decision, refusal, obligation).await,
        Verdict::Skip(skip) => join(leave(run, look, &decision, skip, obligation), had_its_turn).await.0,
        Verdict::Defer(deferral) => {
            // Of a key, say: what holds for one holds for the others.
            note_refused(run, obligation, deferral.reason().into());
            had_its_turn.await;
            Ok(counted(deferral))
        }
    }
}

/// Whether another copy of its instance comes before it. One that does not end holds up nothing any more once it counts as stalled,
/// which is told: what is shared may go before that copy does. RDS may not date a copy that it makes, and the ledger does. One of which
/// the ledger says nothing, or no longer, holds up nothing after a day of its source: to copy beside it costs an increment at worst.
async fn has_another_ahead<W: World>(
    run: &Run<'_, W>,
    look: &Look,
    request: &CopyRequest<'_>,
) -> Result<bool, CallError> {
    let is_over_a_day = |since: Timestamp| look.began.duration_since(since) > STALLED_AFTER;
    for copy in request.copies_ahead(&look.copies.copies) {
        // No copy counts as younger than it is.
        if !is_over_a_day(copy.start_time) {
            return Ok(true);
        }
        let (policy, source) = (copy.origin.policy.clone(), copy.source.clone());
        let identity = Identity { policy, source, region: request.target.region.clone() };
        let stored = run.world.obligation(&identity).await?;
        let is_young = |obligation: &Obligation| match obligation.copying_since(&copy.id) {
            Some(since) => !is_over_a_day(since),
            None => !obligation.has_ended(),
        };
        if stored.is_some_and(|item| is_young(&item.obligation)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What needs no request, or may not have one yet.
async fn leave<W: World>(
    run: &Run<'_, W>,
    look: &Look,
    decision: &Decision<'_>,
    skip: &Skip<'_>,
    obligation: &Obligation,
) -> Result<Fared, CallError> {
    match skip {
        Skip::NotCompleted => {
            delay(run, obligation.put_off(run.world.now())).await?;
            return Ok(Fared::Counted(CopyDeferred::InLine, None));
        }
        Skip::Duplicate(_) => run.tell_once(decision),
        _ => {}
    }
    if let Some(after) = found(obligation, &look.copies, run.world.now()) {
        run.world.write(&after).await?;
    }
    Ok(Fared::Told)
}

fn judged<'f, W: World>(
    run: &'f Run<'_, W>,
    look: &'f Look,
    obligation: &'f Obligation,
    request: CopyRequest<'f>,
) -> Decision<'f> {
    let policy = run.setup.policies.iter().find(|policy| policy.name == *request.policy);
    let (verdict, stands) = match policy.and_then(|policy| not_for(policy, request.source)) {
        Some(skip) => (Verdict::Skip(skip), None),
        None => {
            let copies = copies_of(&obligation.identity, &look.copies);
            let (verdict, stands) = judge(request, copies, Some(obligation), &look.keys, look.began);
            (verdict, Some(stands))
        }
    };
    let (policy, region) = (Some(request.policy), Some(&request.target.region));
    Decision { policy, subject: Subject::Seen(request.source), region, verdict, stands }
}

async fn copy<W: World>(
    run: &Run<'_, W>,
    decision: &Decision<'_>,
    request: CopyRequest<'_>,
    obligation: &Obligation,
) -> Fared {
    let wish = Wish { decision, request, stored: Some(obligation), before: obligation };
    let asked = ask(run, &wish, line::tried(run, obligation)).await;
    // Whatever became of it: its copy may be under way.
    if asked == Asked::Told && request.has_turns() {
        run.note_busy(obligation);
    }
    match asked {
        Asked::NotTried(Outcome::Deferred(deferral)) => counted(&deferral),
        Asked::NotTried(_) | Asked::Told | Asked::Anothers | Asked::LedgerFailed => Fared::Told,
    }
}

/// What nothing but a repair helps is delayed. It counts as a try, and for its account as a refusal by EC2 would.
async fn refuse<W: World>(
    run: &Run<'_, W>,
    decision: &Decision<'_>,
    refusal: &Refusal<'_>,
    obligation: &Obligation,
) -> Result<Fared, CallError> {
    let (identity, left) = (&obligation.identity, run.world.left());
    let without_asking = |lane: &mut Lane| lane.without_asking(&identity.policy, &obligation.account, left);
    if let Some(Outcome::Deferred(deferral)) = run.lane(&identity.region, without_asking) {
        return Ok(counted(&deferral));
    }
    run.tell_once(decision);
    if let Refusal::Key(..) = refusal {
        note_refused(run, obligation, refusal.reason().into());
    }
    let refused = obligation.refused(run.world.now());
    join(delay(run, refused), line::tried(run, obligation)).await.0?;
    Ok(Fared::Told)
}

/// For the lane, as an answer of EC2's would be.
fn note_refused<W: World>(run: &Run<'_, W>, obligation: &Obligation, reason: Reason) {
    let identity = &obligation.identity;
    run.lane(&identity.region, |lane| lane.refused(&identity.policy, &obligation.account, reason));
}

fn counted(deferral: &Deferral) -> Fared {
    Fared::Counted(deferral.reason(), deferral.error().cloned())
}

async fn delay<W: World>(run: &Run<'_, W>, delayed: Option<Obligation>) -> Result<(), CallError> {
    match delayed {
        Some(delayed) => run.world.write(&delayed).await.map(|_| ()),
        None => Ok(()),
    }
}
