//! What the commands share of the terminal: the files that they are given, the audit lines in these, times, tables, and how they end.

pub(crate) mod audit_lines;
pub(crate) mod csv;
pub(crate) mod exit;
pub(crate) mod file;
pub(crate) mod input;
pub(crate) mod lineages;
pub(crate) mod package;
pub(crate) mod table;
pub(crate) mod time;
