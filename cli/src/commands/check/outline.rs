//! Where the parts of a valid document stand, and what of it the checked policy no longer knows.

use serde_json::Value;

/// One policy in a document.
#[derive(Debug)]
pub(crate) struct Outline<'v> {
    /// The path of the `Policy`, or of the document when that is a bare `PolicyDetails`.
    pub(crate) path: String,
    /// What stands there.
    pub(crate) value: &'v Value,
    /// The path of the `PolicyDetails`.
    pub(crate) details: String,
    /// The actions, in order.
    pub(crate) actions: Vec<ActionOutline<'v>>,
}

/// One action of a policy.
#[derive(Debug)]
pub(crate) struct ActionOutline<'v> {
    /// Its `Name`.
    pub(crate) name: &'v str,
    /// The paths of its `CrossRegionCopy` entries, in order.
    pub(crate) copies: Vec<String>,
}

impl Outline<'_> {
    /// The paths of all `CrossRegionCopy` entries, in the order of the checked policy's targets.
    pub(crate) fn copies(&self) -> impl Iterator<Item = &str> {
        self.actions.iter().flat_map(|action| action.copies.iter().map(String::as_str))
    }

    /// The path of the event source's `Parameters`.
    pub(crate) fn parameters(&self) -> String {
        member(&self.details, "EventSource.Parameters")
    }

    /// The `DescriptionRegex`, when the document has one.
    pub(crate) fn has_description_regex(&self) -> bool {
        self.parameter("DescriptionRegex").is_some_and(Value::is_string)
    }

    /// The `DatabaseFilter`, when the document has one.
    pub(crate) fn database_filter(&self) -> Option<&Value> {
        self.parameter("DatabaseFilter")
    }

    fn parameter(&self, name: &str) -> Option<&Value> {
        let details = self.value.get("PolicyDetails").unwrap_or(self.value);
        details.pointer("/EventSource/Parameters")?.get(name)
    }
}

/// Outlines a document that the parser took, its policies in order.
pub(crate) fn outline(document: &Value) -> Vec<Outline<'_>> {
    match document {
        Value::Array(answers) => {
            let policies = answers.iter().enumerate();
            policies
                .filter_map(|(index, answer)| Some(policy(format!("[{index}].Policy"), answer.get("Policy")?)))
                .collect()
        }
        _ => match document.get("Policy") {
            Some(inner) => vec![policy("Policy".to_owned(), inner)],
            None => vec![policy(String::new(), document)],
        },
    }
}

/// The path of a member of the object at `path`.
pub(crate) fn member(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn policy(path: String, value: &Value) -> Outline<'_> {
    let (details, inner) = match value.get("PolicyDetails") {
        Some(inner) => (member(&path, "PolicyDetails"), inner),
        None => (path.clone(), value),
    };
    let actions = items(inner.get("Actions")).enumerate().map(|(index, value)| {
        let copies = items(value.get("CrossRegionCopy")).enumerate();
        let at = format!("{}[{index}].CrossRegionCopy", member(&details, "Actions"));
        ActionOutline {
            name: value.get("Name").and_then(Value::as_str).unwrap_or_default(),
            copies: copies.map(|(index, _)| format!("{at}[{index}]")).collect(),
        }
    });
    let actions = actions.collect();
    Outline { path, value, details, actions }
}

fn items(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}
