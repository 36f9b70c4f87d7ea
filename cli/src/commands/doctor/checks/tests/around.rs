//! What stands around a stack's parts.

use super::*;
use crate::commands::doctor::facts::{Alarm, Document, Retention};

const TOPIC: &str = "arn:aws:sns:us-east-1:222222222222:alarms";

pub(super) fn all_is_well() -> Stack {
    let functions = Part::FUNCTIONS.map(|part| part.of_template().1.to_owned());
    Stack {
        reserved: functions.clone().map(|name| (name, Ok(None))).into(),
        logs: functions.map(|name| (format!("{name}Logs"), Ok(Some(Retention(Some(365)))))).into(),
        documents: Part::FUNCTIONS.map(|part| (part, Document::Text(document("")))).into(),
        topic: Some((TOPIC.to_owned(), Ok(vec![format!("{TOPIC}:1a2b"), "PendingConfirmation".to_owned()]))),
        alarms: Some(Ok([("UnprotectedAlarm".to_owned(), Some(quiet()))].into())),
        ..Stack::default()
    }
}

fn quiet() -> Alarm {
    Alarm { state: "OK".to_owned(), is_on: true, actions: vec![TOPIC.to_owned()] }
}

/// What is found of the stack with a change.
fn with(change: impl FnOnce(&mut Stack)) -> Vec<String> {
    otherwise(|facts| change(facts.stack.as_mut().unwrap().1.as_mut().unwrap()))
}

#[test]
fn a_function_that_may_not_run() {
    for name in ["CopySharedSnapshots", "ProveCopies", "AnotherFunction"] {
        for (found, expected) in [
            (Ok(Some(0)), Some("Fail")),
            (Ok(Some(1)), None),
            (Err(error("AccessDeniedException", "")), Some("Unknown")),
            (Err(error("ResourceNotFoundException", "")), None),
        ] {
            let expected: Vec<_> =
                expected.map(|verdict| format!("{verdict} function-concurrency {name}")).into_iter().collect();
            assert_eq!(with(|stack| drop(stack.reserved.insert(name.to_owned(), found))), expected);
        }
    }
}

#[test]
fn a_function_gets_back_the_concurrency_that_the_stack_reserves() {
    let remedy = |reserved: &str| {
        let mut facts = facts();
        let stack = facts.stack.as_mut().unwrap().1.as_mut().unwrap();
        stack.reserved.insert("CopySharedSnapshots".to_owned(), Ok(Some(0)));
        super::stack::given(stack).insert("ReservedConcurrency".to_owned(), reserved.to_owned());
        let found = checks(&facts, &policies(""));
        let found = found.into_iter().find(|check| check.remedy.is_some() && check.check == "function-concurrency");
        found.unwrap().remedy.unwrap()
    };
    let function = "--region us-east-1 --function-name snapferry-CopySharedSnapshots-1A2B";
    let put = format!("`aws lambda put-function-concurrency {function} --reserved-concurrent-executions 1`");
    assert!(remedy("1").starts_with(&put), "{}", remedy("1"));
    assert!(
        remedy("0").starts_with(&format!("`aws lambda delete-function-concurrency {function}`")),
        "{}",
        remedy("0")
    );
}

#[test]
fn a_function_that_works_by_another_policy() {
    let with = |found: Document| with(|stack| drop(stack.documents.insert(Part::DeleteExpiredCopies, found)));
    let (fail, unknown) =
        (["Fail deployed-policy DeleteExpiredCopies"], ["Unknown deployed-policy DeleteExpiredCopies"]);
    // The same policy in other words.
    assert_eq!(with(Document::Text(document("").replace('\n', " "))), [""; 0]);
    let other = document("").replace("nightly.*", "weekly.*");
    assert_eq!(with(Document::Text(other)), fail);
    assert_eq!(with(Document::Text("{".to_owned())), fail);
    assert_eq!(with(Document::Missing("it has none".to_owned())), fail);
    assert_eq!(with(Document::Elsewhere("it is in its package".to_owned())), unknown);
    assert_eq!(with(Document::Unread(error("AccessDeniedException", ""))), unknown);
}

#[test]
fn which_policies_differ() {
    let named = |names: [&str; 2], description: &str| {
        let policies = names.map(|name| {
            let details = document("").replace("nightly.*", description);
            format!(r#"{{"Policy": {{"PolicyId": "{name}", "State": "ENABLED", "PolicyDetails": {details}}}}}"#)
        });
        format!("[{}]", policies.join(","))
    };
    let (a, b) = ("policy-0000000000000000a", "policy-0000000000000000b");
    let c = "policy-0000000000000000c";
    let given = policy::parse(&named([a, b], "nightly.*")).unwrap().policies;
    for (deployed, told) in [
        (named([b, a], "nightly.*"), "the order differs".to_owned()),
        (named([a, b], "weekly.*"), format!("{a} differs, {b} differs")),
        (named([a, c], "nightly.*"), format!("{b} is not deployed, {c} is only deployed")),
    ] {
        let mut facts = facts();
        let stack = facts.stack.as_mut().unwrap().1.as_mut().unwrap();
        stack.documents = [(Part::VerifyCopies, Document::Text(deployed))].into();
        let found = checks(&facts, &given);
        let check = found.into_iter().find(|check| check.check == "deployed-policy").unwrap();
        assert!(check.message.ends_with(&told), "{check:?}");
    }
}

#[test]
fn an_audit_that_is_not_kept() {
    let name = "VerifyCopiesLogs";
    let with = |found, given: &str| {
        with(|stack| {
            stack.logs.insert(name.to_owned(), found);
            let parameters = stack.parameters.as_mut().unwrap().as_mut().unwrap();
            parameters.insert("LogRetentionDays".to_owned(), given.to_owned());
        })
    };
    let fail = [format!("Fail log-group {name}")];
    assert_eq!(with(Ok(None), "365"), fail);
    assert_eq!(with(Ok(Some(Retention(None))), "365"), fail);
    assert_eq!(with(Ok(Some(Retention(Some(364)))), "365"), fail);
    assert_eq!(with(Ok(Some(Retention(Some(365)))), "365"), [""; 0]);
    assert_eq!(with(Ok(Some(Retention(Some(1)))), ""), [""; 0]);
    assert_eq!(with(Err(error("AccessDeniedException", "")), "365"), [format!("Unknown log-group {name}")]);
}

#[test]
fn alarms_that_tell_nobody() {
    let topic = |found| with(|stack| stack.topic = Some((TOPIC.to_owned(), found)));
    let unknown = [format!("Unknown alarm-topic {TOPIC}")];
    assert_eq!(with(|stack| stack.topic = None), ["Unknown alarm-topic "]);
    for subscriptions in
        [vec![], vec!["PendingConfirmation".to_owned()], vec!["Deleted".to_owned()], vec![String::new()]]
    {
        assert_eq!(topic(Ok(subscriptions)), unknown);
    }
    assert_eq!(topic(Err(error("AuthorizationError", ""))), unknown);
    assert_eq!(topic(Err(error("NotFound", ""))), [format!("Fail alarm-topic {TOPIC}")]);
}

#[test]
fn alarms_that_are_gone_off_or_rung() {
    let with = |found: Option<Alarm>| {
        with(|stack| drop(stack.alarms.as_mut().unwrap().as_mut().unwrap().insert("LateAlarm".to_owned(), found)))
    };
    let fail = ["Fail alarm LateAlarm"];
    assert_eq!(with(Some(quiet())), [""; 0]);
    assert_eq!(with(Some(Alarm { state: "INSUFFICIENT_DATA".to_owned(), ..quiet() })), [""; 0]);
    // What only another alarm looks at.
    assert_eq!(with(Some(Alarm { actions: Vec::new(), ..quiet() })), [""; 0]);
    assert_eq!(with(None), fail);
    assert_eq!(with(Some(Alarm { is_on: false, ..quiet() })), fail);
    assert_eq!(with(Some(Alarm { actions: vec![format!("{TOPIC}-2")], ..quiet() })), fail);
    assert_eq!(with(Some(Alarm { state: "ALARM".to_owned(), ..quiet() })), fail);
}

#[test]
fn alarms_that_cannot_be_seen() {
    let found = with(|stack| stack.alarms = Some(Err(error("AccessDenied", ""))));
    assert_eq!(found, ["Unknown alarm "]);
}
