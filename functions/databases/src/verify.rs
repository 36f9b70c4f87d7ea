//! Judges what was copied: each run over both kinds at the same time.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use lambda_runtime::LambdaEvent;
use serde_json::{Value, json};
use snapferry_aws::clients::Clients;
use snapferry_aws::deadline::Deadline;
use snapferry_aws::rds::{DatabaseVault, RdsClients};
use snapferry_aws::settings;
use snapferry_aws::verifying::{Cause, Judge, gather};
use snapferry_core::ids::{AccountId, Region};
use snapferry_core::rds::Kind;
use snapferry_runtime::Failure;

use crate::of_kind::{OfKind, ledger};

/// The function, and what it keeps from one run to the next.
pub(crate) struct Verifier {
    clients: Clients,
    regions: BTreeSet<Region>,
    kinds: Vec<(Kind, RdsClients, Judge)>,
}

impl Verifier {
    /// As the environment has it.
    pub(crate) fn of_environment() -> anyhow::Result<Self> {
        let policies = settings::policies()?.policies;
        let regions = settings::regions(&policies)?;
        let clients = Clients::of_function(regions.clone())?;
        let judge = |kind| -> anyhow::Result<_> {
            let of = OfKind::new(kind, &policies, &clients, regions.clone())?;
            Ok((kind, of.rds, Judge::new(of.policies, ledger(kind, &clients)?, of.audit)))
        };
        let kinds = Kind::ALL.into_iter().map(judge).collect::<Result<_, _>>()?;
        Ok(Self { clients, regions, kinds })
    }

    /// Handles one input, whatever it is. What could not be done is in the audit, and the next run does it: there is
    /// nothing that a repetition of this one would do better.
    pub(crate) async fn handle(&self, event: LambdaEvent<Value>) -> Result<Value, Failure> {
        let cause = Cause::Schedule(event.payload.get("run").and_then(Value::as_str));
        let account = AccountId::of_arn(&event.context.invoked_function_arn);
        let deadline = Deadline::from_epoch_ms(event.context.deadline);
        join_all(self.kinds.iter().map(async |(kind, rds, judge)| {
            let vault = DatabaseVault { clients: &self.clients, rds, kind: *kind };
            let (mut run, calls) = (judge.begin(cause, deadline), rds.calls());
            let mut facts = gather(&vault, &judge.keys, &self.regions, account.clone(), deadline).await;
            run.saw(&self.regions, &facts);
            run.settle(&vault, &mut facts).await;
            run.complete(rds.calls() - calls);
        }))
        .await;
        Ok(json!({}))
    }
}
