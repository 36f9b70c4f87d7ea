//! The templates of infra/sam as the command knows them: what their IAM documents say with given parameters.

mod conditions;
mod functions;
mod read;
mod statement;
mod yaml;

pub(crate) use self::read::Template;
pub(crate) use self::statement::{Document, Statement};

/// The target account's template.
pub(crate) const VAULT: &str = include_str!("../../../infra/sam/template.yaml");
/// A source account's template.
pub(crate) const SOURCE: &str = include_str!("../../../infra/sam/source-account.yaml");

#[cfg(test)]
mod tests;
