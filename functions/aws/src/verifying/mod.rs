//! Verifying: the facts it stands on, and the carrying out of what was decided.

mod execute;
mod gather;
mod notes;
mod run;

pub use execute::{execute, name};
pub use gather::{gather, named, unbound, unnamed};
pub use notes::Notes;
pub use run::{Cause, Judge, Run};
