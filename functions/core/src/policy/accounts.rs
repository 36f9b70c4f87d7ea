//! The accounts that a policy names, and what spreadsheets, scripts and JSON's numbers make of them.

use serde_json::Value;

use super::path::{Path, Problem, quoted, shown};
use crate::ids::AccountId;

const ALLOWED: &str = "an account ID of 12 digits";

/// Reads the account ID at `path`.
pub(super) fn account(written: &Value, path: &Path) -> Result<AccountId, Problem> {
    let text = match written {
        Value::String(text) => text,
        Value::Number(number) => return Err(of_number(&number.to_string(), path)),
        Value::Array(_) | Value::Object(_) | Value::Null | Value::Bool(_) => {
            return Err(path.wrong(format!("found {}", shown(written)), "a string, in quotation marks"));
        }
    };
    AccountId::parse(text).map_err(|error| match lost(text) {
        Some((how, allowed)) => path.wrong(format!("{}, {how}", quoted(text)), allowed),
        None => path.wrong(quoted(text), error.expected),
    })
}

fn of_number(number: &str, path: &Path) -> Problem {
    let unquoted = format!("the number {number}, without quotation marks");
    match lost(number) {
        Some((how, allowed)) => path.wrong(format!("{unquoted}, {how}"), format!("{allowed}, in quotation marks")),
        None if AccountId::parse(number).is_ok() => path.wrong(unquoted, format!("\"{number}\", in quotation marks")),
        None => path.wrong(unquoted, format!("{ALLOWED}, in quotation marks")),
    }
}

/// What became of an account ID on its way, and what it may have been.
pub(super) fn lost(text: &str) -> Option<(String, String)> {
    if let Some(whole) = AccountId::with_lost_zeros(text) {
        let how = format!("which has {} digits and may have lost its leading zeros", text.len());
        return Some((how, format!("{ALLOWED}, perhaps \"{whole}\"")));
    }
    let is_rounded = text.bytes().any(|b| b.is_ascii_digit())
        && text.contains(['.', 'e', 'E'])
        && text.bytes().all(|b| b.is_ascii_digit() || b".,eE+".contains(&b));
    is_rounded.then(|| {
        let how = "which is how spreadsheets and scripts write large numbers, and has lost digits".to_owned();
        (how, ALLOWED.to_owned())
    })
}
