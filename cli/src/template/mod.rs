//! The templates of infra/sam as the command knows them: what their IAM documents say with given parameters.

mod conditions;
mod functions;
mod statement;
mod yaml;

use std::collections::BTreeMap;

use anyhow::Context as _;
use serde_json::{Map, Value};

pub(crate) use self::statement::{Document, Statement};

/// The target account's template.
pub(crate) const VAULT: &str = include_str!("../../../infra/sam/template.yaml");
/// A source account's template.
pub(crate) const SOURCE: &str = include_str!("../../../infra/sam/source-account.yaml");

/// A template with values for its parameters.
#[derive(Debug)]
pub(crate) struct Template {
    parameters: Map<String, Value>,
    conditions: Map<String, Value>,
    resources: Map<String, Value>,
    /// Values of parameters, and of pseudo parameters such as `AWS::Region`.
    given: BTreeMap<&'static str, String>,
}

impl Template {
    /// Reads a template. A parameter that is not given has its default; a pseudo parameter that is not given stays as it
    /// is named.
    ///
    /// # Errors
    /// When the text is no template, or has no parameter of a name that is given.
    pub(crate) fn new<const N: usize>(text: &str, given: [(&'static str, String); N]) -> anyhow::Result<Self> {
        let Value::Object(mut sections) = yaml::read(text)? else { anyhow::bail!("it is no object") };
        let mut section = |name| match sections.remove(name) {
            None => Ok(Map::new()),
            Some(Value::Object(section)) => Ok(section),
            Some(_) => Err(anyhow::anyhow!("{name} is no object")),
        };
        let template = Self {
            parameters: section("Parameters")?,
            conditions: section("Conditions")?,
            resources: section("Resources")?,
            given: given.into(),
        };
        let is_known =
            |name: &&&str| functions::PSEUDO_PARAMETERS.contains(*name) || template.parameters.contains_key(**name);
        let unknown = template.given.keys().find(|name| !is_known(name));
        anyhow::ensure!(unknown.is_none(), "there is no parameter {}", unknown.copied().unwrap_or_default());
        Ok(template)
    }

    /// What a resource says at `pointer` (RFC 6901), as it is written.
    ///
    /// # Errors
    /// When there is no such place.
    pub(crate) fn at(&self, resource: &str, pointer: &str) -> anyhow::Result<&Value> {
        let found = self.resources.get(resource).and_then(|resource| resource.pointer(pointer));
        found.with_context(|| format!("there is no {resource}{pointer}"))
    }

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

#[cfg(test)]
mod tests;
