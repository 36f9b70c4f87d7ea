//! What is to be copied of databases, and what copies it.

use super::stack::{given, stack_otherwise};
use super::*;
use snapferry_core::policy::SourceType;

fn without(stack: &mut Stack) {
    for part in Part::OF_DATABASES {
        let name = part.of_template().1;
        stack.resources.retain(|resource| resource.logical_id != name);
        stack.schedules.remove(&part);
        stack.functions.remove(&part);
        stack.targets.remove(&part);
        stack.documents.remove(&part);
        stack.ledgers.remove(&part);
        stack.reserved.remove(name);
    }
}

/// What is found of a stack when the policy is about these, besides what is always found.
fn of(kinds: &[SourceType], change: impl FnOnce(&mut Stack)) -> Vec<String> {
    let mut stack = stack();
    change(&mut stack);
    stack.documents.clear();
    let mut policies = policies("");
    policies[0].source_types = kinds.iter().copied().collect();
    let mut found = findings(&Facts { stack: Some(("snapferry".to_owned(), Ok(stack))), ..facts() }, &policies);
    found.retain(|finding| finding.contains("databases") || !always().contains(finding));
    found
}

#[test]
fn a_policy_of_databases_needs_what_copies_them_and_nothing_else_does() {
    let both = [SourceType::EbsSnapshot, SourceType::DbClusterSnapshot];
    let volumes = [SourceType::EbsSnapshot];
    let switched_off = |stack: &mut Stack| {
        without(stack);
        given(stack).insert("Databases".to_owned(), "false".to_owned());
        let copier = stack.functions.get_mut(&Part::CopySharedSnapshots).unwrap().as_mut().unwrap();
        copier.variables.as_mut().unwrap().insert("SNAPFERRY_DATABASES".to_owned(), "false".to_owned());
    };
    assert_eq!(of(&both, switched_off), ["Fail databases "]);
    assert_eq!(of(&volumes, switched_off), [""; 0]);
    assert_eq!(of(&both, |_| {}), [""; 0]);
    assert_eq!(of(&volumes, |_| {}), ["Unknown databases "]);
    // The CDK's stacks have no parameters, and a stack from before has none of this name: the parts tell.
    let before = |stack: &mut Stack| {
        without(stack);
        given(stack).remove("Databases");
    };
    assert_eq!(of(&both, before), ["Fail databases "]);
    assert_eq!(of(&both, |stack| drop(given(stack).remove("Databases"))), [""; 0]);
}

#[test]
fn a_volumes_snapshot_is_asked_for_only_where_volumes_are_copied() {
    for (kinds, expected) in [
        (vec![SourceType::DbSnapshot], 0),
        (vec![SourceType::EbsSnapshot], 1),
        (vec![SourceType::DbSnapshot, SourceType::EbsSnapshot], 1),
    ] {
        let mut policies = policies("");
        policies[0].source_types = kinds.into_iter().collect();
        let found = findings(&Facts { source: None, ..facts() }, &policies);
        assert_eq!(found.iter().filter(|finding| *finding == "Unknown source ").count(), expected, "{found:?}");
    }
}

#[test]
fn the_parts_that_copy_them_are_there() {
    for part in Part::OF_DATABASES {
        let (_, name) = part.of_template();
        let gone = stack_otherwise(|stack| stack.resources.retain(|resource| resource.logical_id != name));
        assert_eq!(gone, [format!("Fail stack-resource {name}")]);
    }
}
