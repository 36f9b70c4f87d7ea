//! The stack's own status (CloudFormation User Guide, "Stack status codes").

use super::repair::command;
use crate::commands::doctor::check::Check;
use crate::commands::doctor::facts::{Part, Stack};

/// What CloudFormation says of the stack, and whether its parts are worth looking at: of a stack that was never made, or is being
/// deleted, each would only be missing once more.
pub(super) fn check(stack: &Stack) -> (Check, bool) {
    let (check, name) = ("stack", &stack.name);
    let fail = |message: &str, remedy: String| Check::fail(check, name, message).remedy(remedy);
    let of_stack =
        |operation: &str| command(stack, &format!("cloudformation {operation}"), format_args!("--stack-name {name}"));
    let events = of_stack("describe-stack-events");
    let Some(status) = stack.status.as_deref() else {
        let error = stack.parameters.as_ref().and_then(|parameters| parameters.as_ref().err());
        let unread = error.map(|error| Check::unread(check, name, error));
        return (unread.unwrap_or_else(|| Check::unknown(check, name, "CloudFormation gives no status")), true);
    };
    let is_looked_at = !matches!(
        status,
        "CREATE_FAILED"
            | "ROLLBACK_COMPLETE"
            | "ROLLBACK_FAILED"
            | "REVIEW_IN_PROGRESS"
            | "CREATE_IN_PROGRESS"
            | "ROLLBACK_IN_PROGRESS"
            | "DELETE_IN_PROGRESS"
            | "DELETE_COMPLETE"
            | "DELETE_FAILED"
    );
    let found = match status {
        "CREATE_FAILED" | "ROLLBACK_COMPLETE" | "ROLLBACK_FAILED" => fail(
            &format!("{status}: its first creation failed, so nothing of it runs"),
            format!(
                "{events} says why. Then delete it, {}, and deploy it again. README.md, \"A first creation that \
                 failed\", says what it leaves.",
                of_stack("delete-stack")
            ),
        ),
        "REVIEW_IN_PROGRESS" => fail(
            &format!("{status}: nobody confirmed its change set, so nothing of it was made"),
            format!("Deploy it again and confirm the changes; or take it away, {}.", of_stack("delete-stack")),
        ),
        "DELETE_IN_PROGRESS" => fail(
            &format!("{status}: somebody deletes it"),
            "Its copies stay, and are neither verified nor expired: deploy it again when it is gone, if it was not meant to go \
             (RUNBOOK.md, \"Uninstall\")."
                .to_owned(),
        ),
        "DELETE_COMPLETE" => fail(
            &format!("{status}: it was deleted"),
            "Deploy it again, or give --stack the name of the one that runs.".to_owned(),
        ),
        "DELETE_FAILED" => fail(
            &format!("{status}: somebody deleted it, and a part of it stays"),
            format!(
                "{events} says which and why. Repair that and delete it again, {}; then deploy it again, if it was not meant \
                 to go.",
                of_stack("delete-stack")
            ),
        ),
        "UPDATE_ROLLBACK_FAILED" => fail(
            &format!("{status}: its last change failed and could not be taken back, so it is half of the one and half of the other"),
            format!("{events} says why. Repair that, and {}; then deploy again.", of_stack("continue-update-rollback")),
        ),
        "UPDATE_FAILED" => fail(
            &format!("{status}: its last change failed half way"),
            format!("{events} says why. Take it back, {}, or deploy again.", of_stack("rollback-stack")),
        ),
        _ if status.ends_with("_FAILED") => {
            fail(&format!("{status}: its last change failed"), format!("{events} says why. Repair that, and deploy again."))
        }
        _ if status.ends_with("_IN_PROGRESS") => Check::unknown(check, name, format!("{status}: a change is under way"))
            .remedy("Repeat when it has ended."),
        "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "IMPORT_COMPLETE" | "UPDATE_ROLLBACK_COMPLETE"
        | "IMPORT_ROLLBACK_COMPLETE"
            if !has_parts(stack) =>
        {
            return (
                fail(
                    "it has none of the template's parts, so it is no stack of Snapferry's",
                    "Correct --stack or --region.".to_owned(),
                ),
                false,
            );
        }
        "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "IMPORT_COMPLETE" => {
            Check::pass(check, name, format!("{status}, {} resources", stack.resources.len()))
        }
        "UPDATE_ROLLBACK_COMPLETE" | "IMPORT_ROLLBACK_COMPLETE" => Check::pass(
            check,
            name,
            format!(
                "{status}: its last change failed and was taken back, so it is as before; {} resources",
                stack.resources.len()
            ),
        ),
        _ => Check::unknown(check, name, format!("{status} is no status that this version knows"))
            .remedy(format!("See {events}.")),
    };
    (found, is_looked_at)
}

fn has_parts(stack: &Stack) -> bool {
    Part::ALL.into_iter().any(|part| stack.part(part).is_some())
}
