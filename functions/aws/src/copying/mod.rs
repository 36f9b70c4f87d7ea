//! Copying: the facts it stands on, and the carrying out of what was decided.

mod execute;
mod gather;

pub use execute::execute;
pub use gather::{Ask, gather, owners};
