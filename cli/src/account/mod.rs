//! What the commands share of the target account: the way into it, what stands there, and the copier's queue.

pub(crate) mod connection;
pub(crate) mod look;
mod profile;
pub(crate) mod queue;
