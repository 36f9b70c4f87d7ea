//! Whom a statement of a key policy is for.

use serde_json::Value;

/// Whom a statement names.
pub(super) fn principals(statement: &Value) -> Vec<String> {
    let mut names = Vec::new();
    match statement.get("Principal") {
        Some(Value::Object(kinds)) => kinds.values().for_each(|named| match named {
            Value::Array(several) => names.extend(several.iter().filter_map(Value::as_str).map(str::to_owned)),
            one => names.extend(one.as_str().map(str::to_owned)),
        }),
        Some(one) => names.extend(one.as_str().map(str::to_owned)),
        None => {}
    }
    names
}

/// Whom a statement allows: those whom `aws:PrincipalArn` narrows it to, or else whom it names.
pub(super) fn users(statement: &Value) -> Vec<String> {
    match statement.pointer("/Condition/ArnLike/aws:PrincipalArn") {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => principals(statement),
    }
}

/// Whether a user, or all whom a pattern of ours means, which ends with an asterisk, are or have another in it.
pub(super) fn has(user: &str, name: &str) -> bool {
    user == name || user.strip_suffix('*').is_some_and(|beginning| name.starts_with(beginning))
}
