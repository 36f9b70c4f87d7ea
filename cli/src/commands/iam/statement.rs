//! Statements and documents of IAM policies, as they are written.

use std::borrow::Cow;

use serde::{Serialize, Serializer};
use serde_json::Value;

/// The version of the policy language (IAM User Guide, "Version").
const VERSION: &str = "2012-10-17";

/// A policy document.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Document {
    version: &'static str,
    statement: Vec<Statement>,
}

/// One statement, which allows something.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Statement {
    /// What it is for, in a sentence. JSON has no place for it.
    #[serde(skip)]
    pub(crate) why: &'static str,
    pub(crate) sid: Cow<'static, str>,
    effect: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    principal: Option<Value>,
    #[serde(serialize_with = "one_or_several")]
    action: Vec<String>,
    #[serde(serialize_with = "one_or_several")]
    resource: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<Value>,
}

impl Document {
    /// A document with these statements.
    pub(crate) fn new(statement: Vec<Statement>) -> Self {
        Self { version: VERSION, statement }
    }

    /// The statements, in order.
    pub(crate) fn statements(&self) -> &[Statement] {
        &self.statement
    }
}

impl Statement {
    /// Allows actions on resources.
    pub(crate) fn allow(
        sid: &'static str,
        why: &'static str,
        action: &[&str],
        resource: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        Self {
            why,
            sid: Cow::Borrowed(sid),
            effect: "Allow",
            principal: None,
            action: action.iter().map(ToString::to_string).collect(),
            resource: resource.into_iter().map(Into::into).collect(),
            condition: None,
        }
    }

    /// To whom, in a resource's policy.
    pub(crate) fn to(mut self, principal: Value) -> Self {
        self.principal = Some(principal);
        self
    }

    /// Only when this holds.
    pub(crate) fn when(mut self, condition: Value) -> Self {
        self.condition = Some(condition);
        self
    }
}

/// One value stands without brackets (IAM User Guide, "Grammar of the IAM JSON policy language").
fn one_or_several<S: Serializer>(values: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    match values {
        [one] => one.serialize(serializer),
        several => several.serialize(serializer),
    }
}
