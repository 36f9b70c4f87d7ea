//! One invocation: its input sorted, the copier's steps over AWS, and the answer.

use std::cell::OnceCell;

use jiff::Timestamp;
use lambda_runtime::{Context, LambdaEvent};
use serde_json::{Value, json};
use snapferry_aws::audit::Audit;
use snapferry_aws::clients::Clients;
use snapferry_aws::deadline::Deadline;
use snapferry_aws::keys::KeyCache;
use snapferry_aws::ledger::Table;
use snapferry_aws::world::Aws;
use snapferry_core::facts::CallError;
use snapferry_core::ids::{AccountId, PolicyName};
use snapferry_core::policy::{Policy, SourceType, Warning, of_databases, of_kind};
use snapferry_flow::{Handled, Kept, Setup, handle};
use snapferry_runtime::Failure;

use crate::input::{Input, sort};

/// What a sweep holds of each part that it reads, of which four are read at a time: tests/scale holds that to 128 MiB.
const RECORDS: usize = 45_000;

/// The function, and what it keeps from one invocation to the next.
pub(crate) struct Copier {
    clients: Clients,
    ledger: Table,
    policies: Vec<Policy>,
    unserved: Vec<PolicyName>,
    since: Option<Timestamp>,
    silent_after_hours: u32,
    audit: Audit,
    keys: KeyCache,
    kept: Kept,
    /// Made at the first invocation, which names the account.
    setup: OnceCell<Setup>,
}

impl Copier {
    pub(crate) fn new(
        clients: Clients,
        ledger: Table,
        policies: Vec<Policy>,
        since: Option<Timestamp>,
        silent_after_hours: u32,
        audit: Audit,
        has_databases: bool,
    ) -> Self {
        let unserved = if has_databases { Vec::new() } else { of_databases(&policies) };
        let policies = of_kind(&policies, SourceType::EbsSnapshot);
        let (keys, kept, setup) = (KeyCache::default(), Kept::default(), OnceCell::new());
        Self { clients, ledger, policies, unserved, since, silent_after_hours, audit, keys, kept, setup }
    }

    /// Puts what the policy's reader warned of into the audit, once for each environment.
    pub(crate) fn warn(&self, warnings: &[Warning]) {
        for warning in warnings {
            self.audit.write(&warning.record(Timestamp::now()));
        }
    }

    /// Handles one input.
    ///
    /// The answer to a batch names its share messages, all of them, if the ledger did not take what one of them asks for: they go
    /// back to the queue, because nothing stands for it. Whatever else could not be done stands in the ledger or comes with the next tick; to
    /// put a message back would hold up the whole queue, which has a single message group.
    ///
    /// # Errors
    /// A bare input that cannot be read, or a bare one for which the ledger or the home Region did not answer.
    pub(crate) async fn handle(&self, event: LambdaEvent<Value>) -> Result<Value, Failure> {
        let input = sort(&event.payload);
        for other in &input.others {
            self.audit.write(&other.record(&self.clients.home, Timestamp::now()));
        }
        for invalid in &input.invalid {
            self.audit.write(&invalid.record(input.batch, &self.clients.home, Timestamp::now()));
        }
        let handled = if input.has_work() { self.run(&input, &event.context).await } else { Handled::default() };
        if input.batch {
            let back = if handled.gives_back { input.shares.as_slice() } else { &[] };
            let back: Vec<Value> = back.iter().map(|id| json!({"itemIdentifier": id})).collect();
            return Ok(json!({"batchItemFailures": back}));
        }
        match failure(&input, &handled) {
            Some(failure) => Err(failure),
            None => Ok(json!({})),
        }
    }

    async fn run(&self, input: &Input, context: &Context) -> Handled {
        let world = Aws {
            clients: &self.clients,
            keys: &self.keys,
            ledger: &self.ledger,
            audit: &self.audit,
            policies: &self.policies,
            deadline: Deadline::from_epoch_ms(context.deadline),
        };
        let setup = self.setup.get_or_init(|| Setup {
            policies: self.policies.clone(),
            account: AccountId::of_arn(&context.invoked_function_arn),
            home: self.clients.home.clone(),
            since: self.since,
            records: RECORDS,
            silent_after_hours: self.silent_after_hours,
            retired_policies: self.clients.retired_policies.clone(),
            unserved: self.unserved.clone(),
        });
        // Boxed: the steps are futures in futures, deeper than the compiler lays out at once.
        Box::pin(handle(&world, setup, &self.kept, &input.work)).await
    }
}

/// What a bare input could not be done for.
fn failure(input: &Input, handled: &Handled) -> Option<Failure> {
    let unread = |kind, what: &str, error: &Option<CallError>| {
        let error = error.as_ref()?;
        Some(Failure { kind, message: format!("{what} could not be read: {}: {}", error.code, error.message) })
    };
    let refused = input.invalid.first().map(|invalid| Failure { kind: "InvalidEvent", message: invalid.to_string() });
    refused
        .or_else(|| unread("LedgerUnread", "the ledger", &handled.ledger_unread))
        .or_else(|| unread("SourcesUnread", "the shared snapshots", &handled.home_unread))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_names_that_a_caller_can_tell_them_by() {
        let error = || Some(CallError { code: "Denied".to_owned(), message: "no".to_owned(), request_id: None });
        let ledger = Handled { ledger_unread: error(), ..Handled::default() };
        let home = Handled { home_unread: error(), ..Handled::default() };
        let tick = || sort(&json!({"sweep": "t"}));
        let cases = [
            (sort(&json!("x")), Handled::default(), Some("InvalidEvent")),
            (tick(), ledger, Some("LedgerUnread")),
            (tick(), home, Some("SourcesUnread")),
            (tick(), Handled::default(), None),
        ];
        for (input, handled, expected) in cases {
            let failure = failure(&input, &handled);
            assert_eq!(failure.as_ref().map(|failure| failure.kind), expected);
            let named = failure.map(|failure| lambda_runtime::Diagnostic::from(failure).error_type);
            assert_eq!(named.as_deref(), expected);
        }
    }
}
