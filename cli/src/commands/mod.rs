//! The commands: each is a module with its arguments and a `run` that gives the exit code.

pub(crate) mod audit;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod copy;
pub(crate) mod coverage;
pub(crate) mod doctor;
pub(crate) mod iam;
pub(crate) mod key_policy;
pub(crate) mod man;
pub(crate) mod owners;
pub(crate) mod plan;
pub(crate) mod prove;
pub(crate) mod recover;
pub(crate) mod replay;
