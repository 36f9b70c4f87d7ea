//! One run: gather, decide, execute, audit.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use lambda_runtime::LambdaEvent;
use serde_json::{Value, json};
use snapferry_aws::audit::Audit;
use snapferry_aws::clients::Clients;
use snapferry_aws::deadline::Deadline;
use snapferry_aws::verifying::{execute, gather, unbound};
use snapferry_core::audit::{CopyDeferred, Ran, Record, Told};
use snapferry_core::ids::{AccountId, Region};
use snapferry_core::notices::Notices;
use snapferry_core::policy::Policy;
use snapferry_core::verifying::{Decision, Facts, Outcome, completed, decide, out_of_time, record};

/// The function, and what it keeps from one run to the next.
pub(crate) struct Verifier {
    clients: Clients,
    policies: Vec<Policy>,
    regions: BTreeSet<Region>,
    notices: RefCell<Notices>,
    /// The verdicts and locks that are in the audit, whether or not their tags are written.
    told: RefCell<Notices>,
    /// When all verified copies of a Region were last seen to have verdicts of their own.
    bound: RefCell<BTreeMap<Region, Timestamp>>,
    audit: Audit,
}

impl Verifier {
    pub(crate) fn new(clients: Clients, policies: Vec<Policy>, regions: BTreeSet<Region>, audit: Audit) -> Self {
        Self {
            clients,
            policies,
            regions,
            notices: RefCell::default(),
            told: RefCell::default(),
            bound: RefCell::default(),
            audit,
        }
    }

    /// Handles one input, whatever it is. What could not be done is in the audit, and the next run does it: there is
    /// nothing that a repetition of this one would do better.
    pub(crate) async fn handle(&self, event: LambdaEvent<Value>) -> Result<Value, lambda_runtime::Error> {
        let account = AccountId::of_arn(&event.context.invoked_function_arn);
        let run = event.payload.get("run").and_then(Value::as_str);
        let began = (Instant::now(), self.clients.calls());
        let (mut ran, told) = (Ran::default(), RefCell::default());
        let deadline = Deadline::from_epoch_ms(event.context.deadline);
        let facts = gather(&self.clients, &self.regions, account.clone(), deadline).await;
        facts.regions.keys().for_each(|region| ran.saw(region, facts.found(region)));
        self.settle(&facts, run, deadline, &told).await;
        // Afterwards, because this reads whole Regions: once a day, as long as the environment stays warm.
        let regions = self.not_seen_bound(Timestamp::now());
        let facts = unbound(&self.clients, &regions, account, deadline).await;
        regions.iter().for_each(|region| ran.saw(region, facts.found(region)));
        let unbound = self.settle(&facts, run, deadline, &told).await;
        let all_bound = facts.regions.into_keys().filter(|region| !unbound.contains(region));
        self.bound.borrow_mut().extend(all_bound.map(|region| (region, Timestamp::now())));
        ran.duration_ms = u64::try_from(began.0.elapsed().as_millis()).unwrap_or(u64::MAX);
        ran.calls = self.clients.calls() - began.1;
        self.write(completed(&told.into_inner(), &ran, Timestamp::now()), run);
        Ok(json!({}))
    }

    /// The Regions in which not all verified copies were seen to have verdicts of their own within the last day.
    fn not_seen_bound(&self, now: Timestamp) -> BTreeSet<Region> {
        let bound = self.bound.borrow();
        let is_bound = |region| bound.get(region).is_some_and(|seen| now < *seen + SignedDuration::from_hours(24));
        self.regions.iter().filter(|region| !is_bound(*region)).cloned().collect()
    }

    /// Gives the Regions in which there was something to decide.
    async fn settle(
        &self,
        facts: &Facts,
        run: Option<&str>,
        deadline: Deadline,
        told: &RefCell<Told>,
    ) -> BTreeSet<Region> {
        let decisions = decide(&self.policies, facts, Timestamp::now());
        self.notices.borrow_mut().forget(Timestamp::now());
        self.told.borrow_mut().forget(Timestamp::now());
        let report = |decision: &Decision<'_>, outcome: &Outcome| {
            let now = Timestamp::now();
            let once = decision.told_once(outcome);
            if once.is_some_and(|fact| !self.told.borrow_mut().renew(fact, now)) {
                return;
            }
            let record = record(decision, outcome, facts.account.as_ref(), now);
            told.borrow_mut().add(record.reason, 1);
            if let Some(notice) = decision.notice(outcome)
                && !self.notices.borrow_mut().note(notice, now)
            {
                return;
            }
            self.write(record, run);
        };
        let left = execute(&self.clients, &decisions, deadline, report).await;
        if left > 0 {
            told.borrow_mut().add(CopyDeferred::OutOfTime, left);
            self.write(out_of_time(left, Timestamp::now()), run);
        }
        decisions.iter().map(|decision| decision.region.clone()).collect()
    }

    fn write(&self, record: Record, run: Option<&str>) {
        self.audit.write(&record.scheduled(run));
    }
}
