//! Where the audit goes: standard output, a line for each record, past every log level.

use std::io::Write as _;
use std::sync::{Mutex, PoisonError};

use anyhow::Context as _;
use jiff::Timestamp;
use snapferry_core::audit::{Chain, Environment, NAMESPACE, Record};
use snapferry_core::ids::MetricNamespace;
use snapferry_core::policy::SourceType;

use crate::settings;

/// The audit's end of the function: one for each life of the process.
#[derive(Debug)]
pub struct Audit {
    /// Held while a line is written, so that lines never mix and stand in the order of their numbers.
    chain: Mutex<Chain>,
}

impl Audit {
    /// The audit of an environment that begins now.
    ///
    /// # Errors
    /// When `SNAPFERRY_METRIC_NAMESPACE` or `SNAPFERRY_OWNER_METRICS` cannot be used.
    pub fn of_function() -> anyhow::Result<Self> {
        Self::begun(settings::metric_namespace()?, SourceType::EbsSnapshot)
    }

    /// The audit of an environment that begins now, for snapshots of one kind: its metrics stand in `name` below the stack's namespace.
    ///
    /// # Errors
    /// As for [`of_function`](Self::of_function).
    pub fn of_kind(kind: SourceType, name: &str) -> anyhow::Result<Self> {
        let stack = settings::metric_namespace()?;
        let namespace = format!("{}/{name}", stack.as_ref().map_or(NAMESPACE, MetricNamespace::as_str));
        let namespace = MetricNamespace::parse(&namespace).with_context(|| {
            format!("SNAPFERRY_METRIC_NAMESPACE: a namespace that has room for /{name} expected, found {namespace:?}")
        })?;
        Self::begun(Some(namespace), kind)
    }

    fn begun(namespace: Option<MetricNamespace>, kind: SourceType) -> anyhow::Result<Self> {
        let environment = Environment::new(Timestamp::now(), fastrand::u64(..));
        let chain = Chain::new(environment).of_kind(kind).with_namespace(namespace);
        let chain = chain.with_owner_metrics(settings::owner_metrics()?);
        Ok(Self { chain: Mutex::new(chain) })
    }

    /// Writes one record. A line that cannot be written to standard output goes to standard error: the decision that it
    /// tells of has been carried out already. In the chain it stays a gap.
    pub fn write(&self, record: &Record) {
        let mut chain = self.chain.lock().unwrap_or_else(PoisonError::into_inner);
        let line = chain.line(record);
        let mut out = std::io::stdout().lock();
        if let Err(error) = writeln!(out, "{line}").and_then(|()| out.flush()) {
            tracing::error!(%error, line, "the audit line could not be written to standard output");
        }
    }
}
