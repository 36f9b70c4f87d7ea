//! Snapshots of RDS's instances and clusters: which can be copied, the rules for copying them once, and what they are to the laws.
//!
//! What the laws decide of them they decide as of volumes, by the facts that this makes of what RDS shows.

mod arn;
mod attempts;
mod described;
pub mod errors;
mod facts;
mod held;
mod kind;
mod name;
mod quota;
mod request;
mod tags;
mod taken;

pub use arn::SnapshotArn;
pub use attempts::Attempts;
pub use described::{AVAILABLE, COPYING, Own, Shared};
pub use held::{Asked, Disagreement, Held, judge};
pub use kind::Kind;
pub use name::{CopyName, Source, copy_name};
pub use quota::{Refusal, Usage, refusal};
pub use request::CopyRequest;
pub use tags::{ATTEMPT, CopyTags, OWN_TAGS, ReadTags, SOURCE_ENGINE, SOURCE_RESOURCE};
pub use taken::name_taken;
