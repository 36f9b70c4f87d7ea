//! From the facts to the decisions, in the order in which they are carried out.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;

use super::index::RegionIndex;
use super::waiting::Waiting;
use super::{
    CopyRequest, Decision, Deferral, Facts, Outcome, Plan, Refusal, Scope, Skip, Stands, Subject, Tally, Verdict, judge,
};
use crate::facts::{CallError, SourceSnapshot, State};
use crate::ids::{PolicyName, Region};
use crate::order::{Place, Served, fair};
use crate::policy::{Policy, PolicyState};

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
    decider.plan.tally.remember(policies, facts);
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
            // An event's look sees only some of the copies.
            if let (Ok(copies), Scope::Sweep { .. }) = (found, self.facts.scope) {
                for endangered in copies.endangered() {
                    self.tell(Decision::of_region(region, Verdict::Refuse(Refusal::KeyOfCopies(endangered))));
                }
            }
        }
    }

    /// Puts the copies of each Region in fair order behind the other decisions.
    fn line_up(&mut self) {
        for (region, waiting) in std::mem::take(&mut self.waiting) {
            let mut served = Served::default();
            if let Some(Ok(index)) = self.regions.get(region) {
                for copy in &index.facts.copies {
                    if let (Some(account), Some(lineage)) = (&copy.origin.account, &copy.lineage) {
                        served.note(account, lineage, copy.start_time);
                    }
                }
            }
            let ordered = fair(waiting, &served, |Waiting(request, _)| Place {
                account: &request.source.owner,
                lineage: &request.source.volume,
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
