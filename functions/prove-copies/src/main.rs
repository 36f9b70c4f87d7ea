//! Lambda function: proves the content of verified copies. Wiring only; the work is in `handler`.

mod handler;

use std::process::ExitCode;

use snapferry_aws::audit::Audit;
use snapferry_aws::clients::Clients;
use snapferry_aws::ledger::Table;
use snapferry_aws::settings;

fn main() -> ExitCode {
    snapferry_runtime::main(|| {
        let policies = settings::policies()?.policies;
        let mut regions = settings::targets(&policies);
        let clients = Clients::of_function(regions.clone())?;
        if !settings::prove_other_regions()? {
            regions.retain(|region| *region == clients.home);
        }
        let ledger = Table::new(clients.config(), settings::ledger()?);
        let prover = handler::Prover::new(clients, ledger, policies, regions, Audit::of_function()?);
        Ok(async move |event| prover.handle(event).await)
    })
}
