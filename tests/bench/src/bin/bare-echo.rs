//! Answers with its input: the least that a function can cost with this runtime.

use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| Ok::<_, lambda_runtime::Error>(event.payload)))
        .await
}
