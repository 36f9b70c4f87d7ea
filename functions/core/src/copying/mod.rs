//! Which shared snapshots are copied now, and why the others are not.

use std::collections::{BTreeMap, HashSet};

use jiff::{SignedDuration, Timestamp};

use self::index::RegionIndex;
use self::waiting::Waiting;
use crate::event::ShareEvent;
use crate::facts::{CallError, Copies, KeyFact, RecentCopy, SourceSnapshot, State};
use crate::ids::{AccountId, KeyArn, PolicyName, Region};
use crate::order::{Place, Served, fair};
use crate::policy::{Policy, PolicyState};

mod index;
mod judge;
mod lane;
mod memory;
mod outcome;
mod reasons;
mod request;
mod summary;
mod tally;
mod waiting;

pub use judge::{Stands, judge};
pub use lane::{CALL_TIMEOUT, CopyError, CopyFailure, Lane, RESERVE, Step};
pub use memory::{Memory, UsableKeys};
pub use outcome::{Outcome, record};
pub use reasons::{Deferral, MAX_ATTEMPTS, Refusal, Skip};
pub use request::{CopyRequest, DESCRIPTION_LIMIT};
pub use summary::{Ran, summary};
pub use tally::{RegionCounts, Tally};

/// How long a copy with a lost answer is left alone: DescribeSnapshots is eventually consistent, and a copy asked for
/// twice is a duplicate for its whole life, whereas the sweep comes again in minutes.
pub const ANSWER_LOST_HOLD: SignedDuration = SignedDuration::from_secs(30);

/// How long a started copy is believed to exist although DescribeSnapshots does not show it.
pub const STARTED_HOLD: SignedDuration = SignedDuration::from_mins(10);

/// What made the function look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Share events: only the snapshots that they name.
    Events,
    /// A sweep: all that the policies' owners share, started at or after `since`.
    Sweep {
        /// Snapshots started before are ignored unless an event names them (`SNAPFERRY_SWEEP_SINCE`).
        since: Option<Timestamp>,
    },
}

/// All that the decision stands on.
#[derive(Debug)]
pub struct Facts {
    /// This account.
    pub account: Option<AccountId>,
    /// The Region that this function runs in and that the snapshots are shared in.
    pub home: Region,
    /// What made the function look.
    pub scope: Scope,
    /// The share events of this invocation, at most one for each snapshot.
    pub named: Vec<ShareEvent>,
    /// The visible snapshots: those named, and in a sweep all of the policies' owners; each at most once.
    pub snapshots: Result<Vec<SourceSnapshot>, CallError>,
    /// The copies in each target Region of the policies.
    pub regions: BTreeMap<Region, Result<Copies, CallError>>,
    /// What KMS says of each configured key.
    pub keys: BTreeMap<KeyArn, KeyFact>,
    /// What this environment asked for a moment ago.
    pub recent: Vec<RecentCopy>,
    /// Notices given within the last day, by [`Decision::notice`]: not given again.
    pub noticed: HashSet<String>,
}

/// The snapshot that a decision is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject<'f> {
    /// As EC2 describes it.
    Seen(&'f SourceSnapshot),
    /// Known from an event only.
    Named(&'f ShareEvent),
    /// No single snapshot.
    All,
}

/// One decision with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision<'f> {
    /// The policy that it follows from; `None` when it holds for all.
    pub policy: Option<&'f PolicyName>,
    /// The snapshot.
    pub subject: Subject<'f>,
    /// The target Region; `None` when it holds for all.
    pub region: Option<&'f Region>,
    /// What is to be done.
    pub verdict: Verdict<'f>,
    /// How the identity stands before that is done; `None` where the decision is about none, or its copies are not known.
    pub stands: Option<Stands>,
}

/// What is to be done with a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict<'f> {
    /// Ask EC2 for a copy.
    Copy(CopyRequest<'f>),
    /// Nothing.
    Skip(Skip<'f>),
    /// Nothing now.
    Defer(Deferral),
    /// Nothing until somebody repairs something.
    Refuse(Refusal<'f>),
}

impl<'f> Decision<'f> {
    fn of_region(region: &'f Region, verdict: Verdict<'f>) -> Self {
        Self { policy: None, subject: Subject::All, region: Some(region), verdict, stands: None }
    }

    /// For what is said once a day and not at every sweep: a text that names the fact.
    #[must_use]
    pub fn notice(&self) -> Option<String> {
        let (reason, about) = match &self.verdict {
            Verdict::Refuse(refusal @ Refusal::AttemptsExhausted { last, .. }) => {
                (refusal.reason().name(), last.as_str())
            }
            Verdict::Refuse(refusal @ Refusal::MalformedTags(copy)) => (refusal.reason().name(), copy.id.as_str()),
            Verdict::Skip(skip @ Skip::Duplicate(copies)) => (skip.reason().name(), copies.first()?.id.as_str()),
            _ => return None,
        };
        Some(format!("{reason} {} {about}", self.region?))
    }
}

/// The decisions in the order in which they are to be carried out, and the counts of all others.
#[derive(Debug, Default)]
pub struct Plan<'f> {
    /// Within a target Region the copies stand in fair order.
    pub decisions: Vec<Decision<'f>>,
    /// What is counted without a decision. Each of the decisions is added with what became of it.
    pub tally: Tally,
}

impl Plan<'_> {
    /// The counts while nothing is carried out yet: what is to be copied counts as nothing.
    #[must_use]
    pub fn counted(&self) -> Tally {
        let mut tally = self.tally.clone();
        self.decisions.iter().for_each(|decision| tally.add(decision, &Outcome::Stands));
        tally
    }
}

/// Decides for every snapshot, every policy and every target.
///
/// An event's snapshot gets a decision for each policy and target, whatever it is. In a sweep what is well, or none of
/// our business, is only counted: a hundred thousand lines "already copied" every quarter of an hour would bury the
/// one that matters.
///
/// `now` is when the reading of the facts began, not when it ended: a hold that runs out while a page is on its way has
/// not run out for what that page does not show.
#[must_use]
pub fn decide<'f>(policies: &'f [Policy], facts: &'f Facts, now: Timestamp) -> Plan<'f> {
    let mut plan = Plan::default();
    let snapshots = match &facts.snapshots {
        Ok(snapshots) => snapshots,
        Err(error) => {
            plan.decisions = sources_unread(facts, error);
            return plan;
        }
    };
    let named: HashSet<&str> = facts.named.iter().map(|event| event.snapshot.as_str()).collect();
    let seen: HashSet<&str> = if named.is_empty() {
        HashSet::new()
    } else {
        snapshots.iter().map(|snapshot| snapshot.id.as_str()).filter(|id| named.contains(id)).collect()
    };
    for event in facts.named.iter().filter(|event| !seen.contains(event.snapshot.as_str())) {
        let verdict = Verdict::Skip(Skip::NotVisible);
        plan.decisions.push(Decision {
            policy: None,
            subject: Subject::Named(event),
            region: None,
            verdict,
            stands: None,
        });
    }
    plan.tally = Tally::begin(policies, facts);
    let regions = facts.regions.iter().map(|(region, found)| (region, found.as_ref().map(RegionIndex::new)));
    let regions = regions.collect();
    let mut decider = Decider { facts, now, regions, waiting: BTreeMap::new(), unread: BTreeMap::new(), plan };
    for snapshot in snapshots {
        decider.snapshot(policies, snapshot, named.contains(snapshot.id.as_str()));
    }
    decider.notices();
    decider.line_up();
    decider.plan.tally.remember(facts);
    decider.plan
}

fn sources_unread<'f>(facts: &'f Facts, error: &CallError) -> Vec<Decision<'f>> {
    let sweep = matches!(facts.scope, Scope::Sweep { .. }).then_some(Subject::All);
    let subjects = facts.named.iter().map(Subject::Named).chain(sweep);
    let verdict = Verdict::Defer(Deferral::SourcesUnread(error.clone()));
    subjects
        .map(|subject| Decision { policy: None, subject, region: None, verdict: verdict.clone(), stands: None })
        .collect()
}

struct Decider<'f> {
    facts: &'f Facts,
    now: Timestamp,
    regions: BTreeMap<&'f Region, Result<RegionIndex<'f>, &'f CallError>>,
    waiting: BTreeMap<&'f Region, Vec<Waiting<'f>>>,
    /// Regions of which a sweep can say nothing: one decision each, not one for every snapshot.
    unread: BTreeMap<&'f Region, Verdict<'f>>,
    plan: Plan<'f>,
}

impl<'f> Decider<'f> {
    fn snapshot(&mut self, policies: &'f [Policy], snapshot: &'f SourceSnapshot, named: bool) {
        self.plan.tally.heard(policies, snapshot);
        if let Scope::Sweep { since: Some(since) } = self.facts.scope
            && snapshot.start_time < since
            && !named
        {
            self.plan.tally.before_since += 1;
            return;
        }
        self.plan.tally.shared += 1;
        if self.facts.account.as_ref() == Some(&snapshot.owner) {
            self.skip(named, None, snapshot, None, Skip::OwnSnapshot);
            return;
        }
        let mut matching = false;
        for policy in policies {
            if let Some(skip) = not_for(policy, snapshot) {
                self.skip(named, Some(&policy.name), snapshot, None, skip);
                continue;
            }
            matching = true;
            for target in &policy.targets {
                let (name, filter, home) = (&policy.name, &policy.description, &self.facts.home);
                let request = CopyRequest { policy: name, filter, source: snapshot, home, target };
                self.target(request, named);
            }
        }
        self.plan.tally.matching += u64::from(matching);
    }

    fn target(&mut self, request: CopyRequest<'f>, named: bool) {
        let region = &request.target.region;
        let (policy, subject, region) = (Some(request.policy), Subject::Seen(request.source), Some(region));
        let decision = match self.verdict(request) {
            Ok((verdict, stands)) => Decision { policy, subject, region, verdict, stands: Some(stands) },
            Err(deferral) => Decision { policy, subject, region, verdict: Verdict::Defer(deferral), stands: None },
        };
        match decision.verdict {
            Verdict::Copy(_) => {
                self.waiting.entry(&request.target.region).or_default().push(Waiting(request, decision.stands))
            }
            _ if named => self.plan.decisions.push(decision),
            Verdict::Skip(Skip::AlreadyCopied(_)) => self.plan.tally.add(&decision, &Outcome::Stands),
            Verdict::Defer(Deferral::RegionUnread(_)) => {
                self.plan.tally.add(&decision, &Outcome::Stands);
                self.unread.entry(&request.target.region).or_insert(decision.verdict);
            }
            _ => self.tell(decision),
        }
    }

    /// What a sweep says once a day is only counted if it was said within the last one.
    fn tell(&mut self, decision: Decision<'f>) {
        if decision.notice().is_some_and(|notice| self.facts.noticed.contains(&notice)) {
            self.plan.tally.add(&decision, &Outcome::Stands);
        } else {
            self.plan.decisions.push(decision);
        }
    }

    fn verdict(&self, request: CopyRequest<'f>) -> Result<(Verdict<'f>, Stands), Deferral> {
        let Facts { recent, keys, .. } = self.facts;
        match self.regions.get(&request.target.region) {
            Some(Ok(index)) => {
                let copies = index.of(request.policy, request.source.id.as_str());
                Ok(judge(request, copies, recent, keys, self.now))
            }
            Some(Err(error)) => Err(Deferral::RegionUnread((*error).clone())),
            None => Err(Deferral::RegionUnread(CallError::not_read())),
        }
    }

    fn skip(
        &mut self,
        named: bool,
        policy: Option<&'f PolicyName>,
        snapshot: &'f SourceSnapshot,
        region: Option<&'f Region>,
        skip: Skip<'f>,
    ) {
        if named {
            let (subject, verdict) = (Subject::Seen(snapshot), Verdict::Skip(skip));
            self.plan.decisions.push(Decision { policy, subject, region, verdict, stands: None });
        }
    }

    fn notices(&mut self) {
        for (region, verdict) in std::mem::take(&mut self.unread) {
            self.plan.decisions.push(Decision::of_region(region, verdict));
        }
        for (region, found) in &self.facts.regions {
            for copy in found.iter().flat_map(|found| &found.tampered) {
                self.tell(Decision::of_region(region, Verdict::Refuse(Refusal::MalformedTags(copy))));
            }
        }
    }

    /// Puts the copies of each Region in fair order behind the other decisions.
    fn line_up(&mut self) {
        for (region, waiting) in std::mem::take(&mut self.waiting) {
            let mut served = Served::default();
            if let Some(Ok(index)) = self.regions.get(region) {
                for copy in &index.facts.copies {
                    if let (Some(account), Some(volume)) = (&copy.origin.account, &copy.volume) {
                        served.note(account, volume, copy.start_time);
                    }
                }
            }
            let ordered = fair(waiting, &served, |Waiting(request, _)| Place {
                account: &request.source.owner,
                volume: &request.source.volume,
                start_time: request.source.start_time,
            });
            self.plan.decisions.extend(ordered.into_iter().map(|Waiting(request, stands)| Decision {
                policy: Some(request.policy),
                subject: Subject::Seen(request.source),
                region: Some(region),
                verdict: Verdict::Copy(request),
                stands,
            }));
        }
    }
}

/// Why a policy has nothing to do with a snapshot, if it has not.
#[must_use]
pub fn not_for(policy: &Policy, snapshot: &SourceSnapshot) -> Option<Skip<'static>> {
    if policy.state == PolicyState::Disabled {
        Some(Skip::PolicyDisabled)
    } else if !policy.owners.contains(&snapshot.owner) {
        Some(Skip::OwnerNotListed)
    } else if !policy.description.matches(&snapshot.description) {
        Some(Skip::DescriptionMismatch)
    } else if snapshot.state != State::Completed {
        Some(Skip::NotCompleted)
    } else {
        None
    }
}
