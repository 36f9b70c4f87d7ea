//! What the commands share of the terminal: the files that they are given, the audit lines in these, times, and how they end.

pub(crate) mod audit_lines;
pub(crate) mod exit;
pub(crate) mod input;
pub(crate) mod time;
