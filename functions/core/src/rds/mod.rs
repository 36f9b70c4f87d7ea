//! Snapshots of RDS's instances and clusters: the rules for copying them once, and for judging the copies.
//!
//! Nothing uses these rules yet: a policy that names databases is refused.

mod held;
mod kind;
mod name;
mod quota;
mod verdict;

pub use held::{Asked, Disagreement, Held, Holder, judge};
pub use kind::Kind;
pub use name::{CopyName, Source, copy_name};
pub use quota::{Refusal, Usage, refusal};
pub use verdict::{Difference, Expected, Mismatch, Shown, compare};
