//! Verifying: the facts it stands on, and the carrying out of what was decided.

mod execute;
mod gather;

pub use execute::{execute, name};
pub use gather::{gather, obligations, unbound, unnamed};
