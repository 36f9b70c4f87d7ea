//! A template's Conditions (CloudFormation Template Reference, "Condition functions").

use anyhow::Context as _;
use serde_json::Value;

use super::read::Template;

/// More conditions within another than any template has: then they go round in a circle.
const MAX_DEPTH: usize = 32;

impl Template {
    /// Whether the condition of this name holds.
    ///
    /// # Errors
    /// When there is none, or it cannot be evaluated.
    pub(super) fn condition(&self, name: &str) -> anyhow::Result<bool> {
        self.named(name, MAX_DEPTH)
    }

    fn named(&self, name: &str, depth: usize) -> anyhow::Result<bool> {
        let condition = self.conditions.get(name).with_context(|| format!("there is no condition {name}"))?;
        self.holds(condition, depth).with_context(|| format!("condition {name}"))
    }

    fn holds(&self, condition: &Value, depth: usize) -> anyhow::Result<bool> {
        let depth = depth.checked_sub(1).context("it leads back to itself")?;
        let mut members = condition.as_object().into_iter().flatten();
        let (Some((name, argument)), None) = (members.next(), members.next()) else {
            anyhow::bail!("it is no function: {condition}");
        };
        let among = argument.as_array().map(Vec::as_slice).unwrap_or_default();
        match (name.as_str(), among) {
            ("Condition", _) => self.named(argument.as_str().context("Condition takes a name")?, depth),
            ("Fn::Equals", [left, right]) => Ok(self.text(left)? == self.text(right)?),
            ("Fn::Not", [one]) => Ok(!self.holds(one, depth)?),
            ("Fn::And", [_, _, ..]) => among.iter().try_fold(true, |all, each| Ok(self.holds(each, depth)? && all)),
            ("Fn::Or", [_, _, ..]) => among.iter().try_fold(false, |any, each| Ok(self.holds(each, depth)? || any)),
            ("Fn::Equals" | "Fn::Not" | "Fn::And" | "Fn::Or", _) => {
                anyhow::bail!("{name} takes a list of another length: {argument}")
            }
            _ => anyhow::bail!("{name}: only Condition, Fn::And, Fn::Equals, Fn::Not and Fn::Or are evaluated"),
        }
    }
}
