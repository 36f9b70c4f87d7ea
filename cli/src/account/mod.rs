//! What the commands share of the target account: the way into it, what stands there, the copier's queue and its ledger.

pub(crate) mod connection;
pub(crate) mod copies;
pub(crate) mod databases;
pub(crate) mod ledger;
pub(crate) mod look;
pub(crate) mod owed;
mod profile;
pub(crate) mod queue;
