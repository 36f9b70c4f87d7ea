//! Lambda function: deletes copies whose time is over. Wiring only; the work is in `handler`.

mod handler;

use anyhow::Context as _;
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;
use snapferry_aws::{clients, logging, settings};
use snapferry_core::expiring::Limits;

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
    let policies = settings::policies()?.policies;
    let regions = settings::regions(&policies)?;
    let limits =
        Limits { max_deletes: settings::max_deletes_per_run()?, allow_mass_expiry: settings::allow_mass_expiry()? };
    let home = settings::home_region()?;
    let clients = clients::Clients::new(clients::lambda_config(&home)?, home, regions.clone());
    let expirer = handler::Expirer::new(clients, policies, regions, limits);
    let handle = service_fn(async |event: LambdaEvent<Value>| expirer.handle(event).await);
    lambda_runtime::run(handle).await.map_err(anyhow::Error::from_boxed).context("the Lambda runtime API failed")
}
