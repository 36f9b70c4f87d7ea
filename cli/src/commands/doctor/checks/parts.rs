//! What is said of the parts of a stack.

use crate::commands::doctor::check::Check;
use crate::commands::doctor::facts::{Part, Stack};

/// The remedy for what is not as the template makes it.
pub(super) const DEPLOY: &str = "Somebody changed what the stack had made: deploy it again.";

/// What does not happen without a part.
pub(super) fn what_stops(part: Part) -> &'static str {
    match part {
        Part::SweepTimer => "what events miss is never copied",
        Part::ServeTimer => "what stands in line waits for the next event or sweep",
        Part::CopySharedSnapshots => "nothing is copied",
        Part::VerifyTimer | Part::VerifyCopies => "no copy is verified or locked",
        Part::ProveTimer | Part::ProveCopies | Part::ProveCopiesRole => "no copy's content is proven",
        _ => "no copy expires",
    }
}

/// CloudFormation User Guide, "Stack resource status codes".
pub(super) fn resource(stack: &Stack, part: Part) -> Check {
    let (kind, name) = part.of_template();
    let check = "stack-resource";
    match stack.part(part) {
        None => Check::fail(check, name, format!("the stack has no such {kind}"))
            .remedy("This is no stack of Snapferry's, or it was changed: deploy the template again."),
        Some(found) => match found.status.as_str() {
            "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "IMPORT_COMPLETE" => Check::pass(check, name, "in place"),
            status if status.ends_with("_IN_PROGRESS") => {
                Check::unknown(check, name, status.to_string()).remedy("Repeat when the deployment has ended.")
            }
            status => Check::fail(check, name, status.to_string()).remedy("See the stack's events, and deploy again."),
        },
    }
}
