//! What is wrong with a document, and what is only remarkable.

use std::fmt;

use jiff::Timestamp;

use super::path::Path;
use crate::audit::{PolicyWarning, Record};
use crate::ids::PolicyName;

/// The first thing that is wrong with a policy document, in one line:
/// `Policy.PolicyDetails.Actions[0].CrossRegionCopy[1].Target: missing; allowed: a Region code such as eu-central-1`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct PolicyError {
    /// Where: the member's path in the document, empty for the document itself.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub allowed: String,
    /// The line of the member's value (or of the unknown member, or of the syntax error), counted from 1.
    pub line: Option<usize>,
    /// The column in that line, in characters, counted from 1.
    pub column: Option<usize>,
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "policy document" } else { &self.path };
        write!(f, "{path}: {}; allowed: {}", self.message, self.allowed)
    }
}

/// Something in a policy that is accepted and deserves a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The policy.
    pub policy: PolicyName,
    /// The member's path in the document.
    pub path: String,
    /// What follows from it, in one line.
    pub message: String,
    /// What kind of warning this is: for filters and alarms.
    pub code: PolicyWarning,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.path, self.message, self.code)
    }
}

impl Warning {
    /// The record of something remarkable in a policy.
    #[must_use]
    pub fn record(&self, now: Timestamp) -> Record {
        let mut record = Record::new(self.code, now).message(format!("{}: {}", self.path, self.message));
        record.policy = Some(self.policy.to_string());
        record
    }
}

/// Collects the warnings of one policy.
#[derive(Debug)]
pub(super) struct Warnings<'a> {
    pub(super) policy: &'a PolicyName,
    pub(super) all: &'a mut Vec<Warning>,
}

impl Warnings<'_> {
    pub(super) fn add(&mut self, path: &Path, code: PolicyWarning, message: impl Into<String>) {
        let policy = self.policy.clone();
        self.all.push(Warning { policy, path: path.to_string(), message: message.into(), code });
    }
}
