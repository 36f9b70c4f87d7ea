//! The stack.

use super::*;

/// A change to a healthy stack.
pub(super) fn stack_otherwise(change: impl FnOnce(&mut Stack)) -> Vec<String> {
    let mut stack = stack();
    change(&mut stack);
    otherwise(|facts| facts.stack = Some(("snapferry".to_owned(), Ok(stack))))
}

#[test]
fn the_stack() {
    assert_eq!(findings(&Facts { stack: None, ..facts() }, &policies("")).last().unwrap(), "Unknown stack ");
    for (code, message, verdict) in [
        ("ValidationError", "Stack [snapferry] does not exist", "Fail"),
        ("AccessDenied", "no identity-based policy allows it", "Unknown"),
    ] {
        let stack = Some(("snapferry".to_owned(), Err(error(code, message))));
        assert_eq!(otherwise(|facts| facts.stack = stack), [format!("{verdict} stack snapferry")]);
    }
    for (index, part) in Part::ALL.into_iter().enumerate() {
        let (_, name) = part.of_template();
        assert_eq!(
            stack_otherwise(|stack| {
                stack.resources.remove(index);
            }),
            [format!("Fail stack-resource {name}")]
        );
        for (status, verdict) in
            [("DELETE_COMPLETE", "Fail"), ("UPDATE_FAILED", "Fail"), ("UPDATE_IN_PROGRESS", "Unknown")]
        {
            let found = stack_otherwise(|stack| stack.resources[index].status = status.to_owned());
            assert_eq!(found, [format!("{verdict} stack-resource {name}")]);
        }
    }
}

pub(super) fn given(stack: &mut Stack) -> &mut BTreeMap<String, String> {
    stack.parameters.as_mut().unwrap().as_mut().unwrap()
}

#[test]
fn a_stack_of_the_cdk_was_told_nothing() {
    let bootstrapped = BTreeMap::from([("BootstrapVersion".to_owned(), "/cdk-bootstrap/version".to_owned())]);
    for parameters in [BTreeMap::new(), bootstrapped] {
        let found = stack_otherwise(|stack| stack.parameters = Some(Ok(parameters)));
        assert_eq!(found, ["Unknown stack-parameter snapferry"]);
    }
}

#[test]
fn what_the_stack_was_told() {
    for name in ["SourceAccounts", "TargetRegions", "TargetKeyArns", "SourceKeyArns"] {
        let other = stack_otherwise(|stack| {
            given(stack).insert(name.to_owned(), "x,y".to_owned());
        });
        assert_eq!(other, [format!("Fail stack-parameter {name}")]);
        // A CDK stack has none.
        assert_eq!(
            stack_otherwise(|stack| {
                given(stack).remove(name);
            }),
            Vec::<String>::new()
        );
    }
}

#[test]
fn without_source_keys_those_of_the_source_accounts_at_home_are_meant() {
    let with = |key: Option<&str>| {
        let mut facts = facts();
        given(facts.stack.as_mut().unwrap().1.as_mut().unwrap()).insert("SourceKeyArns".to_owned(), String::new());
        facts.source.as_mut().unwrap().key = key.map(|arn| (arn.to_owned(), Some(KeyFact::Usable)));
        let mut found = findings(&facts, &policies(""));
        found.retain(|each| each.contains("stack-parameter"));
        found
    };
    assert_eq!(with(None), Vec::<String>::new());
    assert_eq!(with(Some(SOURCE_KEY)), Vec::<String>::new());
    for key in [
        SOURCE_KEY.replace("111111111111", "333333333333"),
        SOURCE_KEY.replace("us-east-1", "us-west-2"),
        "alias/a-key".to_owned(),
    ] {
        assert_eq!(with(Some(&key)), ["Fail stack-parameter SourceKeyArns"], "{key}");
    }
}

#[test]
fn a_lock_that_the_verifier_may_not_make() {
    let locked = r#", {"Target": "eu-west-3", "EncryptionConfiguration": {"Encrypted": true},
        "LockRule": {"Mode": "governance", "Interval": 1, "IntervalUnit": "MONTHS"}}"#;
    for (days, verdict) in [("30", "Fail"), ("31", "Pass"), ("36500", "Pass")] {
        let mut stack = stack();
        given(&mut stack).insert("MaxLockDays".to_owned(), days.to_owned());
        let facts = Facts { stack: Some(("snapferry".to_owned(), Ok(stack))), ..facts() };
        let found = checks(&facts, &policies(locked));
        let of_lock = found.iter().find(|check| check.subject == "MaxLockDays").unwrap();
        assert_eq!(format!("{:?}", of_lock.verdict), verdict, "{days}");
    }
}
