//! The functions: whether Lambda has them, in which role they act, and what they are told.

use snapferry_core::facts::CallError;
use snapferry_core::text::printable;

use super::parts::what_stops;
use super::repair::{command, gone, physical};
use crate::commands::doctor::check::{Check, is_gone};
use crate::commands::doctor::facts::{Facts, Function, Part, Stack};

/// Longer values are cut.
const LONGEST: usize = 200;
const LEDGER: &str = "SNAPFERRY_LEDGER";
const NAMESPACE: &str = "SNAPFERRY_METRIC_NAMESPACE";

/// The checks of all functions.
pub(super) fn checks(facts: &Facts, stack: &Stack) -> Vec<Check> {
    let of_function = |(part, found): (&Part, &Result<Function, CallError>)| {
        let found = found.as_ref();
        let role = found.ok().and_then(|found| role(facts, stack, *part, found));
        let told = found.ok().map(|found| environment(stack, *part, found));
        [Some(state(stack, *part, found)), role, told].into_iter().flatten().collect::<Vec<_>>()
    };
    stack.functions.iter().flat_map(of_function).collect()
}

/// The role that the template gives a function.
pub(super) fn role_of(function: Part) -> Part {
    match function {
        Part::VerifyCopies => Part::VerifyCopiesRole,
        Part::ProveCopies => Part::ProveCopiesRole,
        Part::DeleteExpiredCopies => Part::DeleteExpiredCopiesRole,
        Part::CopySharedDatabases => Part::CopySharedDatabasesRole,
        Part::VerifyCopiedDatabases => Part::VerifyCopiedDatabasesRole,
        Part::DeleteExpiredDatabaseCopies => Part::DeleteExpiredDatabaseCopiesRole,
        _ => Part::CopySharedSnapshotsRole,
    }
}

/// Which parameter of the stack a function's variable repeats. A parameter that is empty leaves its variable out.
pub(super) fn variables(function: Part) -> Vec<(&'static str, &'static str)> {
    let mut variables = match function.of_volumes() {
        Part::VerifyCopies => vec![("SNAPFERRY_RETIRED_REGIONS", "RetiredRegions")],
        Part::ProveCopies => vec![("SNAPFERRY_PROVE_OTHER_REGIONS", "ProofOtherRegions")],
        Part::DeleteExpiredCopies => vec![
            ("SNAPFERRY_MAX_DELETES_PER_RUN", "MaxDeletesPerRun"),
            ("SNAPFERRY_ALLOW_MASS_EXPIRY", "AllowMassExpiry"),
            ("SNAPFERRY_RETIRED_REGIONS", "RetiredRegions"),
        ],
        _ => vec![
            ("SNAPFERRY_SWEEP_SINCE", "SweepSince"),
            ("SNAPFERRY_SILENT_OWNER_HOURS", "SilentOwnerAlarmHours"),
            ("SNAPFERRY_OWNER_METRICS", "OwnerMetrics"),
        ],
    };
    if function == Part::CopySharedSnapshots {
        variables.push(("SNAPFERRY_DATABASES", "Databases"));
    }
    variables.extend([("SNAPFERRY_RETIRED_HOMES", "RetiredHomes"), ("SNAPFERRY_RETIRED_POLICIES", "RetiredPolicies")]);
    variables
}

/// Which variables the template gives a function for which ledgers' names.
pub(super) fn ledgers(function: Part) -> &'static [(&'static str, Part)] {
    match function {
        Part::DeleteExpiredCopies | Part::DeleteExpiredDatabaseCopies => &[],
        Part::CopySharedDatabases => &[
            (LEDGER, Part::InstanceLedger),
            ("SNAPFERRY_CLUSTER_LEDGER", Part::ClusterLedger),
            ("SNAPFERRY_VOLUME_LEDGER", Part::Ledger),
        ],
        Part::VerifyCopiedDatabases => {
            &[(LEDGER, Part::InstanceLedger), ("SNAPFERRY_CLUSTER_LEDGER", Part::ClusterLedger)]
        }
        _ => &[(LEDGER, Part::Ledger)],
    }
}

/// Lambda API reference, FunctionConfiguration, `State`. A function that was idle for long starts anew when it is asked.
fn state(stack: &Stack, part: Part, found: Result<&Function, &CallError>) -> Check {
    let (check, (_, name)) = ("function", part.of_template());
    match found.map(|found| found.state.as_str()) {
        Ok(state @ ("Active" | "Inactive")) => Check::pass(check, name, format!("{state}, as Lambda has it")),
        Ok("Failed") => Check::fail(check, name, format!("it cannot run: {}", what_stops(part)))
            .remedy(format!("{} says why.", of_function(stack, part, "lambda get-function-configuration", ""))),
        Ok(state) => Check::unknown(check, name, state).remedy("Repeat in a minute."),
        Err(error) if is_gone(error) => {
            let message = format!("it was deleted: {}", what_stops(part));
            Check::fail(check, name, message).because(error).remedy(gone(stack, name))
        }
        Err(error) => Check::unread(check, name, error),
    }
}

/// The role's own permissions are not looked at.
fn role(facts: &Facts, stack: &Stack, part: Part, found: &Function) -> Option<Check> {
    let (check, (_, name)) = ("function-role", part.of_template());
    let wanted = role_of(part);
    // That the stack has no such role is said where its resources are.
    let role = stack.part(wanted).map(|role| role.physical_id.as_str()).filter(|role| !role.is_empty())?;
    // arn:aws:iam::ACCOUNT:role/PATH/NAME
    let is_account = found.role.split(':').nth(4) == Some(facts.account.as_str());
    if is_account && found.role.contains(":role/") && found.role.rsplit('/').next() == Some(role) {
        return Some(Check::pass(check, name, format!("it acts in {role}")));
    }
    let acts_in = printable(&found.role, LONGEST);
    let message =
        format!("it acts in {acts_in}, not in the stack's {role}, and may do other things than the template lets it");
    let arn = format_args!("--role-name {role} --query Role.Arn --output text");
    let arn = format!("--role \"$(aws iam get-role {arn})\"");
    Some(Check::fail(check, name, message).remedy(format!(
        "{} puts it back; find out in CloudTrail who changed it.",
        of_function(stack, part, "lambda update-function-configuration", &arn)
    )))
}

/// Whether a function is told what the stack's ledger, name and parameters are.
fn environment(stack: &Stack, part: Part, found: &Function) -> Check {
    let (check, (_, name)) = ("function-environment", part.of_template());
    let found = match &found.variables {
        Ok(found) => found,
        Err(error) => return Check::unread(check, name, error),
    };
    let mut wanted: Vec<(&str, String, String)> = Vec::new();
    let ledgers = ledgers(part).iter().map(|(variable, ledger)| (*variable, physical(stack, *ledger)));
    wanted.extend(
        ledgers
            .filter(|(_, ledger)| !ledger.is_empty())
            .map(|(variable, ledger)| (variable, ledger.to_owned(), format!("not {ledger}, the stack's own"))),
    );
    // A stack's ID in the place of its name says another thing than the template's ${AWS::StackName}.
    if !stack.name.starts_with("arn:") {
        let namespace = format!("Snapferry/{}", stack.name);
        wanted.push((NAMESPACE, namespace.clone(), format!("not {namespace}, so the alarms see nothing of it")));
    }
    let of_parameters = variables(part);
    wanted.extend(of_parameters.iter().filter_map(|(variable, parameter)| {
        let given = stack.given(parameter)?;
        Some((*variable, given.to_owned(), format!("and the stack's {parameter} is {}", shown(given))))
    }));
    let value = |variable: &str| found.get(variable).map(String::as_str).unwrap_or_default();
    let others = wanted.iter().filter(|(variable, wanted, _)| value(variable) != wanted);
    let others: Vec<String> =
        others.map(|(variable, _, why)| format!("{variable} is {}, {why}", shown(value(variable)))).collect();
    if others.is_empty() {
        let compared: Vec<&str> = wanted.iter().map(|(variable, _, _)| *variable).collect();
        let rest =
            if stack.given("SourceAccounts").is_some() { "" } else { "; the stack has no parameters for the others" };
        return Check::pass(check, name, format!("{} are as the stack has them{rest}", compared.join(", ")));
    }
    Check::fail(check, name, others.join("; ")).remedy(correct_environment(stack, part))
}

/// The commands that change a function's variables, which Lambda takes as a whole.
pub(super) fn correct_environment(stack: &Stack, part: Part) -> String {
    format!(
        "{}, correct that file, and {}; and find out in CloudTrail who changed it.",
        of_function(stack, part, "lambda get-function-configuration", "--query Environment > environment.json"),
        of_function(stack, part, "lambda update-function-configuration", "--environment file://environment.json")
    )
}

fn shown(value: &str) -> String {
    if value.is_empty() { "empty".to_owned() } else { printable(value, LONGEST) }
}

fn of_function(stack: &Stack, part: Part, operation: &str, rest: &str) -> String {
    let rest = format!("--function-name {} {rest}", physical(stack, part));
    command(stack, operation, rest.trim())
}
