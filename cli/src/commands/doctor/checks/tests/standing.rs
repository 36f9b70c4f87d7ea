//! The stack's own status.

use super::stack::stack_otherwise;
use super::*;

/// What is said of a stack of this status, and what else is found.
fn of_status(status: &str) -> (Check, Vec<String>) {
    let mut facts = facts();
    let stack = facts.stack.as_mut().unwrap().1.as_mut().unwrap();
    stack.status = Some(status.to_owned());
    // A part that is missing, so that it shows whether the parts are looked at.
    stack.resources.retain(|resource| resource.logical_id != "SweepTimer");
    let found = checks(&facts, &policies(""));
    let of_stack = found.iter().find(|check| check.check == "stack").unwrap().clone();
    let mut others = findings(&facts, &policies(""));
    others.retain(|finding| !always().contains(finding) && !finding.ends_with(" stack snapferry"));
    (of_stack, others)
}

#[test]
fn a_stack_that_was_not_made_is_said_once_with_its_own_remedy() {
    for (status, remedy) in [
        ("CREATE_FAILED", "`aws cloudformation delete-stack --region us-east-1 --stack-name snapferry`"),
        ("ROLLBACK_COMPLETE", "`aws cloudformation delete-stack --region us-east-1 --stack-name snapferry`"),
        ("ROLLBACK_FAILED", "A first creation that failed"),
        ("REVIEW_IN_PROGRESS", "confirm the changes"),
        ("DELETE_IN_PROGRESS", "deploy it again when it is gone"),
        ("DELETE_COMPLETE", "Deploy it again"),
        ("DELETE_FAILED", "`aws cloudformation describe-stack-events --region us-east-1 --stack-name snapferry`"),
    ] {
        let (check, others) = of_status(status);
        assert_eq!(check.verdict, Verdict::Fail, "{status}");
        assert!(check.message.starts_with(status), "{check:?}");
        assert!(check.remedy.as_ref().unwrap().contains(remedy), "{check:?}");
        assert_eq!(others, [""; 0], "{status}: its parts are not missing besides");
    }
}

#[test]
fn a_stack_that_is_changing_or_half_changed() {
    let missing = ["Fail stack-resource SweepTimer"];
    for (status, verdict, is_looked_at) in [
        ("CREATE_IN_PROGRESS", Verdict::Unknown, false),
        ("ROLLBACK_IN_PROGRESS", Verdict::Unknown, false),
        ("UPDATE_IN_PROGRESS", Verdict::Unknown, true),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", Verdict::Unknown, true),
        ("UPDATE_ROLLBACK_IN_PROGRESS", Verdict::Unknown, true),
        ("UPDATE_FAILED", Verdict::Fail, true),
        ("UPDATE_ROLLBACK_FAILED", Verdict::Fail, true),
        ("IMPORT_ROLLBACK_FAILED", Verdict::Fail, true),
        ("CREATE_COMPLETE", Verdict::Pass, true),
        ("UPDATE_COMPLETE", Verdict::Pass, true),
        ("IMPORT_COMPLETE", Verdict::Pass, true),
        ("UPDATE_ROLLBACK_COMPLETE", Verdict::Pass, true),
        ("IMPORT_ROLLBACK_COMPLETE", Verdict::Pass, true),
        ("SOMETHING_NEW", Verdict::Unknown, true),
        ("", Verdict::Unknown, true),
    ] {
        let (check, others) = of_status(status);
        assert_eq!(check.verdict, verdict, "{status}");
        assert!(check.message.starts_with(status), "{check:?}");
        assert_eq!(others, if is_looked_at { &missing[..] } else { &[] }, "{status}");
    }
}

#[test]
fn a_status_that_may_not_be_read_is_unknown() {
    let refused = stack_otherwise(|stack| {
        stack.status = None;
        stack.parameters = Some(Err(error("AccessDenied", "")));
    });
    assert_eq!(refused, ["Unknown stack snapferry", "Unknown stack-parameter snapferry"]);
}

#[test]
fn a_stack_of_something_else_is_said_once() {
    let other = stack_otherwise(|stack| {
        for resource in &mut stack.resources {
            resource.logical_id.insert_str(0, "Other");
        }
    });
    assert_eq!(other, ["Fail stack snapferry"]);
}
