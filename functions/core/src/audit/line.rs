//! What is printed: a record, its place in the chain, its metrics.

use serde::Serialize;

use super::link::{Environment, Hash, Link};
use super::metrics::{Metrics, NAMESPACE};
use super::record::Record;
use crate::ids::MetricNamespace;
use crate::kind::SourceType;

/// The lines of an environment as they are written.
#[derive(Debug)]
pub struct Chain {
    link: Link,
    /// Of what the snapshots are.
    kind: SourceType,
    /// Where the lines' metrics go; [`NAMESPACE`] when nothing is said.
    namespace: Option<MetricNamespace>,
    /// Whether each owner has a metric of its own, which costs money.
    owner_metrics: bool,
}

impl Chain {
    /// The chain of an environment that has not written anything.
    #[must_use]
    pub fn new(environment: Environment) -> Self {
        let link = Link { environment, line: 1, previous: Hash::default() };
        Self { link, kind: SourceType::EbsSnapshot, namespace: None, owner_metrics: false }
    }

    /// The same, about snapshots of another kind.
    #[must_use]
    pub fn of_kind(self, kind: SourceType) -> Self {
        Self { kind, ..self }
    }

    /// The same, whose metrics stand in another namespace than [`NAMESPACE`], if one is given.
    #[must_use]
    pub fn with_namespace(self, namespace: Option<MetricNamespace>) -> Self {
        Self { namespace, ..self }
    }

    /// The same, in which each owner has a metric of its own or none.
    #[must_use]
    pub fn with_owner_metrics(self, owner_metrics: bool) -> Self {
        Self { owner_metrics, ..self }
    }

    /// The next line: the record with its link.
    #[must_use]
    pub fn line(&mut self, record: &Record) -> String {
        let namespace = self.namespace.as_ref().map_or(NAMESPACE, MetricNamespace::as_str);
        let metrics = Metrics::of(record, namespace).filter(|_| self.owner_metrics || record.owner.is_none());
        let line = printed(&record.clone().of_kind(self.kind), Some(&self.link), metrics);
        self.link.previous = Hash::of(line.as_bytes());
        self.link.line = self.link.line.saturating_add(1);
        line
    }
}

impl Record {
    /// The line as no function prints it: without a link, without its end, and with all the metrics that there may be.
    #[must_use]
    pub fn to_line(&self) -> String {
        printed(self, None, Metrics::of(self, NAMESPACE))
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
    metrics: Option<Metrics<'r>>,
}

fn printed(record: &Record, chain: Option<&Link>, metrics: Option<Metrics<'_>>) -> String {
    // Strings, numbers and maps with text keys only: nothing here can fail to serialize.
    serde_json::to_string(&Printed { record, chain, metrics }).unwrap_or_default()
}
