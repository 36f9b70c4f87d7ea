//! What a key policy that is there already says against our statements: an Allow beside a Deny allows nothing.
//!
//! Judged for the worst: a Deny counts unless it surely meets none of our requests (IAM User Guide, "Policy evaluation logic").

use serde_json::Value;
use snapferry_core::ids::AccountId;
use snapferry_core::text::printable;

use crate::template::Statement;

/// For whom our statements are.
pub(super) struct Ours<'a> {
    pub(super) statements: &'a [Statement],
    pub(super) target: &'a AccountId,
    pub(super) role: Option<&'a str>,
    pub(super) partition: &'a str,
}

/// A sentence for each statement of the key policy that may deny what ours allow, or names another partition.
pub(super) fn warnings(document: &str, ours: &Ours<'_>) -> Vec<String> {
    let Ok(policy) = serde_json::from_str::<Value>(document) else { return Vec::new() };
    let statements = several(policy.get("Statement"));
    statements.iter().enumerate().flat_map(|(index, statement)| about(index + 1, statement, ours)).collect()
}

fn about(number: usize, statement: &Value, ours: &Ours<'_>) -> Vec<String> {
    let sid = statement.get("Sid").and_then(Value::as_str);
    let name = sid.map_or_else(|| format!("statement {number}"), |sid| format!("statement {}", printable(sid, 128)));
    let mut warnings = Vec::new();
    let denied: Vec<&str> =
        ours.statements.iter().filter(|our| denies(statement, our, ours)).map(|our| &*our.sid).collect();
    if statement.get("Effect").and_then(Value::as_str) == Some("Deny") && !denied.is_empty() {
        warnings.push(format!(
            "the key policy's {name} is a Deny that may hit what {} allows; except {} from it, or see that its conditions do",
            denied.join(" and "),
            ours.role.unwrap_or(ours.target.as_str()),
        ));
    }
    let foreign = names(statement).into_iter().find(|name| {
        let partition = name.strip_prefix("arn:").and_then(|rest| rest.split(':').next());
        partition.is_some_and(|partition| partition != ours.partition)
    });
    if let Some(foreign) = foreign {
        warnings.push(format!(
            "the key policy's {name} names {}, which is not in the partition {} of the policy's Targets: no key serves two \
             partitions; take the key policy of a key in {}",
            printable(&foreign, 256),
            ours.partition,
            ours.partition,
        ));
    }
    warnings
}

fn denies(deny: &Value, our: &Statement, ours: &Ours<'_>) -> bool {
    let our = serde_json::to_value(our).unwrap_or_default();
    has_action(deny, &our) && has_resource(deny) && has_principal(deny, ours) && may_hold(deny, &our, ours)
}

fn has_action(deny: &Value, our: &Value) -> bool {
    let actions = texts(our.get("Action"));
    match deny.get("NotAction") {
        Some(spared) => {
            let spared = texts(Some(spared));
            !actions.iter().all(|action| spared.iter().any(|pattern| overlap(pattern, action, Overlap::Whole)))
        }
        None => {
            let denied = texts(deny.get("Action"));
            actions.iter().any(|action| denied.iter().any(|pattern| overlap(pattern, action, Overlap::Some)))
        }
    }
}

/// In a key policy each Resource means this key, if it means any (KMS Developer Guide, "Elements in a key policy").
fn has_resource(deny: &Value) -> bool {
    !texts(deny.get("NotResource")).iter().any(|resource| resource == "*")
}

/// Whom a NotPrincipal spares depends on roles and their sessions: it is taken to spare nobody.
fn has_principal(deny: &Value, ours: &Ours<'_>) -> bool {
    let named = match deny.get("Principal") {
        None => return true,
        Some(Value::Object(kinds)) => texts(kinds.get("AWS")),
        Some(one) => texts(Some(one)),
    };
    named.iter().any(|name| {
        let mut parts = name.splitn(6, ':').skip(2);
        let (service, account, resource) = (parts.next(), parts.nth(1), parts.next().unwrap_or_default());
        let is_account = account == Some(ours.target.as_str()) || name == ours.target.as_str();
        // Another role or user than ours; a session may be of ours.
        let is_other = service == Some("iam") && resource != "root" && ours.role.is_some_and(|role| role != name);
        name.contains('*') || (is_account && !is_other)
    })
}

/// Whether no condition is known to be false in each of our requests.
fn may_hold(deny: &Value, our: &Value, ours: &Ours<'_>) -> bool {
    let operators = deny.get("Condition").and_then(Value::as_object).into_iter().flatten();
    let mut all = operators.flat_map(|(operator, keys)| {
        keys.as_object().into_iter().flatten().map(move |(key, values)| (operator, key, texts(Some(values))))
    });
    all.all(|(operator, key, values)| !is_false(operator, key, &values, our, ours))
}

fn is_false(operator: &str, key: &str, values: &[String], our: &Value, ours: &Ours<'_>) -> bool {
    let operator = operator.to_ascii_lowercase();
    let target = ours.target.as_str();
    match (operator.trim_end_matches("ifexists"), key.to_ascii_lowercase().as_str()) {
        ("stringequals" | "stringlike", "kms:calleraccount" | "aws:principalaccount") => {
            !values.iter().any(|value| overlap(value, target, Overlap::Some))
        }
        ("stringnotequals", "kms:calleraccount" | "aws:principalaccount") => values.iter().any(|value| value == target),
        ("stringnotlike", "kms:calleraccount" | "aws:principalaccount") => {
            values.iter().any(|value| overlap(value, target, Overlap::Whole))
        }
        // The SDK and EC2 ask over TLS only.
        ("bool", "aws:securetransport") => values.iter().all(|value| value.eq_ignore_ascii_case("false")),
        // Ours allows nothing but what has this.
        ("bool", "kms:grantisforawsresource") => {
            let is_ours = our.pointer("/Condition/Bool/kms:GrantIsForAWSResource").is_some();
            is_ours && values.iter().all(|value| value.eq_ignore_ascii_case("false"))
        }
        _ => false,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Overlap {
    /// Something matches both patterns.
    Some,
    /// The first pattern matches whatever the second one does.
    Whole,
}

/// How two patterns with `*` and `?` meet, in any case of letters.
fn overlap(left: &str, right: &str, how: Overlap) -> bool {
    let [left, right] = [left, right].map(|text| text.to_ascii_lowercase().into_bytes());
    // Row by row: whether the rest of `left` from here meets the rest of `right`, beginning with the empty rest.
    let rest = |right: &[u8]| how == Overlap::Some && right.iter().all(|byte| *byte == b'*');
    let mut below: Vec<bool> =
        (0..=right.len()).map(|at| at == right.len() || rest(right.get(at..).unwrap_or_default())).collect();
    for byte in left.iter().rev() {
        let mut row = vec![false; right.len() + 1];
        let get = |row: &[bool], at: usize| row.get(at).copied().unwrap_or_default();
        for at in (0..=right.len()).rev() {
            let other = right.get(at);
            let met = match (byte, other) {
                (b'*', None) => get(&below, at),
                (b'*', Some(_)) => get(&below, at) || get(&row, at + 1),
                (_, Some(b'*')) if how == Overlap::Some => get(&row, at + 1) || get(&below, at),
                (_, Some(b'*')) | (_, None) => false,
                (b'?', Some(_)) => get(&below, at + 1),
                (_, Some(b'?')) => how == Overlap::Some && get(&below, at + 1),
                (byte, Some(other)) => byte == other && get(&below, at + 1),
            };
            if let Some(place) = row.get_mut(at) {
                *place = met;
            }
        }
        below = row;
    }
    below.first().copied().unwrap_or_default()
}

/// Whom a statement names, in its Principal or its NotPrincipal.
fn names(statement: &Value) -> Vec<String> {
    let named = ["Principal", "NotPrincipal"].into_iter().filter_map(|member| statement.get(member));
    named.filter_map(|kinds| kinds.get("AWS")).flat_map(|aws| texts(Some(aws))).collect()
}

fn several(value: Option<&Value>) -> Vec<Value> {
    match value {
        Some(Value::Array(values)) => values.clone(),
        Some(one) => vec![one.clone()],
        None => Vec::new(),
    }
}

/// A value or several, each as text: true is "true".
fn texts(value: Option<&Value>) -> Vec<String> {
    several(value).iter().map(|one| one.as_str().map_or_else(|| one.to_string(), str::to_owned)).collect()
}

#[cfg(test)]
mod tests;
