//! Snapshots of RDS's instances and clusters: which can be copied, the rules for copying them once, and what they are to the laws.
//!
//! Nothing uses these rules yet but the calls in the seam: a policy that names databases is refused.

mod arn;
mod described;
pub mod errors;
mod facts;
mod held;
mod kind;
mod name;
mod quota;
mod request;
mod tags;

pub use arn::SnapshotArn;
pub use described::{AVAILABLE, COPYING, Own, Shared};
pub use held::{Answer, Asked, Disagreement, Held, judge};
pub use kind::Kind;
pub use name::{CopyName, Source, copy_name};
pub use quota::{Refusal, Usage, refusal};
pub use request::{CopyRequest, next_attempt};
pub use tags::{ATTEMPT, CopyTags, OWN_TAGS, ReadTags, SOURCE_ENGINE, SOURCE_RESOURCE};
