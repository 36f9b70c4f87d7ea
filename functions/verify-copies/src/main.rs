//! Lambda function: verifies and locks copies. Wiring only; the work is in `handler`.

mod handler;

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
    let policies = settings::policies()?.policies;
    let regions = settings::regions(&policies)?;
    let home = settings::home_region()?;
    let clients = clients::Clients::new(clients::lambda_config(&home)?, home, regions.clone());
    let verifier = handler::Verifier::new(clients, policies, regions);
    let handle = service_fn(async |event: LambdaEvent<Value>| verifier.handle(event).await);
    lambda_runtime::run(handle).await.map_err(anyhow::Error::from_boxed).context("the Lambda runtime API failed")
}
