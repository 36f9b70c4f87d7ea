//! Proving: the copies that wait for it, their blocks and their sources', and the carrying out of what was found.

mod blocks;
mod execute;
mod gather;
mod walk;

pub use self::blocks::Blocks;
pub use self::execute::{Outcome, owe_again, settle};
pub use self::gather::{Candidate, Sought, gather, source_of};
pub use self::walk::{Goes, KEPT_EVERY, Sides, go_on, is_unchanged};
