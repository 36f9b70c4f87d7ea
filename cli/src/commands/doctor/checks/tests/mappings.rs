//! The mappings between queues and functions.

use super::stack::stack_otherwise;
use super::*;
use crate::commands::doctor::facts::Mapping;

pub(super) fn well(part: Part) -> Mapping {
    let (queue, function) = match part {
        Part::QueueToVerifier => (Part::VerifierQueue, Part::VerifyCopies),
        _ => (Part::CopierQueue, Part::CopySharedSnapshots),
    };
    Mapping { state: "Enabled".to_owned(), queue: arn(queue), function: arn(function), filters: Vec::new() }
}

fn both() -> [(Part, &'static str); 2] {
    [
        (Part::QueueToCopier, "queue-to-copier CopySharedSnapshotsQueue"),
        (Part::QueueToVerifier, "queue-to-verifier VerifyCopiesQueue"),
    ]
}

#[test]
fn a_mapping_that_is_off_or_gone() {
    for (part, what) in both() {
        let with = |found| stack_otherwise(|stack| drop(stack.mappings.insert(part, found)));
        let of = |state: &str| Ok(Mapping { state: state.to_owned(), ..well(part) });
        for state in ["Disabled", "Disabling", "Deleting"] {
            assert_eq!(with(of(state)), [format!("Fail {what}")]);
        }
        assert_eq!(with(of("Enabling")), [format!("Unknown {what}")]);
        assert_eq!(with(Err(error("ResourceNotFoundException", ""))), [format!("Fail {what}")]);
        assert_eq!(with(Err(error("AccessDenied", ""))), [format!("Unknown {what}")]);
    }
}

#[test]
fn a_mapping_that_drops_messages_or_takes_them_elsewhere() {
    for (part, what) in both() {
        let fail = [format!("Fail {what}")];
        let with = |change: &dyn Fn(&mut Mapping)| {
            let mut mapping = well(part);
            change(&mut mapping);
            stack_otherwise(|stack| drop(stack.mappings.insert(part, Ok(mapping))))
        };
        assert_eq!(with(&|mapping| mapping.filters = vec![r#"{"body":{"detail":["none"]}}"#.to_owned()]), fail);
        assert_eq!(with(&|mapping| mapping.function = arn(Part::DeleteExpiredCopies)), fail);
        assert_eq!(with(&|mapping| mapping.function.push_str(":1")), fail);
        assert_eq!(with(&|mapping| mapping.queue = arn(Part::UndeliveredQueue)), fail);
        let updating = |mapping: &mut Mapping| {
            mapping.state = "Updating".to_owned();
            mapping.filters = vec!["{}".to_owned()];
        };
        assert_eq!(with(&updating), fail, "while it changes, too");
    }
}

#[test]
fn the_remedy_is_the_command_that_puts_it_back() {
    let remedy = |change: fn(&mut Mapping)| {
        let (mut facts, mut mapping) = (facts(), well(Part::QueueToCopier));
        change(&mut mapping);
        facts.stack.as_mut().unwrap().1.as_mut().unwrap().mappings.insert(Part::QueueToCopier, Ok(mapping));
        let found = checks(&facts, &policies(""));
        found.into_iter().find(|check| check.check == "queue-to-copier").unwrap().remedy.unwrap()
    };
    let update =
        "`aws lambda update-event-source-mapping --region us-east-1 --uuid snapferry-CopySharedSnapshotsQueue-1A2B";
    for (change, option) in [
        ((|mapping| mapping.state = "Disabled".to_owned()) as fn(&mut Mapping), "--enabled"),
        (|mapping| mapping.filters.push("{}".to_owned()), "--filter-criteria '{}'"),
        (|mapping| mapping.function.clear(), "--function-name snapferry-CopySharedSnapshots-1A2B"),
    ] {
        assert!(remedy(change).contains(&format!("{update} {option}`")), "{}", remedy(change));
    }
}
