//! Lambda function: copies shared snapshots. Wiring only; the work is in `handler`.

mod handler;
mod input;

use std::process::ExitCode;

use snapferry_aws::audit::Audit;
use snapferry_aws::clients::Clients;
use snapferry_aws::ledger::Table;
use snapferry_aws::settings;

fn main() -> ExitCode {
    snapferry_runtime::main(|| {
        let parsed = settings::policies()?;
        let clients = Clients::of_function(settings::targets(&parsed.policies))?;
        let ledger = Table::new(clients.config(), settings::ledger()?);
        let (since, audit) = (settings::sweep_since()?, Audit::of_function()?);
        let silent_after = settings::silent_owner_hours()?;
        let copier =
            handler::Copier::new(clients, ledger, parsed.policies, since, silent_after, audit, settings::databases()?);
        copier.warn(&parsed.warnings);
        Ok(async move |event| copier.handle(event).await)
    })
}
