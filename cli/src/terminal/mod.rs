//! What the commands share of the terminal: the files that they are given, and how they end.

pub(crate) mod exit;
pub(crate) mod input;
