//! How an invocation ended.

use snapferry_core::facts::CallError;

/// How an invocation ended. Nothing of it stops the ticks; what is owed stands in the ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Handled {
    /// The ledger did not answer at least once.
    pub ledger_unread: Option<CallError>,
    /// The shared snapshots could not be read in the home Region.
    pub home_unread: Option<CallError>,
    /// Something that a share event asks for may stand neither in the ledger nor among the copies: share messages go back to the
    /// queue.
    pub gives_back: bool,
}
