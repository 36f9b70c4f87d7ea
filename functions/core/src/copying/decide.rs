//! From the facts to the decisions.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;

use super::index::RegionIndex;
use super::takes::takes;
use super::{
    CopyRequest, Decision, Deferral, Facts, Outcome, Plan, Refusal, Scope, Skip, Stands, Subject, Tally, Verdict, judge,
};
use crate::event::ShareEvent;
use crate::facts::{CallError, SourceKind, SourceSnapshot, State};
use crate::ids::{PolicyName, Region};
use crate::ledger::Obligation;
use crate::policy::{Policy, PolicyState};

/// Decides for every snapshot, every policy and every target.
///
/// An event's snapshot gets a decision for each policy and target, whatever it is. In a sweep what is well, or none of
/// our business, is only counted: a hundred thousand lines "already copied" every quarter of an hour would bury the
/// one that matters.
///
/// What a policy no longer keeps by the time that it would be copied is owed to an event; of what a sweep finds, see
/// [`Plan::candidates`].
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
    let named = named(policies, facts, snapshots, &mut plan);
    plan.tally = Tally::begin(policies, facts);
    let regions = facts.regions.iter().map(|(region, found)| (region, found.as_ref().map(RegionIndex::new)));
    let regions = regions.collect();
    let mut decider = Decider { facts, now, regions, unread: BTreeMap::new(), plan };
    for snapshot in snapshots {
        let is_named = named.contains(snapshot.id.as_str());
        // An event whose claims exclude it names nothing.
        if is_named || facts.scope != Scope::Events {
            decider.snapshot(policies, snapshot, is_named);
        }
    }
    decider.notices();
    decider.plan.tally.remember(policies, facts);
    decider.plan
}

/// The IDs that events name and whose claims do not exclude them. Those of which nothing is to be seen are decided.
fn named<'f>(
    policies: &[Policy],
    facts: &'f Facts,
    snapshots: &'f [SourceSnapshot],
    plan: &mut Plan<'f>,
) -> HashSet<&'f str> {
    let mut named: HashMap<&str, &ShareEvent> = HashMap::new();
    for event in &facts.named {
        match excluded(event, policies, &facts.home) {
            Some(skip) => plan.decisions.push(Decision::of_event(event, Verdict::Skip(skip))),
            None => _ = named.insert(event.snapshot.as_str(), event),
        }
    }
    let ids = named.keys().copied().collect();
    if !named.is_empty() {
        snapshots.iter().for_each(|snapshot| _ = named.remove(snapshot.id.as_str()));
    }
    let unseen = facts.named.iter().filter(|event| named.contains_key(event.snapshot.as_str()));
    plan.decisions.extend(unseen.map(|event| Decision::of_event(event, Verdict::Defer(Deferral::NotVisibleYet))));
    ids
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
            _ if named => self.plan.decisions.push(decision),
            Verdict::Skip(Skip::AlreadyCopied(_) | Skip::JustProtected { .. }) => {
                self.plan.tally.add(&decision, &Outcome::Stands);
            }
            Verdict::Defer(Deferral::RegionUnread(_) | Deferral::RegionNotEnabled(_)) => {
                self.plan.tally.add(&decision, &Outcome::Stands);
                self.unread.entry(&request.target.region).or_insert(decision.verdict);
            }
            ref verdict if verdict.is_of_no_copy() && self.is_over_retention(&request) => {
                self.plan.propose(&request, decision);
            }
            _ => self.tell(decision),
        }
    }

    /// Whether a sweep leaves it, unless it is the newest of a lineage without a copy. What stands in the ledger already does.
    fn is_over_retention(&self, request: &CopyRequest<'_>) -> bool {
        let Scope::Sweep { .. } = self.facts.scope else { return false };
        let stands = || self.obligation(request).is_some_and(|obligation| !obligation.has_ended());
        request.is_over_retention(self.now) && !stands()
    }

    fn obligation(&self, request: &CopyRequest<'_>) -> Option<&'f Obligation> {
        let obligations = &self.facts.obligations;
        if obligations.is_empty() { None } else { obligations.get(&request.identity()) }
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
        match self.regions.get(&request.target.region) {
            Some(Ok(index)) => {
                let copies = index.of(request.policy, request.source.id.as_str());
                Ok(judge(request, copies, self.obligation(&request), &self.facts.keys, self.now))
            }
            Some(Err(error)) => Err(Deferral::of_region((*error).clone())),
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
}

/// Why an event costs no call, if it does not: what it claims may exclude its snapshot, and never include one.
#[must_use]
pub fn excluded<'f>(event: &'f ShareEvent, policies: &[Policy], home: &'f Region) -> Option<Skip<'f>> {
    if let Some(of) = event.region.as_ref().filter(|region| *region != home) {
        return Some(Skip::OtherRegion { of, home });
    }
    let claimed = event.claimed_owner.as_ref()?;
    let mut listing = policies.iter().filter(|policy| policy.owners.contains(claimed)).peekable();
    if listing.peek().is_none() {
        return Some(Skip::OwnerNotListed);
    }
    listing.all(|policy| policy.state == PolicyState::Disabled).then_some(Skip::PolicyDisabled)
}

/// Why a policy has nothing to do with a snapshot, if it has not.
#[must_use]
pub fn not_for(policy: &Policy, snapshot: &SourceSnapshot) -> Option<Skip<'static>> {
    if policy.state == PolicyState::Disabled {
        Some(Skip::PolicyDisabled)
    } else if !policy.owners.contains(&snapshot.owner) {
        Some(Skip::OwnerNotListed)
    } else if !takes(policy, snapshot) {
        Some(match snapshot.kind {
            SourceKind::Volume => Skip::DescriptionMismatch,
            SourceKind::Instance(_) | SourceKind::Cluster(_) => Skip::LeftOut,
        })
    } else if snapshot.state != State::Completed {
        Some(Skip::NotCompleted)
    } else {
        None
    }
}
