//! Copying without the ledger, by commands: the facts that a plan stands on, and copies where there is no stack.

mod execute;
mod gather;

pub use execute::execute;
pub use gather::{Ask, gather, owners};
