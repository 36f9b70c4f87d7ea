//! Which shared snapshots are copied now, and why the others are not.

mod decide;
mod decision;
mod deferral;
mod ends;
mod facts;
mod index;
mod judge;
mod lane;
mod lineages;
mod memory;
mod open;
mod outcome;
mod plan;
mod reasons;
mod request;
mod step;
mod summary;
mod tally;

pub use crate::description::DESCRIPTION_LIMIT;
pub use decide::{decide, excluded, not_for};
pub use decision::{Decision, Stands, Subject, Verdict};
pub use deferral::Deferral;
pub use ends::{ledger_unread, missed, not_tried, withdrawn};
pub use facts::{Facts, Scope};
pub use judge::judge;
pub use lane::{CALL_TIMEOUT, CopyError, CopyFailure, Lane, RESERVE, Step};
pub use lineages::{CopiedLineage, copied, kept, owed};
pub use memory::{Memory, UsableKeys};
pub use open::{Reading, count_open, is_decided};
pub use outcome::{Outcome, record};
pub use plan::{Plan, newest};
pub use reasons::{MAX_ATTEMPTS, Refusal, Skip};
pub use request::CopyRequest;
pub use step::step;
pub use summary::{Ran, summary};
pub use tally::{RegionCounts, Tally};
