//! Expiring: the facts it stands on, and the carrying out of what was decided.

mod execute;
mod gather;
mod run;

pub use execute::execute;
pub use gather::gather;
pub use run::Expirer;
