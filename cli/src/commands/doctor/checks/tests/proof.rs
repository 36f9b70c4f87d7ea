//! What is to be proven, and what proves it.

use super::stack::{given, stack_otherwise};
use super::*;

fn without_prover(stack: &mut Stack) {
    stack.resources.retain(|resource| !resource.logical_id.starts_with("Prove"));
    for part in Part::OF_PROOFS {
        stack.schedules.remove(&part);
        stack.functions.remove(&part);
        stack.targets.remove(&part);
        stack.documents.remove(&part);
        stack.reserved.remove(part.of_template().1);
    }
}

/// What is found of a stack when no policy has a ProofRule.
fn unwanted(change: impl FnOnce(&mut Stack)) -> Vec<String> {
    let mut stack = stack();
    change(&mut stack);
    stack.documents.clear();
    let mut policies = policies("");
    policies[0].targets[0].proof = None;
    let mut found = findings(&Facts { stack: Some(("snapferry".to_owned(), Ok(stack))), ..facts() }, &policies);
    found.retain(|finding| !always().contains(finding));
    found
}

#[test]
fn a_proof_rule_needs_a_schedule_and_a_schedule_a_rule() {
    let unscheduled = |stack: &mut Stack| {
        without_prover(stack);
        given(stack).insert("ProofSchedule".to_owned(), String::new());
    };
    assert_eq!(stack_otherwise(unscheduled), ["Fail proof "]);
    assert_eq!(unwanted(|_| {}), ["Fail proof "]);
    assert_eq!(unwanted(unscheduled), [""; 0]);
    // The CDK's stacks have no parameters: the parts tell.
    let without_parameters = |stack: &mut Stack| {
        stack.parameters = Some(Ok(BTreeMap::new()));
        stack.schedules.clear();
    };
    let of_cdk = ["Unknown stack-parameter snapferry"];
    assert_eq!(stack_otherwise(without_parameters), of_cdk);
    let neither = stack_otherwise(|stack| {
        without_parameters(stack);
        without_prover(stack);
    });
    assert_eq!(neither, ["Fail proof ", of_cdk[0]]);
}

#[test]
fn the_parts_that_prove_are_there_where_they_are_scheduled() {
    for part in Part::OF_PROOFS {
        let (_, name) = part.of_template();
        let fail = [format!("Fail stack-resource {name}")];
        let gone = stack_otherwise(|stack| stack.resources.retain(|resource| resource.logical_id != name));
        assert_eq!(gone, fail);
        let failed = stack_otherwise(|stack| {
            let found = stack.resources.iter_mut().find(|resource| resource.logical_id == name).unwrap();
            found.status = "UPDATE_FAILED".to_owned();
        });
        assert_eq!(failed, fail);
    }
}

#[test]
fn copies_in_other_regions_are_proven_only_if_the_stack_reads_them() {
    let at_home_only = |stack: &mut Stack| {
        given(stack).insert("ProofOtherRegions".to_owned(), "false".to_owned());
        let prover = stack.functions.get_mut(&Part::ProveCopies).unwrap().as_mut().unwrap();
        let variables = prover.variables.as_mut().unwrap();
        variables.insert("SNAPFERRY_PROVE_OTHER_REGIONS".to_owned(), "false".to_owned());
    };
    assert_eq!(stack_otherwise(at_home_only), ["Fail proof "]);
    let mut home = facts();
    home.home = region("eu-west-2");
    home.regions.as_mut().unwrap().retain(|name, _| name == "eu-west-2");
    let mut stack = stack();
    at_home_only(&mut stack);
    home.stack = Some(("snapferry".to_owned(), Ok(stack)));
    assert!(!findings(&home, &policies("")).contains(&"Fail proof ".to_owned()));
}
