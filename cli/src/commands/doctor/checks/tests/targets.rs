//! What rules and schedules start.

use super::*;

/// The ARN of a part of the healthy stack.
fn arn(part: Part) -> String {
    let (kind, name) = part.of_template();
    let (service, resource) = if kind == "AWS::SQS::Queue" { ("sqs", "") } else { ("lambda", "function:") };
    format!("arn:aws:{service}:us-east-1:222222222222:{resource}snapferry-{name}-1A2B")
}

pub(super) fn as_the_template_has_them() -> BTreeMap<Part, Result<Vec<String>, CallError>> {
    use Part::{
        CopierQueue, CopyRule, DeleteExpiredCopies, ExpiryTimer, ProveCopies, ProveTimer, ServeTimer, ShareRule,
        SweepTimer, VerifierQueue, VerifyCopies, VerifyTimer,
    };
    [
        (ShareRule, vec![CopierQueue]),
        (CopyRule, vec![CopierQueue, VerifierQueue]),
        (SweepTimer, vec![CopierQueue]),
        (ServeTimer, vec![CopierQueue]),
        (VerifyTimer, vec![VerifyCopies]),
        (ExpiryTimer, vec![DeleteExpiredCopies]),
        (ProveTimer, vec![ProveCopies]),
    ]
    .map(|(part, targets)| (part, Ok(targets.into_iter().map(arn).collect())))
    .into()
}

/// What is found when a rule or schedule starts these.
fn with(part: Part, targets: Result<Vec<String>, CallError>) -> Vec<String> {
    otherwise(|facts| drop(facts.stack.as_mut().unwrap().1.as_mut().unwrap().targets.insert(part, targets)))
}

#[test]
fn each_starts_what_it_is_there_for() {
    for (part, wanted) in as_the_template_has_them() {
        let name = part.of_template().1;
        let fail = [format!("Fail target {name}")];
        assert_eq!(with(part, Ok(vec![])), fail);
        let wanted = wanted.unwrap();
        for missing in 0..wanted.len() {
            let mut found = wanted.clone();
            found.remove(missing);
            assert_eq!(with(part, Ok(found)), fail);
        }
        // Another's account, Region or service under the same name is not the stack's.
        for (from, to) in
            [("222222222222", "333333333333"), ("us-east-1", "eu-west-2"), (":sqs:", ":sns:"), (":lambda:", ":states:")]
        {
            let found: Vec<String> = wanted.iter().map(|arn| arn.replace(from, to)).collect();
            if found != wanted {
                assert_eq!(with(part, Ok(found)), fail);
            }
        }
        let china = wanted.iter().map(|arn| arn.replace("arn:aws:", "arn:aws-cn:")).collect();
        assert_eq!(with(part, Ok(china)), [""; 0]);
        let more = [wanted, vec!["arn:aws:sqs:us-east-1:333333333333:elsewhere".to_owned()]].concat();
        assert_eq!(with(part, Ok(more)), [format!("Unknown target {name}")]);
        assert_eq!(with(part, Err(error("AccessDeniedException", ""))), [format!("Unknown target {name}")]);
        // That the rule is gone is said once.
        assert_eq!(with(part, Err(error("ResourceNotFoundException", ""))), [""; 0]);
    }
}
