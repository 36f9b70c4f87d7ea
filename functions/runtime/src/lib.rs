//! The `main` of the three Lambda functions.

use std::process::ExitCode;

use anyhow::Context as _;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde_json::Value;
use snapferry_aws::logging;

/// An error that an invocation ends with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The name that Lambda puts into `errorType`: what callers and alarms tell errors by.
    pub kind: &'static str,
    /// What happened, for `errorMessage`.
    pub message: String,
}

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        Self { error_type: failure.kind.to_owned(), error_message: failure.message }
    }
}

/// Starts logging, makes the function once for this environment, and lets it handle one input after the other.
///
/// The function is stopped, with the reason on standard error, when `make` finds its environment wrong or Lambda's
/// runtime API fails.
pub fn main<Handler>(make: impl FnOnce() -> anyhow::Result<Handler>) -> ExitCode
where
    Handler: AsyncFn(LambdaEvent<Value>) -> Result<Value, Failure>,
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
    Handler: AsyncFn(LambdaEvent<Value>) -> Result<Value, Failure>,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no async runtime")?;
    runtime.block_on(async {
        let handler = make()?;
        let handle = service_fn(async |event: LambdaEvent<Value>| handler(event).await);
        lambda_runtime::run(handle).await.map_err(anyhow::Error::from_boxed).context("the Lambda runtime API failed")
    })
}
