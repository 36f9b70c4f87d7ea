//! Which shared snapshots are copied now, and why the others are not.

mod decide;
mod decision;
mod facts;
mod index;
mod judge;
mod lane;
mod memory;
mod outcome;
mod plan;
mod reasons;
mod request;
mod summary;
mod tally;
mod waiting;

pub use crate::description::DESCRIPTION_LIMIT;
pub use decide::{decide, not_for};
pub use decision::{Decision, Stands, Subject, Verdict};
pub use facts::{Facts, Scope};
pub use judge::judge;
pub use lane::{CALL_TIMEOUT, CopyError, CopyFailure, Lane, RESERVE, Step};
pub use memory::{ANSWER_LOST_HOLD, Memory, STARTED_HOLD, UsableKeys};
pub use outcome::{Outcome, record};
pub use plan::Plan;
pub use reasons::{Deferral, MAX_ATTEMPTS, Refusal, Skip};
pub use request::CopyRequest;
pub use summary::{Ran, summary};
pub use tally::{RegionCounts, Tally};
