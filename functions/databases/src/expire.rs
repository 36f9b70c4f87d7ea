//! Deletes copies whose time is over: each run over both kinds at the same time, with a limit of its own for each.

use futures_util::future::join_all;
use lambda_runtime::LambdaEvent;
use serde_json::{Value, json};
use snapferry_aws::clients::Clients;
use snapferry_aws::deadline::Deadline;
use snapferry_aws::expiring::Expirer;
use snapferry_aws::rds::{DatabaseVault, RdsClients};
use snapferry_aws::settings;
use snapferry_core::ids::AccountId;
use snapferry_core::rds::Kind;
use snapferry_runtime::Failure;

use crate::of_kind::OfKind;

/// The function, and what it keeps from one run to the next.
pub(crate) struct Expirers {
    clients: Clients,
    kinds: Vec<(Kind, RdsClients, Expirer)>,
}

impl Expirers {
    /// As the environment has it.
    pub(crate) fn of_environment() -> anyhow::Result<Self> {
        let policies = settings::policies()?.policies;
        let regions = settings::regions(&policies)?;
        let (limits, clients) = (settings::limits()?, Clients::of_function(regions.clone())?);
        let expirer = |kind| -> anyhow::Result<_> {
            let of = OfKind::new(kind, &policies, &clients, regions.clone())?;
            Ok((kind, of.rds, Expirer::new(of.policies, regions.clone(), limits, of.audit)))
        };
        let kinds = Kind::ALL.into_iter().map(expirer).collect::<Result<_, _>>()?;
        Ok(Self { clients, kinds })
    }

    /// Handles one input, whatever it is.
    pub(crate) async fn handle(&self, event: LambdaEvent<Value>) -> Result<Value, Failure> {
        let run = event.payload.get("run").and_then(Value::as_str);
        let account = AccountId::of_arn(&event.context.invoked_function_arn);
        let deadline = Deadline::from_epoch_ms(event.context.deadline);
        join_all(self.kinds.iter().map(async |(kind, rds, expirer)| {
            let vault = DatabaseVault { clients: &self.clients, rds, kind: *kind };
            expirer.run(&vault, account.clone(), run, deadline).await;
        }))
        .await;
        Ok(json!({}))
    }
}
