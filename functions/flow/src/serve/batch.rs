//! One batch: one look at its sources and copies, and a judgement of each.

use std::collections::BTreeMap;

use futures_util::future::{join, join3};
use jiff::Timestamp;
use snapferry_core::audit::{CopyDeferred, Reason};
use snapferry_core::copying::{
    CopyRequest, Decision, Deferral, Outcome, Refusal, Skip, Subject, Verdict, judge, not_for,
};
use snapferry_core::facts::{CallError, Copies, KeyFact, SourceSnapshot};
use snapferry_core::ids::{KeyArn, Region, SnapshotId};
use snapferry_core::ledger::Obligation;

use super::Counts;
use crate::ask::{Asked, Wish, ask};
use crate::run::Run;
use crate::settle::{copies_of, found};
use crate::wish::{self, unwanted};
use crate::{World, ends, line};

/// What a batch's judgements stand on.
struct Look {
    /// When the reading began.
    began: Timestamp,
    sources: BTreeMap<SnapshotId, SourceSnapshot>,
    copies: Copies,
    keys: BTreeMap<KeyArn, KeyFact>,
}

/// Serves a batch in its order; tells whether the Region could be read.
pub(super) async fn serve<W: World>(
    run: &Run<'_, W>,
    region: &Region,
    batch: &[Obligation],
    counts: &mut Counts,
) -> bool {
    let look = match look(run, region, batch).await {
        Ok(look) => look,
        Err(deferral) => {
            run.tell_region(region, deferral, batch.len());
            return false;
        }
    };
    for obligation in batch {
        match one(run, &look, obligation).await {
            Ok(None) => {}
            Ok(Some(reason)) => *counts.entry(reason).or_default() += 1,
            Err(error) => run.ledger_failed(1, &error),
        }
    }
    true
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
    let sources = sources.into_iter().map(|source| (source.id.clone(), source)).collect();
    Ok(Look { began, sources, copies: copies.map_err(Deferral::of_region)?, keys })
}

/// Judges one and does what follows. Gives the reason where it is only counted.
async fn one<W: World>(
    run: &Run<'_, W>,
    look: &Look,
    obligation: &Obligation,
) -> Result<Option<CopyDeferred>, CallError> {
    let source = look.sources.get(&obligation.identity.source);
    if let Some(reason) = unwanted(run.setup, obligation, source) {
        ends::withdraw(run, obligation, reason).await?;
        return Ok(None);
    }
    let Some(source) = source else {
        // A sweep tells whether it is gone for good. Until then it has pauses, so that others have their turn.
        delay(run, obligation).await?;
        return Ok(Some(CopyDeferred::NotVisibleYet));
    };
    let request = match wish::request(run.setup, &obligation.identity, source) {
        Ok(request) => request,
        Err(reason) => return ends::withdraw(run, obligation, reason).await.map(|()| None),
    };
    let decision = judged(run, look, obligation, request);
    match &decision.verdict {
        Verdict::Copy(_) => Ok(copy(run, &decision, request, obligation).await),
        Verdict::Skip(Skip::NotCompleted) => {
            delay(run, obligation).await?;
            Ok(Some(CopyDeferred::InLine))
        }
        Verdict::Skip(Skip::AlreadyCopied(_) | Skip::Duplicate(_)) => {
            if let Verdict::Skip(Skip::Duplicate(_)) = &decision.verdict {
                run.tell_once(&decision);
            }
            if let Some(after) = found(obligation, &look.copies, run.world.now()) {
                run.world.write(&after).await?;
            }
            Ok(None)
        }
        Verdict::Skip(_) => Ok(None),
        Verdict::Defer(deferral) => Ok(Some(deferral.reason())),
        Verdict::Refuse(refusal) => refuse(run, &decision, refusal, obligation).await,
    }
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
) -> Option<CopyDeferred> {
    let wish = Wish { decision, request, stored: Some(obligation), before: obligation };
    match ask(run, &wish, line::tried(run, obligation)).await {
        Asked::NotTried(Outcome::Deferred(deferral)) => Some(deferral.reason()),
        Asked::NotTried(_) | Asked::Told | Asked::Anothers | Asked::LedgerFailed => None,
    }
}

/// What nothing but a repair helps is delayed. It counts as a try, and for its account as a refusal by EC2 would.
async fn refuse<W: World>(
    run: &Run<'_, W>,
    decision: &Decision<'_>,
    refusal: &Refusal<'_>,
    obligation: &Obligation,
) -> Result<Option<CopyDeferred>, CallError> {
    let (region, account) = (&obligation.identity.region, &obligation.account);
    let left = run.world.left();
    if let Some(Outcome::Deferred(deferral)) = run.lane(region, |lane| lane.without_asking(account, left)) {
        return Ok(Some(deferral.reason()));
    }
    run.tell_once(decision);
    if let Refusal::Key(..) = refusal {
        run.lane(region, |lane| lane.refused(account, Reason::from(refusal.reason())));
    }
    let (delayed, ()) = join(delay(run, obligation), line::tried(run, obligation)).await;
    delayed?;
    Ok(None)
}

async fn delay<W: World>(run: &Run<'_, W>, obligation: &Obligation) -> Result<(), CallError> {
    match obligation.refused(run.world.now()) {
        Some(delayed) => run.world.write(&delayed).await.map(|_| ()),
        None => Ok(()),
    }
}
