//! Copying: the facts it stands on, and the carrying out of what was decided.

mod execute;
mod gather;
mod memory;

pub use execute::execute;
pub use gather::{Ask, gather, owners};
pub use memory::Memory;
