//! What is printed: a record, its place in the chain, its metrics.

use serde::Serialize;

use super::link::{Environment, Hash, Link};
use super::metrics::Metrics;
use super::record::Record;

/// The lines of an environment as they are written.
#[derive(Debug)]
pub struct Chain(Link);

impl Chain {
    /// The chain of an environment that has not written anything.
    #[must_use]
    pub fn new(environment: Environment) -> Self {
        Self(Link { environment, line: 1, previous: Hash::default() })
    }

    /// The next line: the record with its link.
    #[must_use]
    pub fn line(&mut self, record: &Record) -> String {
        let line = printed(record, Some(&self.0));
        self.0.previous = Hash::of(line.as_bytes());
        self.0.line = self.0.line.saturating_add(1);
        line
    }
}

impl Record {
    /// The line as no function prints it: without a link, and without its end.
    #[must_use]
    pub fn to_line(&self) -> String {
        printed(self, None)
    }
}

/// The record's members, then its link, then the members that make metrics of it.
#[derive(Serialize)]
struct Printed<'r> {
    #[serde(flatten)]
    record: &'r Record,
    #[serde(skip_serializing_if = "Option::is_none")]
    chain: Option<&'r Link>,
    #[serde(flatten)]
    metrics: Option<Metrics>,
}

fn printed(record: &Record, chain: Option<&Link>) -> String {
    // Strings, numbers and maps with text keys only: nothing here can fail to serialize.
    serde_json::to_string(&Printed { record, chain, metrics: Metrics::of(record) }).unwrap_or_default()
}
