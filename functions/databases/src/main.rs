//! Lambda functions for snapshots of databases: one program for those that copy, verify and expire, which differ by their `Handler`
//! and above all by their roles. Each is about DB snapshots and DB cluster snapshots alike. Wiring only.

mod copy;
mod expire;
mod of_kind;
mod verify;

use std::process::ExitCode;

use anyhow::bail;
use lambda_runtime::LambdaEvent;
use serde_json::Value;
use snapferry_aws::settings;
use snapferry_runtime::Failure;

use copy::Copier;
use expire::Expirers;
use verify::Verifier;

/// What this environment of Lambda is to do.
enum Function {
    Copy(Box<Copier>),
    Verify(Verifier),
    Expire(Expirers),
}

impl Function {
    /// By the function's `Handler`, which Lambda gives as `_HANDLER`.
    fn of_environment() -> anyhow::Result<Self> {
        Ok(match settings::handler()?.as_str() {
            "copy" => Self::Copy(Box::new(Copier::of_environment()?)),
            "verify" => Self::Verify(Verifier::of_environment()?),
            "expire" => Self::Expire(Expirers::of_environment()?),
            other => bail!("_HANDLER: copy, verify or expire expected, found {other:?}"),
        })
    }

    async fn handle(&self, event: LambdaEvent<Value>) -> Result<Value, Failure> {
        match self {
            Self::Copy(copier) => copier.handle(event).await,
            Self::Verify(verifier) => verifier.handle(event).await,
            Self::Expire(expirers) => expirers.handle(event).await,
        }
    }
}

fn main() -> ExitCode {
    snapferry_runtime::main(|| {
        let function = Function::of_environment()?;
        Ok(async move |event| function.handle(event).await)
    })
}
