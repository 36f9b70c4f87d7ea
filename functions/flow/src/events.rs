//! Events: what they name is owed, whatever its age, and asked for at once where nobody waits.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};

use futures_util::future::{join, join_all};
use snapferry_core::copying::{
    CopyRequest, Decision, Deferral, Outcome, Refusal, Skip, Subject, Verdict, decide, excluded,
};
use snapferry_core::event::ShareEvent;
use snapferry_core::facts::{CallError, SourceSnapshot, State as Ec2State};
use snapferry_core::ids::{Region, SnapshotId};
use snapferry_core::ledger::{By, Hint, Identity, Obligation, State};

use crate::ask::{Asked, Wish, ask};
use crate::look::{Look, look};
use crate::run::Run;
use crate::wish::{self, in_place_of};
use crate::{World, hints, line};

/// A snapshot that an event names, now or earlier.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    /// The event; of one that came earlier, what its hint kept of it.
    pub(crate) event: ShareEvent,
    /// The hint that its snapshot is looked for by.
    pub(crate) hint: Option<Hint>,
}

/// The events of one look.
struct Discovery<'a, W> {
    run: &'a Run<'a, W>,
    named: Vec<Named>,
    look: Look,
    /// The snapshots of which a hint is kept, because there is something that no obligation stands for yet.
    open: RefCell<HashSet<SnapshotId>>,
}

/// Discovers what events ask for, and asks for what needs not wait.
pub(crate) async fn discover<W: World>(run: &Run<'_, W>, named: Vec<Named>) {
    let policies = &run.setup.policies;
    let mut seen = HashSet::new();
    let (mut asking, mut events) = (Vec::new(), Vec::new());
    for one in named {
        if !seen.insert(one.event.snapshot.clone()) {
            continue;
        }
        match excluded(&one.event, policies, &run.setup.home) {
            Some(skip) => run.tell(&Decision::of_event(&one.event, Verdict::Skip(skip)), &Outcome::Stands),
            None => {
                events.push(one.event.clone());
                asking.push(one);
            }
        }
    }
    if asking.is_empty() {
        return;
    }
    // Before anything is read: a hold that ends while a slow read is under way still holds for what that read saw.
    let began = run.world.now();
    let look = look(run, events).await;
    if let Err(error) = &look.facts.snapshots {
        run.home_failed(error);
    }
    let discovery = Discovery { run, named: asking, look, open: RefCell::default() };
    let plan = decide(policies, &discovery.look.facts, began);
    discovery.carry_out(&plan.decisions).await;
    discovery.forget_hints().await;
}

impl<'a, W: World> Discovery<'a, W> {
    /// Regions at the same time, within a Region one copy after the other, and besides what asks EC2 nothing.
    async fn carry_out(&self, decisions: &[Decision<'_>]) {
        let mut copies: BTreeMap<&Region, Vec<(&Decision<'_>, &CopyRequest<'_>)>> = BTreeMap::new();
        let mut others = Vec::new();
        for decision in decisions {
            match &decision.verdict {
                Verdict::Copy(request) => {
                    copies.entry(&request.target.region).or_default().push((decision, request));
                }
                _ => others.push(decision),
            }
        }
        let copies = join_all(copies.into_values().map(async |copies| {
            for (decision, request) in copies {
                self.copy(decision, request).await;
            }
        }));
        // What is told of a hint's snapshot depends on whether the hint stays, which the others decide. Hints are many and of one
        // write each.
        let (hinted, mut others): (Vec<_>, Vec<_>) = others.into_iter().partition(|decision| is_hinted(decision));
        others.sort_by_key(|decision| is_plain(decision));
        let others = async {
            join_all(hinted.into_iter().map(|decision| self.leave(decision))).await;
            for decision in others {
                self.leave(decision).await;
            }
        };
        join(copies, others).await;
    }

    /// What is to be copied.
    async fn copy(&self, decision: &Decision<'_>, request: &CopyRequest<'_>) {
        let (run, identity) = (self.run, request.identity());
        let stored = match self.look.stored(&identity) {
            Ok(stored) => stored,
            Err(error) => return self.ledger_failed(decision, None, error),
        };
        let before = self.before(stored, request);
        if run.is_waited_for(&identity.region) || before.asked(run.world.now()).is_none() {
            let closed = run.lane(&identity.region, |lane| lane.closed());
            let deferral = closed.map_or(Deferral::InLine, Deferral::RegionClosed);
            return self.wait(decision, stored, before, &Outcome::Deferred(deferral)).await;
        }
        run.take(&identity);
        let wish = Wish { decision, request: *request, stored, before: &before };
        match ask(run, &wish, std::future::ready(())).await {
            Asked::Told => {}
            Asked::NotTried(outcome) => self.wait(decision, stored, before, &outcome).await,
            Asked::Anothers => run.tell(decision, &Outcome::Deferred(Deferral::InLine)),
            Asked::LedgerFailed => self.keep_open(decision, stored),
        }
    }

    /// What is not to be copied now. What may be copied later is owed; of what nothing can be said yet a hint is kept.
    async fn leave(&self, decision: &Decision<'_>) {
        match (&decision.verdict, decision.subject) {
            (Verdict::Defer(Deferral::NotVisibleYet | Deferral::SourcesUnread(_)), Subject::Named(event)) => {
                self.hint(decision, &event.snapshot).await;
            }
            (Verdict::Skip(Skip::NotCompleted), Subject::Seen(source)) => self.hint(decision, &source.id).await,
            (Verdict::Defer(Deferral::AnswerJustLost(_)), _) => self.run.tell(decision, &Outcome::Stands),
            (Verdict::Defer(_) | Verdict::Refuse(_), Subject::Seen(source)) => self.owe(decision, source).await,
            _ if is_plain(decision) && self.is_looked_for_again(decision) => {}
            _ => self.run.tell(decision, &Outcome::Stands),
        }
    }

    /// Whether a decision comes of a hint that stays: it is told when there is nothing left to look for.
    fn is_looked_for_again(&self, decision: &Decision<'_>) -> bool {
        let Subject::Seen(source) = decision.subject else { return false };
        let is_hinted = |named: &Named| named.hint.is_some() && named.event.snapshot == source.id;
        self.open.borrow().contains(&source.id) && self.named.iter().any(is_hinted)
    }

    /// What waits for a Region, a key or its failed copies.
    async fn owe(&self, decision: &Decision<'_>, source: &SourceSnapshot) {
        let (Some(policy), Some(region)) = (decision.policy, decision.region) else {
            return self.run.tell(decision, &Outcome::Stands);
        };
        let identity = Identity { policy: policy.clone(), source: source.id.clone(), region: region.clone() };
        let stored = match self.look.stored(&identity) {
            Ok(stored) => stored,
            Err(error) => return self.ledger_failed(decision, None, error),
        };
        // Where the copies are not known there may be a good one: what is over is not opened again without a look.
        let is_over = stored.is_some_and(Obligation::has_ended);
        if is_over && matches!(decision.verdict, Verdict::Defer(_)) {
            return self.hint(decision, &source.id).await;
        }
        let Ok(request) = wish::request(self.run.setup, &identity, source) else {
            return self.run.tell(decision, &Outcome::Stands);
        };
        let mut before = self.before(stored, &request);
        if matches!(
            decision.verdict,
            Verdict::Refuse(Refusal::Key(..) | Refusal::Source(..) | Refusal::AttemptsExhausted { .. })
        ) && stored.is_none_or(Obligation::has_ended)
        {
            before = before.refused(self.run.world.now()).unwrap_or(before);
        }
        self.wait(decision, stored, before, &Outcome::Stands).await;
    }

    /// What an event makes of what the ledger holds: owed because of the event, from now on or as before.
    fn before(&self, stored: Option<&Obligation>, request: &CopyRequest<'_>) -> Obligation {
        let now = self.run.world.now();
        let event = self.named.iter().find(|named| named.event.snapshot == request.source.id);
        let wanted = event.map_or(now, |named| named.event.wanted_at(now));
        let Some(stored) = stored else {
            return Obligation::new(request.identity(), request.source, request.volume(), By::Event, wanted);
        };
        let again = stored.wanted_again(By::Event, wanted);
        let failed = || {
            let copy = stored.copy()?;
            let found = self.look.facts.regions.get(&request.target.region)?.as_ref().ok()?;
            let is_dead = found.copies.iter().any(|seen| seen.id == *copy && !seen.is_live());
            if is_dead { stored.failed(copy, now) } else { None }
        };
        let before = again.or_else(failed).unwrap_or_else(|| stored.clone());
        Obligation { by: By::Event, ..before }
    }

    /// Puts what cannot be asked for at once in line, and tells why it has to wait.
    async fn wait(&self, decision: &Decision<'_>, stored: Option<&Obligation>, before: Obligation, outcome: &Outcome) {
        let run = self.run;
        let identity = &before.identity;
        let written = match &before.state {
            // Those are found when their hold ends.
            State::Asked { .. } | State::Copying { .. } | State::Ended { .. } => Ok(()),
            State::Owed | State::Delayed { .. } if stored == Some(&before) => {
                line::keep_turn(run, &identity.region, &before.account).await
            }
            State::Owed | State::Delayed { .. } => line::stand(run, &in_place_of(stored, before)).await.map(|_| ()),
        };
        match written {
            Ok(()) => run.tell(decision, outcome),
            Err(error) => self.ledger_failed(decision, stored, &error),
        }
    }

    /// Keeps a hint of a snapshot of which nothing can be said yet. What an earlier event named is told of once.
    async fn hint(&self, decision: &Decision<'_>, source: &SnapshotId) {
        let is_first = self.open.borrow_mut().insert(source.clone());
        let Some(named) = self.named.iter().find(|named| named.event.snapshot == *source) else { return };
        let Some(hint) = &named.hint else {
            let kept = if is_first { hints::keep(self.run, &named.event).await } else { Ok(()) };
            return match kept {
                Ok(()) => self.run.tell(decision, &Outcome::Stands),
                Err(error) => {
                    self.run.ledger_failed(1, &error);
                    self.run.give_back();
                }
            };
        };
        if !is_first {
            return;
        }
        let is_over = hint.is_over(self.run.world.now());
        match (&decision.verdict, decision.subject) {
            (Verdict::Defer(Deferral::NotVisibleYet), _) if is_over => {
                let gone = Decision::of_event(&named.event, Verdict::Skip(Skip::NotVisible));
                hints::give_up(self.run, hint, &gone).await;
            }
            (Verdict::Skip(Skip::NotCompleted), Subject::Seen(source)) if is_over => match source.state {
                // It never will be.
                Ec2State::Error => hints::give_up(self.run, hint, decision).await,
                _ => hints::follow_on(self.run, hint, decision).await,
            },
            _ => hints::looked(self.run, hint).await,
        }
    }

    fn ledger_failed(&self, decision: &Decision<'_>, stored: Option<&Obligation>, error: &CallError) {
        self.run.ledger_failed(1, error);
        self.keep_open(decision, stored);
    }

    /// The ledger did not take what a decision makes of `stored`. Unless that stands for the event already, its hint stays, or its
    /// message comes again.
    fn keep_open(&self, decision: &Decision<'_>, stored: Option<&Obligation>) {
        let Subject::Seen(source) = decision.subject else { return };
        if stored.is_some_and(|stored| !stored.has_ended() && stored.by == By::Event) {
            return;
        }
        self.open.borrow_mut().insert(source.id.clone());
        if self.named.iter().any(|named| named.event.snapshot == source.id && named.hint.is_none()) {
            self.run.give_back();
        }
    }

    /// Removes the hints of what is owed or needs nothing.
    async fn forget_hints(&self) {
        let hints = self.named.iter().filter_map(|named| named.hint.as_ref());
        let open = self.open.borrow().clone();
        let over = hints.filter(|hint| !open.contains(&hint.source));
        join_all(over.map(|hint| hints::forget(self.run, hint))).await;
    }
}

/// Whether nothing can be said of a decision's snapshot yet.
fn is_hinted(decision: &Decision<'_>) -> bool {
    let is_named = matches!(decision.subject, Subject::Named(_));
    match &decision.verdict {
        Verdict::Defer(deferral) => {
            is_named && matches!(deferral, Deferral::NotVisibleYet | Deferral::SourcesUnread(_))
        }
        Verdict::Skip(skip) => !is_named && *skip == Skip::NotCompleted,
        Verdict::Copy(_) | Verdict::Refuse(_) => false,
    }
}

/// Whether there is nothing to do about a decision but to tell it.
fn is_plain(decision: &Decision<'_>) -> bool {
    matches!(&decision.verdict, Verdict::Skip(skip) if *skip != Skip::NotCompleted)
}
