//! Statements and documents of IAM policies, without functions.

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::read::Template;

/// A policy document.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Document {
    version: String,
    statement: Vec<Statement>,
}

/// One statement.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Statement {
    /// What it is for, in a sentence. JSON has no place for it.
    #[serde(skip)]
    pub(crate) why: String,
    pub(crate) sid: String,
    effect: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    principal: Option<Value>,
    #[serde(with = "one_or_several")]
    action: Vec<String>,
    #[serde(with = "one_or_several")]
    resource: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    condition: Option<Value>,
}

impl Template {
    /// An IAM document of a resource, with the sentences that the resource's Metadata has for its statements.
    ///
    /// # Errors
    /// When it is no IAM document, has a function that is not evaluated, or a statement without a sentence.
    pub(crate) fn document(&self, resource: &str, written: &Value) -> anyhow::Result<Document> {
        let document = self.evaluated(written)?.context("it is AWS::NoValue")?;
        let sentences = self.at(resource, "/Metadata/Statements")?;
        Document::new(document, sentences)
    }
}

impl Document {
    /// A document as a template has it, and the sentence for each of its statements by Sid.
    ///
    /// # Errors
    /// When it is no policy document, or has a statement without a Sid or without a sentence.
    pub(super) fn new(document: Value, sentences: &Value) -> anyhow::Result<Self> {
        let mut document = distinct(document);
        // In one order, whether or not the build has serde_json keep that of the template.
        document.sort_all_objects();
        let mut document: Self = serde_json::from_value(document).context("it is no policy document")?;
        for statement in &mut document.statement {
            let sentence = sentences.get(&statement.sid).and_then(Value::as_str);
            statement.why = sentence.with_context(|| format!("no sentence explains {}", statement.sid))?.to_owned();
        }
        Ok(document)
    }

    /// The statements, in order.
    pub(crate) fn statements(&self) -> &[Statement] {
        &self.statement
    }

    /// The statements, in order.
    pub(crate) fn into_statements(self) -> Vec<Statement> {
        self.statement
    }
}

impl Statement {
    /// The statement for one role instead of those that its condition `aws:PrincipalArn` means.
    ///
    /// # Errors
    /// When it has no such condition.
    pub(crate) fn of_role(mut self, role: &str) -> anyhow::Result<Self> {
        let condition = self.condition.as_mut().and_then(|all| all.pointer_mut("/ArnLike/aws:PrincipalArn"));
        *condition.with_context(|| format!("{} does not say for which roles it is", self.sid))? = role.into();
        Ok(self)
    }

    /// Whether the statement's Principal has this in it.
    pub(crate) fn names(&self, part: &str) -> bool {
        self.principal.as_ref().is_some_and(|principal| principal.to_string().contains(part))
    }
}

/// Without what a list says again, as where the Region of the stack is a target too: IAM reads lists as sets.
fn distinct(value: Value) -> Value {
    match value {
        Value::Array(values) => {
            let mut found = Vec::new();
            for each in values.into_iter().map(distinct) {
                if !found.contains(&each) {
                    found.push(each);
                }
            }
            found.into()
        }
        Value::Object(members) => members.into_iter().map(|(name, each)| (name, distinct(each))).collect(),
        scalar => scalar,
    }
}

/// One value stands without brackets (IAM User Guide, "Grammar of the IAM JSON policy language").
mod one_or_several {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Listed {
        One(String),
        Several(Vec<String>),
    }

    pub(super) fn serialize<S: Serializer>(values: &[String], serializer: S) -> Result<S::Ok, S::Error> {
        match values {
            [one] => one.serialize(serializer),
            several => several.serialize(serializer),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
        Ok(match Listed::deserialize(deserializer)? {
            Listed::One(one) => vec![one],
            Listed::Several(several) => several,
        })
    }
}
