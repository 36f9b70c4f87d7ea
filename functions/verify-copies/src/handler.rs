//! One run, over all that waits or over what events name: gather, decide, execute, audit.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use lambda_runtime::LambdaEvent;
use serde_json::{Value, json};
use snapferry_aws::audit::Audit;
use snapferry_aws::clients::Clients;
use snapferry_aws::deadline::Deadline;
use snapferry_aws::keys::KeyCache;
use snapferry_aws::ledger::Table;
use snapferry_aws::verifying::{self, Notes, execute, gather, name, unbound, unnamed};
use snapferry_core::audit::{CopyDeferred, Ran, Record, Told};
use snapferry_core::event::CopyEvent;
use snapferry_core::facts::{CallError, DescribedCopy};
use snapferry_core::ids::{AccountId, Region};
use snapferry_core::notices::Notices;
use snapferry_core::policy::Policy;
use snapferry_core::verifying::{
    Decision, Facts, Naming, Outcome, Verdict, completed, decide, ledger_unread, lineage_of, named, namings,
    out_of_time, record,
};
use snapferry_runtime::Failure;

use crate::input::{Cause, Input, by_region, sort};

/// When something was last seen of each Region.
type Seen = BTreeMap<Region, Timestamp>;

/// The function, and what it keeps from one run to the next.
pub(crate) struct Verifier {
    clients: Clients,
    ledger: Table,
    policies: Vec<Policy>,
    regions: BTreeSet<Region>,
    keys: KeyCache,
    notices: RefCell<Notices>,
    /// The verdicts and locks that are in the audit, whether or not their tags are written.
    told: RefCell<Notices>,
    /// When all verified copies of a Region were last seen to have verdicts of their own.
    bound: RefCell<Seen>,
    /// When no copy of a Region was last seen whose description names a volume that its tag does not.
    named: RefCell<Seen>,
    audit: Audit,
}

impl Verifier {
    pub(crate) fn new(
        clients: Clients,
        ledger: Table,
        policies: Vec<Policy>,
        regions: BTreeSet<Region>,
        audit: Audit,
    ) -> Self {
        Self {
            clients,
            ledger,
            policies,
            regions,
            keys: KeyCache::default(),
            notices: RefCell::default(),
            told: RefCell::default(),
            bound: RefCell::default(),
            named: RefCell::default(),
            audit,
        }
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

    /// Looks at the copies that events name, by the rules of a run over all. It ends without a record of its own: that it ran says
    /// nothing of what else waits, and must not pass for a run that the alarms count.
    async fn look_at(&self, account: Option<AccountId>, events: &[CopyEvent], deadline: Deadline) {
        let (cause, told, notes) = (Cause::Events(events), RefCell::default(), Notes::new(&self.ledger));
        let mut facts = verifying::named(&self.clients, &self.keys, &by_region(events), account, deadline).await;
        notes.look(&mut facts, deadline.reading_time()).await;
        self.settle(&facts, &notes, cause, deadline, &told).await;
        self.tell_unread(&notes, cause, &told);
    }

    async fn look_at_all(&self, account: Option<AccountId>, cause: Cause<'_>, deadline: Deadline) {
        let began = (Instant::now(), self.clients.calls());
        let (mut ran, told, notes) = (Ran::default(), RefCell::default(), Notes::new(&self.ledger));
        let mut facts = gather(&self.clients, &self.keys, &self.regions, account.clone(), deadline).await;
        notes.look(&mut facts, deadline.reading_time()).await;
        facts.regions.keys().for_each(|region| ran.saw(region, facts.found(region)));
        ran.doomed_keys.extend(facts.doomed_keys().map(str::to_owned));
        self.settle(&facts, &notes, cause, deadline, &told).await;
        // Afterwards, because these read whole Regions: once a day, as long as the environment stays warm.
        let regions = self.not_seen(&self.bound);
        let mut facts = unbound(&self.clients, &self.keys, &regions, account, deadline).await;
        notes.look(&mut facts, deadline.reading_time()).await;
        regions.iter().for_each(|region| ran.saw(region, facts.found(region)));
        ran.doomed_keys.extend(facts.doomed_keys().map(str::to_owned));
        let unbound = self.settle(&facts, &notes, cause, deadline, &told).await;
        let all_bound = facts.regions.into_keys().filter(|region| !unbound.contains(region));
        self.bound.borrow_mut().extend(all_bound.map(|region| (region, Timestamp::now())));
        if self.policies.iter().any(|policy| policy.description.names_volumes()) {
            self.name(deadline, cause, &mut ran, &told).await;
        }
        self.tell_unread(&notes, cause, &told);
        ran.duration_ms = u64::try_from(began.0.elapsed().as_millis()).unwrap_or(u64::MAX);
        ran.calls = self.clients.calls() - began.1;
        self.write(completed(&told.into_inner(), &ran, Timestamp::now()), cause);
    }

    /// Names the volumes of copies that were made before their policy named any.
    async fn name(&self, deadline: Deadline, cause: Cause<'_>, ran: &mut Ran, told: &RefCell<Told>) {
        let regions = self.not_seen(&self.named);
        let wanted = |copy: &DescribedCopy| lineage_of(&self.policies, &self.clients.homes, copy).is_some();
        let facts = unnamed(&self.clients, &regions, deadline, wanted).await;
        regions.iter().for_each(|region| ran.saw(region, facts.found(region)));
        let report = |naming: &Naming<'_>, written: &Result<(), CallError>| {
            let now = Timestamp::now();
            self.tell(named(naming, written, now), naming.notice(written), cause, told);
        };
        let left = name(&self.clients, &namings(&self.policies, &facts), deadline, report).await;
        self.tell_left(left, cause, told);
        let all_named = facts.regions.into_iter().filter(|(_, found)| found.as_ref().is_ok_and(Vec::is_empty));
        self.named.borrow_mut().extend(all_named.map(|(region, _)| (region, Timestamp::now())));
    }

    /// The Regions of which this was not seen within the last day.
    fn not_seen(&self, seen: &RefCell<Seen>) -> BTreeSet<Region> {
        let (seen, now) = (seen.borrow(), Timestamp::now());
        let is_seen = |region| seen.get(region).is_some_and(|seen| now < *seen + SignedDuration::from_hours(24));
        self.regions.iter().filter(|region| !is_seen(*region)).cloned().collect()
    }

    /// Gives the Regions in which there was something to decide that the next run may have to decide again at once; what waits
    /// for its key, or behind the copy that the ledger names, can wait for the next day's look at all.
    async fn settle(
        &self,
        facts: &Facts,
        notes: &Notes<'_>,
        cause: Cause<'_>,
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
            self.tell(record, decision.notice(outcome), cause, told);
        };
        let left = execute(&self.clients, notes, facts, &decisions, deadline, report).await;
        self.tell_left(left, cause, told);
        let waits =
            |decision: &&Decision<'_>| matches!(decision.verdict, Verdict::KeyDoomed(_) | Verdict::AnotherNamed(_));
        decisions.iter().filter(|decision| !waits(decision)).map(|decision| decision.region.clone()).collect()
    }

    /// Counts a record, and prints it unless its notice was given within the last day.
    fn tell(&self, record: Record, notice: Option<String>, cause: Cause<'_>, told: &RefCell<Told>) {
        told.borrow_mut().add(record.reason, 1);
        if notice.is_none_or(|notice| self.notices.borrow_mut().note(notice, record.time)) {
            self.write(record, cause);
        }
    }

    fn tell_unread(&self, notes: &Notes<'_>, cause: Cause<'_>, told: &RefCell<Told>) {
        if let Some((count, error)) = notes.unread() {
            self.tell(ledger_unread(&error, count, Timestamp::now()), None, cause, told);
        }
    }

    fn tell_left(&self, left: u64, cause: Cause<'_>, told: &RefCell<Told>) {
        if left > 0 {
            told.borrow_mut().add(CopyDeferred::OutOfTime, left);
            self.write(out_of_time(left, Timestamp::now()), cause);
        }
    }

    fn write(&self, record: Record, cause: Cause<'_>) {
        self.audit.write(&cause.of(record));
    }
}
