//! One invocation: gather, decide, execute, audit.

use std::cell::RefCell;
use std::time::Instant;

use jiff::Timestamp;
use lambda_runtime::{Context, LambdaEvent};
use serde_json::{Value, json};
use snapferry_aws::audit::Audit;
use snapferry_aws::clients::Clients;
use snapferry_aws::copying::{Ask, execute, gather};
use snapferry_aws::deadline::Deadline;
use snapferry_aws::keys::KeyCache;
use snapferry_core::copying::{Decision, Memory, Outcome, Ran, Scope, Subject, decide, record, summary};
use snapferry_core::ids::AccountId;
use snapferry_core::policy::{Policy, Warning};

use crate::input::{Work, sort};

/// The function, and what it keeps from one invocation to the next.
pub(crate) struct Copier {
    clients: Clients,
    policies: Vec<Policy>,
    since: Option<Timestamp>,
    keys: KeyCache,
    memory: RefCell<Memory>,
    audit: Audit,
}

impl Copier {
    pub(crate) fn new(clients: Clients, policies: Vec<Policy>, since: Option<Timestamp>, audit: Audit) -> Self {
        Self { clients, policies, since, keys: KeyCache::default(), memory: RefCell::default(), audit }
    }

    /// Puts what the policy's reader warned of into the audit, once for each environment.
    pub(crate) fn warn(&self, warnings: &[Warning]) {
        for warning in warnings {
            self.audit.write(&warning.record(Timestamp::now()));
        }
    }

    /// Handles one input.
    ///
    /// The answer to a batch never names a failed message: what could not be done is deferred to the sweep, in the
    /// audit. To put a message back would hold up the whole queue, which has a single message group.
    ///
    /// # Errors
    /// A bare input that cannot be read, or a bare one for which the home Region did not answer.
    pub(crate) async fn handle(&self, event: LambdaEvent<Value>) -> Result<Value, lambda_runtime::Error> {
        let work = sort(&event.payload);
        for other in &work.others {
            self.audit.write(&other.record(&self.clients.home, Timestamp::now()));
        }
        for invalid in &work.invalid {
            self.audit.write(&invalid.record(work.batch, Timestamp::now()));
        }
        let batch = work.batch;
        let refused = work.invalid.first().map(ToString::to_string);
        let unread =
            if work.ticks.is_empty() && work.shares.is_empty() { None } else { self.look(work, &event.context).await };
        match refused.or(unread) {
            Some(problem) if !batch => Err(problem.into()),
            _ if batch => Ok(json!({"batchItemFailures": []})),
            _ => Ok(json!({})),
        }
    }

    /// Looks at what the work asks for and acts on it; gives the problem when the home Region could not be read.
    async fn look(&self, work: Work, context: &Context) -> Option<String> {
        let began = (Instant::now(), self.clients.calls());
        // Before anything is read: a hold that ends while a slow read is under way still holds for what that read saw.
        let now = Timestamp::now();
        let (recent, noticed) = self.memory.borrow_mut().recall(now);
        let scope = if work.ticks.is_empty() { Scope::Events } else { Scope::Sweep { since: self.since } };
        let named = work.shares.clone();
        let ask = Ask {
            policies: &self.policies,
            account: AccountId::of_arn(&context.invoked_function_arn),
            scope,
            named,
            recent,
            noticed,
        };
        let deadline = Deadline::from_epoch_ms(context.deadline);
        let facts = gather(&self.clients, &self.keys, deadline, ask).await;

        let plan = decide(&self.policies, &facts, now);
        let tally = RefCell::new(plan.tally);
        let report = |decision: &Decision<'_>, outcome: Outcome| {
            let now = Timestamp::now();
            self.memory.borrow_mut().note(decision, &outcome, now);
            tally.borrow_mut().add(decision, &outcome);
            let mut record = record(decision, &outcome, &self.clients.home, now);
            (record.trigger, record.trigger_id) = trigger(&work, &decision.subject);
            self.audit.write(&record);
        };
        execute(&self.clients, &plan.decisions, deadline, report).await;

        if let Err(error) = &facts.snapshots {
            return Some(format!("the shared snapshots could not be read: {}: {}", error.code, error.message));
        }
        if let Some(id) = work.ticks.first() {
            let duration_ms = u64::try_from(began.0.elapsed().as_millis()).unwrap_or(u64::MAX);
            let ran = Ran { id, duration_ms, calls: self.clients.calls() - began.1 };
            summary(&tally.borrow(), ran, Timestamp::now()).iter().for_each(|record| self.audit.write(record));
        }
        None
    }
}

/// An event's snapshot was looked at because of the event, all others because of the sweep.
fn trigger(work: &Work, subject: &Subject<'_>) -> (Option<&'static str>, Option<String>) {
    let snapshot = match subject {
        Subject::Seen(seen) => Some(&seen.id),
        Subject::Named(event) => Some(&event.snapshot),
        Subject::All => None,
    };
    match (work.shares.iter().find(|share| Some(&share.snapshot) == snapshot), work.ticks.first()) {
        (Some(share), _) => (Some("event"), Some(share.id.clone())),
        (None, tick) => (Some("sweep"), tick.cloned()),
    }
}
