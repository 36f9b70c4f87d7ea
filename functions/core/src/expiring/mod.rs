//! Which copies are deleted now, and why others stay although their time is over.
//!
//! A copy goes when its own tags say that its time is over, when it is proven that it is dispensable, and when nothing
//! looks as if the clock were wrong. Whatever is in doubt stays. What a sender can influence (which snapshots it shares
//! and when, their descriptions, lineages and start times) never lets a copy go before the time in its own tag, which
//! this account wrote: newer snapshots of a lineage only end the protection that its last copies have beyond that time.

mod attempts;
mod claims;
mod completed;
mod days;
mod decide;
mod dropped;
mod due;
mod guard;
mod outcome;
mod plan;
mod reasons;
mod recheck;
mod survivors;

pub use self::attempts::{Attempts, FRUITLESS};
pub use self::completed::completed;
pub use self::decide::{Facts, Limits, decide};
pub use self::dropped::{dropped, name};
pub use self::due::{UNJUDGED_STAY, UNSOUND_STAY};
pub use self::guard::{Alarm, CLOCK_TOLERANCE, MASS};
pub use self::outcome::{Outcome, Rest, kept, key_in_doubt, lineage_unknown, record, refused, rest};
pub use self::plan::{Deletion, Kept, Plan};
pub use self::reasons::{Cause, Change, DeleteFailure, Keep, Refusal};
pub use self::recheck::recheck;
