//! Where the audit goes: standard output, a line for each record, past every log level.

use std::io::Write as _;
use std::sync::Mutex;

use snapferry_core::audit::Record;

/// The audit's end of the function.
#[derive(Debug, Default)]
pub struct Audit {
    /// Held while a line is written, so that lines never mix.
    writing: Mutex<()>,
}

impl Audit {
    /// Writes one record. A line that cannot be written to standard output goes to standard error: the decision that it
    /// tells of has been carried out already.
    pub fn write(&self, record: &Record) {
        let _guard = self.writing.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let line = record.to_line();
        let mut out = std::io::stdout().lock();
        if let Err(error) = writeln!(out, "{line}").and_then(|()| out.flush()) {
            tracing::error!(%error, line, "the audit line could not be written to standard output");
        }
    }
}
