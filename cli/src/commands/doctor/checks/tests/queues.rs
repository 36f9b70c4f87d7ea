//! The queues.

use super::stack::stack_otherwise;
use super::*;

pub(super) fn well(part: Part) -> BTreeMap<String, String> {
    let is_text = |value: serde_json::Value| match value {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    };
    // SQS names what the template does not.
    let mut attributes = BTreeMap::from([
        ("ApproximateNumberOfMessages".to_owned(), "0".to_owned()),
        ("DelaySeconds".to_owned(), "0".to_owned()),
        ("QueueArn".to_owned(), arn(part)),
    ]);
    let serde_json::Value::Object(properties) = in_template(part, "/Properties") else { unreachable!() };
    attributes.extend(properties.into_iter().map(|(name, value)| (name, is_text(value))));
    if let Some(redrive) = attributes.get_mut("RedrivePolicy") {
        *redrive = redrive.replace("${CopierDeadLetterQueue.Arn}", &arn(Part::CopierDeadLetterQueue));
    }
    attributes
}

/// What is found when a queue's attribute is another, or not there.
fn with(part: Part, name: &str, value: Option<&str>) -> Vec<String> {
    stack_otherwise(|stack| {
        let attributes = stack.queues.get_mut(&part).unwrap().as_mut().unwrap();
        match value {
            Some(value) => attributes.insert(name.to_owned(), value.to_owned()),
            None => attributes.remove(name),
        };
    })
}

#[test]
fn a_queue_that_is_not_the_templates() {
    for part in Part::QUEUES {
        let fail = [format!("Fail queue {}", part.of_template().1)];
        let is_of_work = matches!(part, Part::CopierQueue | Part::VerifierQueue);
        for (name, value) in [
            ("MessageRetentionPeriod", "60"),
            ("DelaySeconds", "900"),
            ("KmsMasterKeyId", "alias/aws/sqs"),
            ("SqsManagedSseEnabled", "false"),
        ] {
            assert_eq!(with(part, name, Some(value)), fail, "{name}");
        }
        for (name, value) in
            [("FifoQueue", None), ("ContentBasedDeduplication", Some("false")), ("VisibilityTimeout", Some("0"))]
        {
            assert_eq!(with(part, name, value).is_empty(), !is_of_work, "{part:?} {name}");
        }
        let gone = stack_otherwise(|stack| drop(stack.queues.insert(part, Err(error("QueueDoesNotExist", "")))));
        assert_eq!(gone, fail);
        let denied = stack_otherwise(|stack| drop(stack.queues.insert(part, Err(error("AccessDenied", "")))));
        assert_eq!(denied, [format!("Unknown queue {}", part.of_template().1)]);
    }
    let redrive = format!(r#"{{"deadLetterTargetArn":"{}","maxReceiveCount":20}}"#, arn(Part::UndeliveredQueue));
    for value in [None, Some(redrive.as_str()), Some("{")] {
        assert_eq!(with(Part::CopierQueue, "RedrivePolicy", value), ["Fail queue CopierQueue"]);
    }
}

#[test]
fn what_waits() {
    let waiting = "ApproximateNumberOfMessages";
    for part in [Part::CopierQueue, Part::VerifierQueue] {
        assert_eq!(with(part, waiting, Some("1000")), [""; 0]);
        assert_eq!(with(part, waiting, Some("1001")), [format!("Unknown queue {}", part.of_template().1)]);
    }
    for part in [Part::CopierDeadLetterQueue, Part::UndeliveredQueue] {
        let fail = [format!("Fail dead-letter-queue {}", part.of_template().1)];
        assert_eq!(with(part, waiting, Some("1")), fail);
        assert_eq!(with(part, "ApproximateNumberOfMessagesNotVisible", Some("1")), fail);
    }
    for (mapping, queue) in [(Part::QueueToCopier, Part::CopierQueue), (Part::QueueToVerifier, Part::VerifierQueue)] {
        let found = stack_otherwise(|stack| {
            stack.mappings.get_mut(&mapping).unwrap().as_mut().unwrap().state = "Disabled".to_owned();
            let attributes = stack.queues.get_mut(&queue).unwrap().as_mut().unwrap();
            attributes.insert(waiting.to_owned(), "1".to_owned());
        });
        assert_eq!(found.last().unwrap(), &format!("Fail queue {}", queue.of_template().1), "nothing takes it");
    }
}

#[test]
fn the_remedy_is_the_command_that_puts_it_back() {
    let mut facts = facts();
    let stack = facts.stack.as_mut().unwrap().1.as_mut().unwrap();
    let attributes = stack.queues.get_mut(&Part::CopierQueue).unwrap().as_mut().unwrap();
    attributes.remove("RedrivePolicy");
    attributes.insert("DelaySeconds".to_owned(), "9".to_owned());
    attributes.insert("KmsMasterKeyId".to_owned(), "alias/aws/sqs".to_owned());
    let found = checks(&facts, &policies(""));
    let remedy =
        found.into_iter().find(|check| check.subject == "CopierQueue" && check.check == "queue").unwrap().remedy;
    let remedy = remedy.unwrap();
    let (_, attributes) = remedy.split_once("--queue-url snapferry-CopierQueue-1A2B --attributes '").unwrap();
    let (attributes, _) = attributes.split_once("'`").unwrap();
    let attributes: BTreeMap<String, String> = serde_json::from_str(attributes).unwrap();
    let redrive: serde_json::Value = serde_json::from_str(&attributes["RedrivePolicy"]).unwrap();
    assert_eq!(redrive["deadLetterTargetArn"], arn(Part::CopierDeadLetterQueue));
    assert_eq!(attributes["SqsManagedSseEnabled"], "true");
    assert_eq!((attributes["DelaySeconds"].as_str(), attributes["KmsMasterKeyId"].as_str()), ("0", ""));
}
