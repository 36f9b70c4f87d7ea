//! What is owed: an obligation for each identity that has to have a copy and has none that is proven good, from the moment it
//! is wanted until it ends.
//!
//! EC2 is the truth about copies, the ledger about obligations. Each write replaces one whole item and succeeds only if the
//! item is still the one that was read ([`Obligation::revision`]): of two writers one fails, a late outcome of a dead process
//! fails, and a process that dies leaves an item that the next one can go on with. Nothing here reads or writes; it says what
//! follows from what.

mod extract;
mod hint;
mod line;
mod obligation;
mod owed;
mod pauses;
mod round;
mod steps;
mod turn;

pub use extract::{Entry, Extract};
pub use hint::{Follow, Hint};
pub use line::{Place, place};
pub use obligation::{By, End, Identity, LAST_REVISION, Obligation, State};
pub use owed::{Owed, Wait};
pub use pauses::{FOREIGN_CLOCK, HOLD, INTENT_GOOD_FOR, pause_after_failures, pause_after_refusals};
pub use round::{Round, Shard, Stretch};
pub use turn::Turn;
