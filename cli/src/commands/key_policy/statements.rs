//! What a source account's key policy has to say: the statements of infra/sam/source-account.yaml.

use anyhow::Context as _;
use snapferry_core::ids::AccountId;

use crate::template::{self, Statement, Template};

/// The statements that let the target account's roles under `/snapferry/`, or its one role, use the key for copies.
///
/// Source: EBS User Guide, "Share the KMS key used to encrypt a shared Amazon EBS snapshot".
///
/// # Errors
/// When the template is not as this version of the command reads it.
pub(crate) fn statements(partition: &str, target: &AccountId, role: Option<&str>) -> anyhow::Result<Vec<Statement>> {
    let key = || {
        let given = [("AWS::Partition", partition.to_owned()), ("TargetAccount", target.to_string())];
        let template = Template::new(template::SOURCE, given)?;
        template.document("SnapshotKey", template.at("SnapshotKey", "/Properties/KeyPolicy")?)
    };
    let mut statements = key().context("infra/sam/source-account.yaml")?.into_statements();
    // The account of the key governs it, which each key policy says in its own words already.
    statements.retain(|statement| !statement.names("${AWS::AccountId}"));
    let Some(role) = role else { return Ok(statements) };
    statements.into_iter().map(|statement| statement.of_role(role)).collect()
}
