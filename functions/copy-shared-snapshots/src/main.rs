//! Lambda function: copies shared snapshots. Wiring only; the work is in `handler`.

mod handler;
mod input;

use anyhow::Context as _;
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;
use snapferry_aws::{clients, logging, settings};

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    logging::start();
    match run().await {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}

async fn run() -> anyhow::Result<()> {
    let parsed = settings::policies()?;
    let since = settings::sweep_since()?;
    let home = settings::home_region()?;
    let regions = parsed.policies.iter().flat_map(|policy| &policy.targets).map(|target| target.region.clone());
    let clients = clients::Clients::new(clients::lambda_config(&home)?, home, regions);
    let copier = handler::Copier::new(clients, parsed.policies, since);
    copier.warn(&parsed.warnings);
    let handle = service_fn(async |event: LambdaEvent<Value>| copier.handle(event).await);
    lambda_runtime::run(handle).await.map_err(anyhow::Error::from_boxed).context("the Lambda runtime API failed")
}
