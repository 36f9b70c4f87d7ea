//! The ledgers' tables.

use super::stack::stack_otherwise;
use super::*;

/// What is found of a ledger that could not be looked at.
fn instead(code: &str) -> Vec<String> {
    stack_otherwise(|stack| drop(stack.ledgers.insert(Part::Ledger, Err(error(code, "")))))
}

/// What is found of a ledger with a change.
fn with(change: impl FnOnce(&mut Table)) -> Vec<String> {
    let mut table = table(Part::Ledger);
    change(&mut table);
    stack_otherwise(|stack| drop(stack.ledgers.insert(Part::Ledger, Ok(table))))
}

/// An index: its keys, what it projects, and how it is.
type Index = (Vec<(String, String)>, String, String);

#[test]
fn a_ledger_that_is_not_seen() {
    assert_eq!(instead("ResourceNotFoundException"), ["Fail ledger Ledger"]);
    assert_eq!(instead("AccessDeniedException"), ["Unknown ledger Ledger"]);
}

#[test]
fn a_ledger_that_cannot_be_used() {
    for (status, found) in [
        ("ACTIVE", None),
        ("UPDATING", None),
        ("CREATING", Some("Unknown ledger Ledger")),
        ("DELETING", Some("Unknown ledger Ledger")),
        ("ARCHIVED", Some("Fail ledger Ledger")),
        ("INACCESSIBLE_ENCRYPTION_CREDENTIALS", Some("Fail ledger Ledger")),
        ("", Some("Fail ledger Ledger")),
    ] {
        assert_eq!(with(|table| table.status = status.to_owned()), Vec::from_iter(found), "{status}");
    }
    for change in [
        (|table| drop(table.keys.pop())) as fn(&mut Table),
        |table| table.keys.reverse(),
        |table| table.keys.clear(),
        |table| table.keys[1].0 = "lsk".to_owned(),
        |table| table.keys.push(("x".to_owned(), "RANGE".to_owned())),
    ] {
        assert_eq!(with(change), ["Fail ledger Ledger"]);
    }
}

#[test]
fn a_ledger_without_its_line() {
    let index = |change: fn(&mut Index)| with(|table| change(table.indexes.get_mut("line").unwrap()));
    assert_eq!(with(|table| table.indexes.clear()), ["Fail ledger-line Ledger"]);
    assert_eq!(index(|(keys, ..)| keys.reverse()), ["Fail ledger-line Ledger"]);
    assert_eq!(index(|(_, _, projection)| *projection = "KEYS_ONLY".to_owned()), ["Fail ledger-line Ledger"]);
    assert_eq!(index(|(_, status, _)| *status = "CREATING".to_owned()), ["Unknown ledger-line Ledger"]);
}

#[test]
fn a_ledger_that_is_not_kept() {
    assert_eq!(with(|table| table.is_deletion_protected = false), ["Fail ledger-protection Ledger"]);
    assert_eq!(with(|table| table.recovery = Ok("DISABLED".to_owned())), ["Fail ledger-recovery Ledger"]);
    let denied = || Err(error("AccessDeniedException", ""));
    assert_eq!(with(|table| table.recovery = denied()), ["Unknown ledger-recovery Ledger"]);
    for encryption in [None, Some("DISABLED"), Some("DISABLING")] {
        let found = with(|table| table.encryption = encryption.map(str::to_owned));
        assert_eq!(found, ["Fail ledger-encryption Ledger"], "{encryption:?}");
    }
}

#[test]
fn a_remedy_names_the_table() {
    let mut stack = stack();
    let table =
        Table { is_deletion_protected: false, encryption: None, recovery: Ok(String::new()), ..table(Part::Ledger) };
    stack.ledgers.insert(Part::Ledger, Ok(table));
    let found = checks(&Facts { stack: Some(("snapferry".to_owned(), Ok(stack))), ..facts() }, &policies(""));
    let failed: Vec<_> = found.iter().filter(|check| check.verdict == Verdict::Fail).collect();
    assert_eq!(failed.len(), 3);
    assert!(failed.iter().all(|check| check.remedy.as_deref().unwrap().contains("--table-name snapferry-Ledger-1A2B")));
}

#[test]
fn each_ledger_is_looked_at_for_itself() {
    for part in Part::LEDGERS {
        let name = part.of_template().1;
        let unprotected = Table { is_deletion_protected: false, ..table(part) };
        let found = stack_otherwise(|stack| drop(stack.ledgers.insert(part, Ok(unprotected))));
        assert_eq!(found, [format!("Fail ledger-protection {name}")]);
    }
}
