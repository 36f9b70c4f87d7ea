//! Lambda function: deletes copies whose time is over. Wiring only; the work is in `snapferry_aws::expiring`.

use std::process::ExitCode;

use lambda_runtime::LambdaEvent;
use serde_json::{Value, json};
use snapferry_aws::audit::Audit;
use snapferry_aws::clients::Clients;
use snapferry_aws::deadline::Deadline;
use snapferry_aws::expiring::Expirer;
use snapferry_aws::settings;
use snapferry_core::ids::AccountId;

fn main() -> ExitCode {
    snapferry_runtime::main(|| {
        let policies = settings::policies()?.policies;
        let regions = settings::regions(&policies)?;
        let limits = settings::limits()?;
        let clients = Clients::of_function(regions.clone())?;
        let expirer = Expirer::new(policies, regions, limits, Audit::of_function()?);
        Ok(async move |event: LambdaEvent<Value>| {
            let account = AccountId::of_arn(&event.context.invoked_function_arn);
            let run = event.payload.get("run").and_then(Value::as_str);
            expirer.run(&clients, account, run, Deadline::from_epoch_ms(event.context.deadline)).await;
            Ok(json!({}))
        })
    })
}
