//! The tables of what is owed.

use snapferry_core::facts::CallError;

use super::repair::command;
use crate::commands::doctor::check::{Check, is_gone};
use crate::commands::doctor::facts::{Keys, Part, Stack, Table};

/// The index in which what waits stands in its order.
const LINE: &str = "line";

/// Whether each table is the template's, and whether it is kept from getting lost.
pub(super) fn checks(stack: &Stack) -> Vec<Check> {
    stack.ledgers.iter().flat_map(|(part, found)| of_table(stack, *part, found)).collect()
}

fn of_table(stack: &Stack, part: Part, found: &Result<Table, CallError>) -> Vec<Check> {
    let (_, name) = part.of_template();
    match found {
        Ok(table) => {
            vec![
                state(name, table),
                line(name, table),
                protection(stack, name, table),
                recovery(stack, name, table),
                encryption(stack, name, table),
            ]
        }
        Err(error) if is_gone(error) => {
            vec![Check::fail("ledger", name, "it was deleted: nothing is copied").because(error).remedy(MAKE_AGAIN)]
        }
        Err(error) => vec![Check::unread("ledger", name, error)],
    }
}

/// A deployment does not make it again: CloudFormation believes that it is there.
const MAKE_AGAIN: &str = "Restore the backup that DynamoDB made of it (aws dynamodb list-backups --backup-type SYSTEM, then \
                          restore-table-from-backup) under its own name, which one of the stack's outputs says, and run \
                          this again: a restored table has neither protection nor recovery. Find out who deleted it.";

/// DynamoDB API reference, TableDescription, `TableStatus`.
fn state(subject: &str, table: &Table) -> Check {
    let check = "ledger";
    if !is_schema(&table.keys, ["pk", "sk"]) {
        return Check::fail(
            check,
            subject,
            format!("its keys are {}, not pk and sk: nothing is copied", said(&table.keys)),
        )
        .remedy("Somebody made another table under its name: delete that, and make it as the template says.");
    }
    match table.status.as_str() {
        "ACTIVE" | "UPDATING" => {
            Check::pass(check, subject, format!("the table {} is there, with its keys", table.name))
        }
        status @ ("CREATING" | "DELETING") => Check::unknown(check, subject, status).remedy("Repeat in a minute."),
        "INACCESSIBLE_ENCRYPTION_CREDENTIALS" => {
            Check::fail(check, subject, "DynamoDB cannot use the key that it is under: nothing is copied")
                .remedy("Give it the key back, within a week: then DynamoDB archives the table.")
        }
        status => Check::fail(check, subject, format!("{status}: nothing is copied")).remedy(MAKE_AGAIN),
    }
}

fn line(subject: &str, table: &Table) -> Check {
    let check = "ledger-line";
    match table.indexes.get(LINE) {
        Some((keys, _, projection)) if !is_schema(keys, ["lpk", "lsk"]) || projection != "ALL" => {
            Check::fail(check, subject, format!("its index {LINE} is by {} and holds {projection}", said(keys)))
                .remedy("Delete the index and make it as the template says; it fills by itself.")
        }
        Some((_, status, _)) if matches!(status.as_str(), "ACTIVE" | "UPDATING") => {
            Check::pass(check, subject, "what waits can be read in its order")
        }
        Some((_, status, _)) => {
            Check::unknown(check, subject, format!("its index {LINE}: {status}")).remedy("Repeat when it is there.")
        }
        None => Check::fail(check, subject, format!("it has no index {LINE}: nothing that waits is copied"))
            .remedy("Make the index as the template says (aws dynamodb update-table); it fills by itself."),
    }
}

fn protection(stack: &Stack, subject: &str, table: &Table) -> Check {
    let check = "ledger-protection";
    if table.is_deletion_protected {
        return Check::pass(check, subject, "protected from deletion");
    }
    Check::fail(check, subject, "anybody who may delete tables can delete it").remedy(update(
        stack,
        table,
        "dynamodb update-table",
        "--deletion-protection-enabled",
    ))
}

/// DynamoDB API reference, PointInTimeRecoveryDescription, `PointInTimeRecoveryStatus`.
fn recovery(stack: &Stack, subject: &str, table: &Table) -> Check {
    let check = "ledger-recovery";
    match table.recovery.as_deref() {
        Ok("ENABLED") => Check::pass(check, subject, "can be restored to any moment of the last weeks"),
        Ok(_) => Check::fail(check, subject, "once emptied or deleted it cannot be restored").remedy(update(
            stack,
            table,
            "dynamodb update-continuous-backups",
            "--point-in-time-recovery-specification PointInTimeRecoveryEnabled=true",
        )),
        Err(error) => Check::unread(check, subject, error),
    }
}

/// DynamoDB API reference, SSEDescription, `Status`.
fn encryption(stack: &Stack, subject: &str, table: &Table) -> Check {
    let check = "ledger-encryption";
    match table.encryption.as_deref() {
        Some("ENABLED" | "UPDATING") => Check::pass(check, subject, "encrypted under a key of this account"),
        _ => Check::fail(check, subject, "encrypted under a key of DynamoDB's own, whose use nobody can follow")
            .remedy(update(stack, table, "dynamodb update-table", "--sse-specification Enabled=true")),
    }
}

fn update(stack: &Stack, table: &Table, operation: &str, option: &str) -> String {
    let rest = format_args!("--table-name {} {option}", table.name);
    format!("{} puts it back; find out in CloudTrail who changed it.", command(stack, operation, rest))
}

fn is_schema(keys: &Keys, names: [&str; 2]) -> bool {
    let wanted = names.into_iter().zip(["HASH", "RANGE"]);
    keys.len() == names.len() && wanted.zip(keys).all(|((name, kind), key)| key.0 == name && key.1 == kind)
}

fn said(keys: &Keys) -> String {
    if keys.is_empty() {
        return "none".to_owned();
    }
    keys.iter().map(|(name, kind)| format!("{name} ({kind})")).collect::<Vec<_>>().join(", ")
}
