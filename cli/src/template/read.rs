//! A template as it is written, with the values that its parameters are given.

use std::collections::BTreeMap;

use anyhow::Context as _;
use serde_json::{Map, Value};

use super::yaml;

/// CloudFormation Template Reference, "Pseudo parameters reference"; `AWS::NoValue` apart.
pub(super) const PSEUDO_PARAMETERS: [&str; 7] = [
    "AWS::AccountId",
    "AWS::NotificationARNs",
    "AWS::Partition",
    "AWS::Region",
    "AWS::StackId",
    "AWS::StackName",
    "AWS::URLSuffix",
];

/// A template with values for its parameters.
#[derive(Debug)]
pub(crate) struct Template {
    pub(super) parameters: Map<String, Value>,
    pub(super) conditions: Map<String, Value>,
    pub(super) resources: Map<String, Value>,
    /// Values of parameters, and of pseudo parameters such as `AWS::Region`.
    pub(super) given: BTreeMap<&'static str, String>,
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
        let is_known = |name: &&&str| PSEUDO_PARAMETERS.contains(*name) || template.parameters.contains_key(**name);
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
}
