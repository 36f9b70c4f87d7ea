//! Adding statements to a key policy that is there already, letter by letter: whatever is not ours stays as it was
//! written, with its order, its white space and its doubtful parts.

use std::fmt::Write as _;
use std::ops::Range;

use anyhow::Context as _;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};
use snapferry_core::ids::AccountId;
use snapferry_core::policy;

use super::principals::{has, principals, users};
use super::unique::Unique;
use crate::template::Statement;

/// A key policy with our statements in it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Merged {
    /// The whole document, as `aws kms put-key-policy` takes it.
    pub(crate) document: String,
    /// What became of each of our statements, in their order.
    pub(crate) changes: Vec<Change>,
}

/// What became of one of our statements.
#[derive(Debug, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Change {
    /// The statement's Sid.
    pub(crate) sid: String,
    /// What was done.
    pub(crate) done: Done,
    /// Who was named in the statement that was replaced and is not any more.
    #[serde(rename = "noLongerNamed", skip_serializing_if = "Vec::is_empty")]
    pub(crate) no_longer_named: Vec<String>,
}

/// What was done about a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Done {
    /// It was not there.
    Added,
    /// It said something else.
    Replaced,
    /// It said the same.
    Kept,
}

/// The name that each key's policy has (KMS API reference, GetKeyPolicy). As text the command prints it behind the policy.
const NAME: &str = "default";

/// The key policy in what `aws kms get-key-policy` prints: the policy itself (`--output text`), or an object with the
/// policy as text in its member `Policy`.
///
/// # Errors
/// When it is no JSON.
pub(crate) fn unwrapped(printed: &str) -> anyhow::Result<String> {
    let printed = printed.trim();
    let printed = printed.strip_suffix(NAME).map(str::trim_end).filter(|rest| rest.ends_with('}')).unwrap_or(printed);
    let value: Value = serde_json::from_str(printed).context("it is not JSON")?;
    match value.get("Policy") {
        Some(Value::String(inner)) if value.get("Statement").is_none() => Ok(inner.clone()),
        _ => Ok(printed.to_owned()),
    }
}

/// Adds `ours`, which name `account`, to a key policy, each in the place of the statement with its Sid, or else at the
/// end. What a statement with our Sid says for another account stays, and ours gets the account behind its Sid.
///
/// # Errors
/// When the document is no key policy, says something twice so that its meaning is in doubt, or has another's statement
/// with our Sid.
pub(crate) fn merge(document: &str, ours: &[Statement], account: &str) -> anyhow::Result<Merged> {
    let before = statements_of(document)?;
    serde_json::from_str::<Unique>(document).context("what it says is in doubt")?;
    let mut after = before.clone();
    let mut edits: Vec<(usize, Statement)> = Vec::new();
    let mut added: Vec<Statement> = Vec::new();
    let mut changes = Vec::new();
    for statement in ours {
        let (statement, found) = placed(&before, statement, account)?;
        let value = serde_json::to_value(&statement)?;
        let sid = statement.sid.clone();
        let mut no_longer_named = Vec::new();
        let done = match found {
            None => {
                added.push(statement);
                after.push(value);
                Done::Added
            }
            Some((_, old)) if covers(old, &value) => Done::Kept,
            Some((index, old)) => {
                no_longer_named = users(old);
                no_longer_named.retain(|name| !users(&value).iter().any(|user| has(user, name)));
                edits.push((index, statement));
                if let Some(place) = after.get_mut(index) {
                    *place = value;
                }
                Done::Replaced
            }
        };
        changes.push(Change { sid, done, no_longer_named });
    }
    let merged = if changes.iter().all(|change| change.done == Done::Kept) {
        document.to_owned()
    } else {
        edited(document, before.len(), &edits, &added).context("the places of its statements are in doubt")?
    };
    // Whatever the editing of text did: the result has to mean this and nothing else.
    let is_right = statements_of(&merged).is_ok_and(|found| found == after) && rest(&merged) == rest(document);
    anyhow::ensure!(is_right, "the places of its statements are in doubt");
    Ok(Merged { document: merged, changes })
}

/// Our statement with the Sid that it gets, and what has that Sid now.
fn placed<'b>(
    before: &'b [Value],
    statement: &Statement,
    account: &str,
) -> anyhow::Result<(Statement, Option<(usize, &'b Value)>)> {
    let mut ours = statement.clone();
    let found = with_sid(before, &ours.sid)?;
    let value = serde_json::to_value(&ours)?;
    if let Some((_, old)) = found
        && (covers(old, &value) || !names_others(old, account))
    {
        return Ok((ours, found));
    }
    ours.sid = format!("{}{account}", ours.sid);
    let own = with_sid(before, &ours.sid)?;
    // With nothing there at all it needs no account behind its Sid.
    Ok(if found.is_none() && own.is_none() { (statement.clone(), None) } else { (ours, own) })
}

fn with_sid<'b>(before: &'b [Value], sid: &str) -> anyhow::Result<Option<(usize, &'b Value)>> {
    let text = |statement: &'b Value, name| statement.get(name).and_then(Value::as_str);
    let mut same = before.iter().enumerate().filter(|(_, other)| text(other, "Sid") == Some(sid));
    let found = same.next();
    anyhow::ensure!(same.next().is_none(), "two statements have the Sid {sid}; remove one of them first");
    let is_allow = found.is_none_or(|(_, old)| text(old, "Effect") == Some("Allow"));
    anyhow::ensure!(is_allow, "its statement {sid} allows nothing and would be replaced; give it another Sid first");
    Ok(found)
}

/// Whether a statement says what ours does, to the same or to more.
fn covers(old: &Value, ours: &Value) -> bool {
    let named = principals(old);
    let mut for_us = old.clone();
    if let (Some(principal), Some(our_principal)) = (for_us.get_mut("Principal"), ours.get("Principal")) {
        principal.clone_from(our_principal);
    }
    principals(ours).iter().all(|name| named.contains(name)) && normal(&for_us) == normal(ours)
}

/// Whether a statement names another account, or its role or user, by ARN or number.
fn names_others(statement: &Value, account: &str) -> bool {
    principals(statement).iter().any(|name| {
        let number = name.split(':').nth(4).unwrap_or(name);
        AccountId::parse(number).is_ok_and(|found| found.as_str() != account)
    })
}

/// The statements of a key policy, which are an object or an array of objects (IAM User Guide, "Grammar of the IAM JSON
/// policy language"). Each of a key's names a Principal (KMS Developer Guide, "Elements in a key policy").
fn statements_of(document: &str) -> anyhow::Result<Vec<Value>> {
    let value: Value = serde_json::from_str(document).context("it is not JSON")?;
    let object = value.as_object().context("it is no JSON object")?;
    let known = ["Version", "Id", "Statement"];
    if let Some(unknown) = object.keys().find(|name| !known.contains(&name.as_str())) {
        anyhow::bail!("it has a member {unknown:?}, which no key policy has");
    }
    let statements = match object.get("Statement") {
        Some(Value::Array(statements)) => statements.clone(),
        Some(statement @ Value::Object(_)) => vec![statement.clone()],
        _ => anyhow::bail!("it has no Statement"),
    };
    for (index, statement) in statements.iter().enumerate() {
        let has = |name| statement.get(name).is_some();
        let number = index + 1;
        anyhow::ensure!(has("Effect"), "its statement {number} has no Effect");
        anyhow::ensure!(has("Action") || has("NotAction"), "its statement {number} has no Action");
        anyhow::ensure!(
            has("Principal") || has("NotPrincipal"),
            "its statement {number} has no Principal, as in a policy of a role or user"
        );
    }
    Ok(statements)
}

/// Everything but the statements.
fn rest(document: &str) -> Option<Map<String, Value>> {
    let mut value: Value = serde_json::from_str(document).ok()?;
    value.as_object_mut()?.remove("Statement");
    value.as_object().cloned()
}

/// The text with statements replaced by index, and others added behind the last; `None` when a place is not found.
fn edited(document: &str, count: usize, edits: &[(usize, Statement)], added: &[Statement]) -> Option<String> {
    let whole = value_at(document, "Statement")?;
    let is_array = document.get(whole.clone())?.starts_with('[');
    let place = |index: usize| {
        if is_array { value_at(document, &format!("Statement[{index}]")) } else { Some(whole.clone()) }
    };
    let mut edits = edits.to_vec();
    edits.sort_by_key(|(index, _)| *index);
    let mut text = String::new();
    let mut from = 0;
    for index in 0..count {
        let range = place(index)?;
        if index == 0 && !is_array {
            text.push_str(document.get(from..range.start)?);
            text.push('[');
            from = range.start;
        }
        if let Some((_, statement)) = edits.iter().find(|(edited, _)| *edited == index) {
            text.push_str(document.get(from..range.start)?);
            text.push_str(&indented(statement, indentation(document, range.start))?);
            from = range.end;
        }
        if index + 1 == count {
            text.push_str(document.get(from..range.end)?);
            from = range.end;
        }
    }
    let margin = place(0).map_or(4, |first| indentation(document, first.start));
    if count == 0 {
        text.push_str(document.get(from..=whole.start)?);
        from = whole.start + 1;
    }
    for (number, statement) in added.iter().enumerate() {
        let comma = if count == 0 && number == 0 { "" } else { "," };
        write!(text, "{comma}\n{:margin$}{}", "", indented(statement, margin)?).ok()?;
    }
    if !is_array {
        text.push(']');
    }
    text.push_str(document.get(from..)?);
    Some(text)
}

/// The bytes of the value at `path`.
fn value_at(document: &str, path: &str) -> Option<Range<usize>> {
    let (line, column) = policy::place_of(document, path)?;
    let line_start: usize = document.split_inclusive('\n').take(line.checked_sub(1)?).map(str::len).sum();
    let in_line = document.get(line_start..)?;
    let start = line_start + in_line.char_indices().nth(column.checked_sub(1)?)?.0;
    let mut values = serde_json::Deserializer::from_str(document.get(start..)?).into_iter::<IgnoredAny>();
    values.next()?.ok()?;
    Some(start..start + values.byte_offset())
}

/// How far the line with this place is indented.
fn indentation(document: &str, at: usize) -> usize {
    let before = document.get(..at).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    line.len() - line.trim_start_matches(' ').len()
}

fn indented(statement: &Statement, margin: usize) -> Option<String> {
    let pretty = serde_json::to_string_pretty(statement).ok()?;
    Some(pretty.replace('\n', &format!("\n{:margin$}", "")))
}

/// A statement in the one form of several that mean the same: one value or an array of one, in any order.
fn normal(statement: &Value) -> Value {
    match statement {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), if name == "Sid" { value.clone() } else { set(value) }))
            .collect(),
        other => other.clone(),
    }
}

fn set(value: &Value) -> Value {
    match value {
        Value::Array(values) => {
            let mut values: Vec<Value> = values.iter().map(set).collect();
            values.sort_by_key(ToString::to_string);
            match values.as_slice() {
                [one] => one.clone(),
                _ => values.into(),
            }
        }
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), set(value))).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests;
