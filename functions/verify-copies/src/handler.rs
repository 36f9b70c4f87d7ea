//! One run, over all that waits or over what events name: gather, decide, execute, audit.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use lambda_runtime::LambdaEvent;
use serde_json::{Value, json};
use snapferry_aws::clients::Clients;
use snapferry_aws::deadline::Deadline;
use snapferry_aws::verifying::{self, Cause, Judge, Run, gather, name, unbound, unnamed};
use snapferry_core::event::CopyEvent;
use snapferry_core::facts::{CallError, DescribedCopy};
use snapferry_core::ids::{AccountId, Region};
use snapferry_core::verifying::{Naming, lineage_of, named, namings};
use snapferry_runtime::Failure;

use crate::input::{Input, by_region, sort};

/// When something was last seen of each Region.
type Seen = BTreeMap<Region, Timestamp>;

/// The function, and what it keeps from one run to the next.
pub(crate) struct Verifier {
    clients: Clients,
    regions: BTreeSet<Region>,
    judge: Judge,
    /// When all verified copies of a Region were last seen to have verdicts of their own.
    bound: RefCell<Seen>,
    /// When no copy of a Region was last seen whose description names a volume that its tag does not.
    named: RefCell<Seen>,
}

impl Verifier {
    pub(crate) fn new(clients: Clients, regions: BTreeSet<Region>, judge: Judge) -> Self {
        Self { clients, regions, judge, bound: RefCell::default(), named: RefCell::default() }
    }

    /// Handles one input, whatever it is. What could not be done is in the audit, and the next run does it: there is
    /// nothing that a repetition of this one would do better.
    pub(crate) async fn handle(&self, event: LambdaEvent<Value>) -> Result<Value, Failure> {
        let account = AccountId::of_arn(&event.context.invoked_function_arn);
        let deadline = Deadline::from_epoch_ms(event.context.deadline);
        match sort(&event.payload, &self.regions) {
            Input::All(run) => self.look_at_all(account, Cause::Schedule(run.as_deref()), deadline).await,
            Input::Named(events) => self.look_at(account, &events, deadline).await,
        }
        Ok(json!({}))
    }

    /// Looks at the copies that events name, by the rules of a run over all. It ends without a record of its own.
    async fn look_at(&self, account: Option<AccountId>, events: &[CopyEvent], deadline: Deadline) {
        let run = self.judge.begin(Cause::Events(events), deadline);
        let keys = &self.judge.keys;
        let mut facts = verifying::named(&self.clients, keys, &by_region(events), account, deadline).await;
        run.settle(&self.clients, &mut facts).await;
        run.end();
    }

    async fn look_at_all(&self, account: Option<AccountId>, cause: Cause<'_>, deadline: Deadline) {
        let (mut run, calls, keys) = (self.judge.begin(cause, deadline), self.clients.calls(), &self.judge.keys);
        let mut facts = gather(&self.clients, keys, &self.regions, account.clone(), deadline).await;
        run.saw(&self.regions, &facts);
        run.settle(&self.clients, &mut facts).await;
        // Afterwards, because these read whole Regions: once a day, as long as the environment stays warm.
        let regions = self.not_seen(&self.bound);
        let mut facts = unbound(&self.clients, keys, &regions, account, deadline).await;
        run.saw(&regions, &facts);
        let unbound = run.settle(&self.clients, &mut facts).await;
        let all_bound = facts.regions.into_keys().filter(|region| !unbound.contains(region));
        self.bound.borrow_mut().extend(all_bound.map(|region| (region, Timestamp::now())));
        if self.judge.policies.iter().any(|policy| policy.description.names_volumes()) {
            self.name(deadline, &mut run).await;
        }
        run.complete(self.clients.calls() - calls);
    }

    /// Names the volumes of copies that were made before their policy named any.
    async fn name(&self, deadline: Deadline, run: &mut Run<'_>) {
        let (regions, policies) = (self.not_seen(&self.named), &self.judge.policies);
        let wanted = |copy: &DescribedCopy| lineage_of(policies, &self.clients.homes, copy).is_some();
        let facts = unnamed(&self.clients, &regions, deadline, wanted).await;
        run.saw(&regions, &facts);
        let report = |naming: &Naming<'_>, written: &Result<(), CallError>| {
            run.tell(named(naming, written, Timestamp::now()), naming.notice(written));
        };
        let left = name(&self.clients, &namings(policies, &facts), deadline, report).await;
        run.tell_left(left);
        let all_named = facts.regions.into_iter().filter(|(_, found)| found.as_ref().is_ok_and(Vec::is_empty));
        self.named.borrow_mut().extend(all_named.map(|(region, _)| (region, Timestamp::now())));
    }

    /// The Regions of which this was not seen within the last day.
    fn not_seen(&self, seen: &RefCell<Seen>) -> BTreeSet<Region> {
        let (seen, now) = (seen.borrow(), Timestamp::now());
        let is_seen = |region| seen.get(region).is_some_and(|seen| now < *seen + SignedDuration::from_hours(24));
        self.regions.iter().filter(|region| !is_seen(*region)).cloned().collect()
    }
}
