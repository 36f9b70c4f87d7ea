//! What is said of the parts of a stack.

use super::repair::command;
use crate::commands::doctor::check::Check;
use crate::commands::doctor::facts::{Facts, Part, Stack};

/// Whether an ARN is that of the stack's own queue or function, in its account and Region.
pub(super) fn is_own(facts: &Facts, stack: &Stack, part: Part, arn: &str) -> bool {
    let Some(resource) = stack.part(part) else { return false };
    // A queue's physical ID is its URL, a function's its name.
    let name = resource.physical_id.rsplit('/').next().unwrap_or_default();
    let (service, kind) = if resource.kind == "AWS::SQS::Queue" { ("sqs", "") } else { ("lambda", "function:") };
    let behind = format!(":{service}:{}:{}:{kind}{name}", facts.home, facts.account);
    let partition = arn.strip_prefix("arn:").and_then(|rest| rest.strip_suffix(&behind));
    !name.is_empty() && partition.is_some_and(|partition| !partition.contains(':'))
}

/// What does not happen without a part.
pub(super) fn what_stops(part: Part) -> &'static str {
    match part {
        Part::SweepTimer => "what events miss is never copied",
        Part::ServeTimer => "what stands in line waits for the next event or sweep",
        Part::CopySharedSnapshots => "nothing is copied",
        Part::VerifyTimer | Part::VerifyCopies => "no copy is verified or locked",
        Part::ProveTimer | Part::ProveCopies | Part::ProveCopiesRole => "no copy's content is proven",
        Part::DatabaseSweepTimer | Part::CopySharedDatabases => "no database's snapshot is copied",
        Part::DatabaseServeTimer => "what stands in line of databases waits for the next sweep",
        Part::DatabaseVerifyTimer | Part::VerifyCopiedDatabases => "no copy of a database is verified",
        Part::DatabaseExpiryTimer | Part::DeleteExpiredDatabaseCopies => "no copy of a database expires",
        _ => "no copy expires",
    }
}

/// CloudFormation User Guide, "Stack resource status codes".
pub(super) fn resource(stack: &Stack, part: Part) -> Check {
    let (kind, name) = part.of_template();
    let check = "stack-resource";
    match stack.part(part) {
        None => Check::fail(check, name, format!("the stack has no such {kind}")).remedy(
            "Its template is another than this release's: deploy this release's, or look with the stack's own release.",
        ),
        Some(found) => match found.status.as_str() {
            "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "IMPORT_COMPLETE" => {
                Check::pass(check, name, format!("{}, as CloudFormation has it", found.status))
            }
            status if status.ends_with("_IN_PROGRESS") => {
                Check::unknown(check, name, status.to_string()).remedy("Repeat when the deployment has ended.")
            }
            status => {
                let events = format_args!("--stack-name {}", stack.name);
                let events = command(stack, "cloudformation describe-stack-events", events);
                Check::fail(check, name, status.to_string())
                    .remedy(format!("{events} says why. Repair that, and deploy again."))
            }
        },
    }
}
