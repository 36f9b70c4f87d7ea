//! Lambda function: verifies and locks copies. Wiring only; the work is in `handler`.

mod handler;
mod input;

use std::process::ExitCode;

use snapferry_aws::audit::Audit;
use snapferry_aws::clients::Clients;
use snapferry_aws::ledger::Table;
use snapferry_aws::settings;
use snapferry_aws::verifying::Judge;

fn main() -> ExitCode {
    snapferry_runtime::main(|| {
        let policies = settings::policies()?.policies;
        let regions = settings::regions(&policies)?;
        let clients = Clients::of_function(regions.clone())?;
        let ledger = Table::new(clients.config(), settings::ledger()?);
        let judge = Judge::new(policies, ledger, Audit::of_function()?);
        let verifier = handler::Verifier::new(clients, regions, judge);
        Ok(async move |event| verifier.handle(event).await)
    })
}
