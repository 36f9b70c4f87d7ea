//! What became of the copies that were started: verified, rejected, failed or still under way; and which of them are
//! locked now.
//!
//! A copy's status changes once, from `copying`, so a copy is judged once; a verified one whose verdict does not name it in
//! `snapferry:copy` is judged again. Its verdict reaches the audit before the tags that keep it are written: what EC2 did
//! without saying so was told all the same. Until EC2 has taken those tags, the copy is judged anew at each run, and told
//! anew only by an environment that has not told it.

mod causes;
mod checks;
mod completed;
mod decide;
mod decision;
mod facts;
mod locks;
mod naming;
mod outcome;
mod steps;

pub use self::causes::Cause;
pub use self::checks::{Difference, Warning};
pub use self::completed::completed;
pub use self::decide::{STALLED_AFTER, decide};
pub use self::decision::{Decision, Verdict};
pub use self::facts::Facts;
pub use self::locks::{LockRequest, Locking};
pub use self::naming::{Naming, lineage_of, named, namings};
pub use self::outcome::{Outcome, ledger_unread, out_of_time, record};
pub use self::steps::{is_told, step};
