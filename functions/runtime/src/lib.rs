//! The `main` of the three Lambda functions.

use std::process::ExitCode;

use anyhow::Context as _;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;
use snapferry_aws::logging;

/// Starts logging, makes the function once for this environment, and lets it handle one input after the other.
///
/// The function is stopped, with the reason on standard error, when `make` finds its environment wrong or Lambda's
/// runtime API fails.
pub fn main<Handler>(make: impl FnOnce() -> anyhow::Result<Handler>) -> ExitCode
where
    Handler: AsyncFn(LambdaEvent<Value>) -> Result<Value, Error>,
{
    logging::start();
    match run(make) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run<Handler>(make: impl FnOnce() -> anyhow::Result<Handler>) -> anyhow::Result<()>
where
    Handler: AsyncFn(LambdaEvent<Value>) -> Result<Value, Error>,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no async runtime")?;
    runtime.block_on(async {
        let handler = make()?;
        let handle = service_fn(async |event: LambdaEvent<Value>| handler(event).await);
        lambda_runtime::run(handle).await.map_err(anyhow::Error::from_boxed).context("the Lambda runtime API failed")
    })
}
