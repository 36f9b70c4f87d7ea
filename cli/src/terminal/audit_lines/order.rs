//! In what order an export's lines stand.

/// In what order a file's lines stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// In the log's: each behind those that were written before it.
    OfLog,
    /// In that of a query's rows or of a table: newest first, by default, and those of one millisecond in any.
    OfRows,
}
