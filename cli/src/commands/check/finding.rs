//! What `check` found in a document.

use std::fmt;

use serde::Serialize;
use snapferry_core::policy::{self, PolicyError, Warning};

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    /// Snapferry does not start with this document.
    Error,
    /// Snapferry does what stands there, which may not be what was meant.
    Warning,
    /// Good to know; never a reason to fail, not even with `--strict`.
    Note,
}

/// One thing found. This is its form in `--json`, too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    /// How much it weighs.
    pub(crate) level: Level,
    /// What kind of finding this is, in kebab-case.
    pub(crate) code: &'static str,
    /// The policy's name; absent for errors, which concern the document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) policy: Option<String>,
    /// The member's path in the document, empty for the document itself.
    pub(crate) path: String,
    /// What is found there.
    pub(crate) message: String,
    /// What would be right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) allowed: Option<String>,
    /// The line of the member's value, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) line: Option<usize>,
    /// The column in that line, in characters, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) column: Option<usize>,
}

impl Finding {
    /// A finding about a policy; it has no place in the document yet.
    pub(crate) fn new(level: Level, code: &'static str, policy: &str, path: String, message: String) -> Self {
        let policy = Some(policy.to_owned());
        Self { level, code, policy, path, message, allowed: None, line: None, column: None }
    }

    /// An error about the document as a whole.
    pub(crate) fn error(code: &'static str, message: String, allowed: Option<String>) -> Self {
        let path = String::new();
        Self { level: Level::Error, code, policy: None, path, message, allowed, line: None, column: None }
    }

    /// Looks the path up in the document.
    pub(crate) fn placed(mut self, document: &str) -> Self {
        let place = policy::place_of(document, &self.path);
        (self.line, self.column) = (place.map(|(line, _)| line), place.map(|(_, column)| column));
        self
    }
}

impl From<PolicyError> for Finding {
    fn from(error: PolicyError) -> Self {
        Self {
            level: Level::Error,
            code: "policy-invalid",
            policy: None,
            path: error.path,
            message: error.message,
            allowed: Some(error.allowed),
            line: error.line,
            column: error.column,
        }
    }
}

impl From<Warning> for Finding {
    fn from(warning: Warning) -> Self {
        Self::new(Level::Warning, warning.code.name(), warning.policy.as_str(), warning.path, warning.message)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => f.write_str(&self.message),
            path => write!(f, "{path}: {}", self.message),
        }
    }
}
