//! The functions.

use super::stack::{given, stack_otherwise};
use super::*;
use crate::commands::doctor::facts::Function;

pub(super) fn well(part: Part) -> Function {
    let mut variables = BTreeMap::from([("SNAPFERRY_METRIC_NAMESPACE".to_owned(), "Snapferry/snapferry".to_owned())]);
    let ledgers: &[_] = match part {
        Part::DeleteExpiredCopies | Part::DeleteExpiredDatabaseCopies => &[],
        Part::CopySharedDatabases => &[
            ("SNAPFERRY_LEDGER", "InstanceLedger"),
            ("SNAPFERRY_CLUSTER_LEDGER", "ClusterLedger"),
            ("SNAPFERRY_VOLUME_LEDGER", "Ledger"),
        ],
        Part::VerifyCopiedDatabases => {
            &[("SNAPFERRY_LEDGER", "InstanceLedger"), ("SNAPFERRY_CLUSTER_LEDGER", "ClusterLedger")]
        }
        _ => &[("SNAPFERRY_LEDGER", "Ledger")],
    };
    variables.extend(ledgers.iter().map(|(name, ledger)| ((*name).to_owned(), format!("snapferry-{ledger}-1A2B"))));
    let more: &[_] = match part.of_volumes() {
        Part::CopySharedSnapshots => &[("SNAPFERRY_SILENT_OWNER_HOURS", "48"), ("SNAPFERRY_OWNER_METRICS", "false")],
        Part::DeleteExpiredCopies => {
            &[("SNAPFERRY_MAX_DELETES_PER_RUN", "100"), ("SNAPFERRY_ALLOW_MASS_EXPIRY", "false")]
        }
        Part::ProveCopies => &[("SNAPFERRY_PROVE_OTHER_REGIONS", "true")],
        _ => &[],
    };
    if part == Part::CopySharedSnapshots {
        variables.insert("SNAPFERRY_DATABASES".to_owned(), "true".to_owned());
    }
    variables.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let role = format!("arn:aws:iam::222222222222:role/snapferry/snapferry-{}Role-1A2B", part.of_template().1);
    Function { state: "Active".to_owned(), role, variables: Ok(variables) }
}

/// What is found when a function is otherwise.
fn with(part: Part, change: impl FnOnce(&mut Function)) -> Vec<String> {
    let mut function = well(part);
    change(&mut function);
    stack_otherwise(|stack| drop(stack.functions.insert(part, Ok(function))))
}

#[test]
fn a_function_that_cannot_run_or_is_gone() {
    for part in Part::FUNCTIONS {
        let name = part.of_template().1;
        let unread = |error: CallError| {
            stack_otherwise(|stack| {
                stack.functions.insert(part, Err(error));
                stack.documents.remove(&part);
            })
        };
        assert_eq!(with(part, |function| function.state = "Failed".to_owned()), [format!("Fail function {name}")]);
        assert_eq!(with(part, |function| function.state = "Pending".to_owned()), [format!("Unknown function {name}")]);
        assert_eq!(with(part, |function| function.state = "Inactive".to_owned()), [""; 0]);
        assert_eq!(unread(error("ResourceNotFoundException", "")), [format!("Fail function {name}")]);
        let denied = [format!("Unknown function {name}"), format!("Unknown deployed-policy {name}")];
        assert_eq!(unread(error("AccessDenied", "")), denied);
    }
}

#[test]
fn a_function_in_another_role() {
    for part in Part::FUNCTIONS {
        let name = part.of_template().1;
        let fail = [format!("Fail function-role {name}")];
        let template = TEMPLATE.at(name, "/Properties/Role/Fn::GetAtt").unwrap().to_string();
        assert!(template.contains(&format!("{name}Role")), "{template}");
        for (from, to) in
            [("Role-1A2B", "Role-9Z"), ("222222222222", "333333333333"), ("snapferry-", "more-snapferry-")]
        {
            assert_eq!(with(part, |function| function.role = function.role.replace(from, to)), fail, "{from} {to}");
        }
        assert_eq!(with(part, |function| function.role.clear()), fail);
        assert_eq!(with(part, |function| function.role = function.role.replace("/snapferry/", "/")), [""; 0]);
    }
}

#[test]
fn a_function_that_is_told_other_things_than_the_stack() {
    for part in Part::FUNCTIONS {
        let name = part.of_template().1;
        let fail = [format!("Fail function-environment {name}")];
        let own = TEMPLATE.at(name, "/Properties/Environment/Variables").unwrap().as_object().unwrap().clone();
        let is_ledger = |variable: &&str| variable.ends_with("LEDGER");
        let set = |variable: &str, value: &str| {
            with(part, |function| {
                function.variables.as_mut().unwrap().insert(variable.to_owned(), value.to_owned());
            })
        };
        for variable in ["SNAPFERRY_LEDGER", "SNAPFERRY_CLUSTER_LEDGER", "SNAPFERRY_VOLUME_LEDGER"] {
            assert_eq!(set(variable, "another").is_empty(), !own.contains_key(variable), "{name} {variable}");
        }
        assert_eq!(set("SNAPFERRY_METRIC_NAMESPACE", "Snapferry/other"), fail);
        // What the template has from a parameter, with or without a condition that the parameter is not empty.
        let globals = ["SNAPFERRY_RETIRED_HOMES", "SNAPFERRY_RETIRED_POLICIES"];
        let variables = own.keys().map(String::as_str).filter(|variable| !is_ledger(variable)).chain(globals);
        for variable in variables {
            assert_eq!(set(variable, "9,x"), fail, "{variable}");
            if let Some(written) = own.get(variable) {
                let parameter =
                    written.get("Ref").or_else(|| written.pointer("/Fn::If/1/Ref")).unwrap().as_str().unwrap();
                let other = stack_otherwise(|stack| drop(given(stack).insert(parameter.to_owned(), "7".to_owned())));
                assert!(other.contains(&fail[0]), "{variable} {parameter} {other:?}");
            }
        }
        let denied = with(part, |function| function.variables = Err(error("AccessDeniedException", "")));
        assert_eq!(denied, [format!("Unknown function-environment {name}")]);
    }
}

#[test]
fn what_is_not_known_is_not_held_against_a_function() {
    // The CDK's stacks have no parameters, and an ID in the place of the name is not the name.
    let unknown = ["Unknown stack-parameter arn:aws:cloudformation:us-east-1:222222222222:stack/snapferry/1a2b"];
    let found = otherwise(|facts| {
        let (name, stack) = facts.stack.as_mut().unwrap();
        *name = unknown[0].rsplit_once(' ').unwrap().1.to_owned();
        let stack = stack.as_mut().unwrap();
        stack.name.clone_from(name);
        *given(stack) = BTreeMap::new();
        let expirer = stack.functions.get_mut(&Part::DeleteExpiredCopies).unwrap().as_mut().unwrap();
        let variables = expirer.variables.as_mut().unwrap();
        variables.insert("SNAPFERRY_MAX_DELETES_PER_RUN".to_owned(), "7".to_owned());
    });
    assert_eq!(found, unknown);
}

#[test]
fn the_remedy_is_the_command_that_puts_it_back() {
    let mut facts = facts();
    let stack = facts.stack.as_mut().unwrap().1.as_mut().unwrap();
    let function = stack.functions.get_mut(&Part::VerifyCopies).unwrap().as_mut().unwrap();
    function.role.clear();
    function.variables = Ok(BTreeMap::new());
    let found = checks(&facts, &policies(""));
    let name = "--region us-east-1 --function-name snapferry-VerifyCopies-1A2B";
    for (check, part) in [
        (
            "function-role",
            format!(
                "`aws lambda update-function-configuration {name} --role \"$(aws iam get-role --role-name snapferry-VerifyCopiesRole-1A2B"
            ),
        ),
        (
            "function-environment",
            format!("`aws lambda get-function-configuration {name} --query Environment > environment.json`"),
        ),
    ] {
        let check = found.iter().find(|found| found.check == check && found.subject == "VerifyCopies").unwrap();
        assert!(check.remedy.as_ref().unwrap().contains(&part), "{check:?}");
    }
}
