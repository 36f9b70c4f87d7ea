//! The copier over the model: the handler's four steps, with core's own decisions and state machines.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use snapferry_core::copying::{
    Decision, Deferral, Facts, Memory, Outcome, Plan, Scope, Subject, Tally, UsableKeys, Verdict, decide, record,
};
use snapferry_core::event::{self, Message, ShareEvent};
use snapferry_core::facts::{KeyFact, RecentCopy};
use snapferry_core::ids::{AccountId, KeyArn, Region, SnapshotId};
use snapferry_core::policy::{Encryption, Policy, PolicyState};

use crate::clock::{MINUTE, Ms, SECOND, timestamp};
use crate::ec2::Ec2;
use crate::execute::{Execution, execute};
use crate::laws::Line;
use crate::policies::{ACCOUNT, REGIONS, policies, wishes};

/// As the template sets it.
pub(crate) const FUNCTION_TIMEOUT: Ms = 5 * MINUTE;
/// What a copier may do wrong with core's decisions and state machines. The laws have to catch each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mistake {
    /// It remembers nothing of what it has just asked for.
    ForgetsAll,
    /// It does not note a request whose answer was lost.
    ForgetsLostAnswers,
    /// It forgets a copy once EC2 has shown it.
    ForgetsSeen,
    /// It compares the holds with the time of the decision, not with that at which reading began.
    HoldsFromDecision,
    /// It asks again at once when an answer is lost.
    RetriesBlindly,
    /// It goes on asking a Region that said stop.
    NeverCloses,
    /// It says at every sweep what is to be said once a day.
    RepeatsNotices,
    /// It takes every description.
    CopiesUnasked,
    /// No sweep ever comes.
    NeverSweeps,
    /// Copies stand in line as they come.
    TakesNoTurns,
}

/// The function, and what it keeps from one invocation to the next.
#[derive(Debug)]
pub(crate) struct Copier {
    policies: Vec<Policy>,
    since: Ms,
    mistake: Option<Mistake>,
    memory: Memory,
    keys: UsableKeys,
    /// The copies that EC2 has shown, for [`Mistake::ForgetsSeen`].
    seen: BTreeSet<SnapshotId>,
}

/// How an invocation ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// At that time, and its messages are deleted.
    Well(Ms),
    /// It was killed, with all that it remembered.
    Killed,
}

impl Copier {
    pub(crate) fn new(mistake: Option<Mistake>, since: Ms) -> Self {
        let mut policies = policies();
        if mistake == Some(Mistake::CopiesUnasked) {
            let any = policies[1].description.clone();
            policies.iter_mut().for_each(|policy| policy.description = any.clone());
        }
        Self { policies, since, mistake, memory: Memory::default(), keys: UsableKeys::default(), seen: BTreeSet::new() }
    }

    /// The environment is gone: the next invocation starts in a new one.
    pub(crate) fn restart(&mut self, ec2: &mut Ec2) {
        (self.memory, self.keys) = (Memory::default(), UsableKeys::default());
        ec2.laws.forget_notices();
    }

    fn makes(&self, mistake: Mistake) -> bool {
        self.mistake == Some(mistake)
    }

    /// One invocation, killed right after its `kill`th CopySnapshot was sent, if it gets that far.
    pub(crate) fn invoke(&mut self, ec2: &mut Ec2, bodies: &[String], began: Ms, kill: Option<u32>) -> Ended {
        let (sweep, named) = sort(bodies, ec2);
        if !sweep && named.is_empty() {
            return Ended::Well(began + SECOND / 20);
        }
        ec2.is_asked_anew();
        let (facts, read) = self.gather(ec2, sweep, named, began);
        let decides = if self.makes(Mistake::HoldsFromDecision) { read } else { began };
        let mut plan = decide(&self.policies, &facts, timestamp(decides));
        if self.makes(Mistake::TakesNoTurns) {
            plan.decisions.sort_by_key(|decision| copies(decision).map(|request| request.source.start_time));
        }
        let Execution { outcomes, ended, killed } =
            execute(ec2, &plan.decisions, read, began + FUNCTION_TIMEOUT, kill, self.mistake);
        for (decision, outcome, at) in &outcomes {
            let is_lost = matches!(outcome, Outcome::Deferred(Deferral::AnswerLost(_)));
            if !(is_lost && self.makes(Mistake::ForgetsLostAnswers)) {
                self.memory.note(&plan.decisions[*decision], outcome, timestamp(*at));
            }
        }
        if killed {
            self.restart(ec2);
            return Ended::Killed;
        }
        self.judge(ec2, &facts, plan, &outcomes, ended);
        Ended::Well(ended)
    }

    fn gather(&mut self, ec2: &mut Ec2, sweep: bool, named: Vec<ShareEvent>, began: Ms) -> (Facts, Ms) {
        let (recent, noticed) = self.recall(began);
        let ids: Vec<SnapshotId> = named.iter().map(|event| event.snapshot.clone()).collect();
        let slow = ec2.weather.slow_reads;
        let most = if ec2.weather.happens(&mut ec2.rng.fork(), began, slow) { 40 * SECOND } else { SECOND };
        // The reads go out together, and any of them may be the slow one.
        let mut times: Vec<Ms> = (0..5).map(|_| began + ec2.rng.i64(0..most)).collect();
        times.sort_unstable();
        let (mut order, home) = ([0, 1, 2, 3, 4], Region::parse(REGIONS[0]).unwrap());
        ec2.rng.shuffle(&mut order);
        let mut facts = Facts {
            account: AccountId::parse(ACCOUNT).ok(),
            home,
            scope: if sweep { Scope::Sweep { since: Some(timestamp(self.since)) } } else { Scope::Events },
            named,
            snapshots: Ok(Vec::new()),
            regions: BTreeMap::new(),
            retired_policies: Default::default(),
            keys: BTreeMap::new(),
            recent,
            noticed,
        };
        for (what, at) in order.into_iter().zip(times) {
            match what {
                region @ 0..=2 => {
                    let copies = ec2.copies(at, region, (!sweep).then_some(&ids));
                    facts.regions.insert(Region::parse(REGIONS[region]).unwrap(), copies);
                }
                3 => facts.keys = self.look_at_keys(ec2, at),
                _ => facts.snapshots = self.snapshots(ec2, at, sweep, &ids),
            }
        }
        let shown = facts.regions.values().flatten().flat_map(|found| &found.copies);
        self.seen.extend(shown.map(|copy| copy.id.clone()));
        (facts, began + most)
    }

    /// What the memory holds, but for what this copier forgets by mistake.
    fn recall(&mut self, now: Ms) -> (Vec<RecentCopy>, HashSet<String>) {
        let (mut recent, mut noticed) = self.memory.recall(timestamp(now));
        match self.mistake {
            Some(Mistake::ForgetsAll) => recent.clear(),
            Some(Mistake::ForgetsSeen) => {
                recent.retain(|recent| recent.copy.as_ref().is_none_or(|copy| !self.seen.contains(copy)))
            }
            Some(Mistake::RepeatsNotices) => noticed.clear(),
            _ => {}
        }
        (recent, noticed)
    }

    fn snapshots(
        &self,
        ec2: &mut Ec2,
        at: Ms,
        sweep: bool,
        ids: &[SnapshotId],
    ) -> Result<Vec<snapferry_core::facts::SourceSnapshot>, snapferry_core::facts::CallError> {
        if !sweep {
            return ec2.named(at, ids);
        }
        let enabled = self.policies.iter().filter(|policy| policy.state == PolicyState::Enabled);
        let owners: Vec<&AccountId> = enabled.flat_map(|policy| &policy.owners).collect();
        let mut found = ec2.shared_by(at, &owners)?;
        let is_new = |id: &&SnapshotId| found.binary_search_by(|seen| seen.id.cmp(id)).is_err();
        let others: Vec<SnapshotId> = ids.iter().filter(is_new).cloned().collect();
        found.extend(ec2.named(at, &others)?);
        Ok(found)
    }

    fn look_at_keys(&mut self, ec2: &mut Ec2, at: Ms) -> BTreeMap<KeyArn, KeyFact> {
        let mut facts = BTreeMap::new();
        for target in self.policies.iter().flat_map(|policy| &policy.targets) {
            let Encryption::Key(key) = &target.encryption else { continue };
            let known = self.keys.contains(key.as_str(), timestamp(at));
            let fact = if known { KeyFact::Usable } else { ec2.key(at, key) };
            if !known {
                self.keys.note(key.as_str(), &fact, timestamp(at));
            }
            facts.insert(key.clone(), fact);
        }
        facts
    }

    /// Checks what the invocation reports of itself: every decision has a record, a sweep's counts add up, and nobody
    /// was passed over.
    fn judge(&self, ec2: &mut Ec2, facts: &Facts, plan: Plan<'_>, outcomes: &[(usize, Outcome, Ms)], at: Ms) {
        if outcomes.len() != plan.decisions.len() {
            ec2.laws.breach("count", at, "a decision without an outcome");
        }
        let Plan { decisions, mut tally } = plan;
        let mut lines: [Line<'_>; 3] = Default::default();
        for (decision, outcome, at) in outcomes {
            let decision = &decisions[*decision];
            tally.add(decision, outcome);
            if let (Some(notice), false) = (decision.notice(), is_named(facts, decision)) {
                ec2.laws.told(notice, *at);
            }
            // Most wait behind a closed Region; a record for each of them would take longer than all else.
            if !matches!(outcome, Outcome::Deferred(Deferral::RegionClosed(_))) || ec2.rng.u32(0..50) == 0 {
                ec2.laws.count(record(decision, outcome, &facts.home, timestamp(*at)).reason.name());
            }
            if let Some(request) = copies(decision) {
                let region = REGIONS.iter().position(|region| *region == request.target.region.as_str()).unwrap();
                lines[region].note(request.source.owner.as_str(), outcome);
            }
        }
        let Scope::Sweep { .. } = facts.scope else {
            lines.iter().enumerate().for_each(|(region, line)| ec2.laws.served(region, line));
            return;
        };
        ec2.laws.count("sweeps");
        lines.iter().enumerate().for_each(|(region, line)| ec2.laws.swept(region, at, line));
        if facts.snapshots.is_ok() && !self.makes(Mistake::CopiesUnasked) {
            self.adds_up(ec2, facts, &tally, at);
        }
    }

    fn adds_up(&self, ec2: &mut Ec2, facts: &Facts, tally: &Tally, at: Ms) {
        let since = timestamp(self.since);
        let wanted = facts.snapshots.iter().flatten().filter(|seen| {
            let named = facts.named.iter().any(|event| event.snapshot == seen.id);
            (named || seen.start_time >= since) && seen.state == snapferry_core::facts::State::Completed
        });
        let wanted: usize = wanted.map(|seen| wishes(seen.owner.as_str(), &seen.description).len()).sum();
        let total = tally.total();
        let told = total.protected + total.unprotected();
        if u64::try_from(wanted) != Ok(told) {
            ec2.laws.breach(
                "count",
                at,
                &format!("{wanted} identities are wanted, the sweep tells of {told}: {tally:?}"),
            );
        }
    }
}

/// The input's messages: whether one is a tick, and the share events, one for each snapshot.
fn sort(bodies: &[String], ec2: &mut Ec2) -> (bool, Vec<ShareEvent>) {
    let (mut sweep, mut named) = (false, Vec::<ShareEvent>::new());
    for body in bodies {
        match event::parse(body) {
            Ok(Message::Sweep { .. }) => sweep = true,
            Ok(Message::Share(share)) if named.iter().all(|known| known.snapshot != share.snapshot) => {
                named.push(share)
            }
            Ok(Message::Share(_)) => ec2.laws.count("event-twice-in-a-batch"),
            Ok(Message::Other(_)) => ec2.laws.count("event-of-another-kind"),
            Err(_) => ec2.laws.count("event-that-is-garbage"),
        }
    }
    (sweep, named)
}

fn is_named(facts: &Facts, decision: &Decision<'_>) -> bool {
    let Subject::Seen(source) = decision.subject else { return false };
    facts.named.iter().any(|event| event.snapshot == source.id)
}

pub(crate) fn copies<'d, 'f>(decision: &'d Decision<'f>) -> Option<&'d snapferry_core::copying::CopyRequest<'f>> {
    if let Verdict::Copy(request) = &decision.verdict { Some(request) } else { None }
}
