//! Whether a copy's content is its source's: which blocks are read, how the comparison goes on from one run to the next, and
//! what it proves.
//!
//! Only a block whose bytes differ, read twice and as EBS itself gives its digest, rejects a copy. Which blocks a snapshot has
//! says less: EBS may store a block of zeros or none. A copy of which nothing could be compared is not worse for it.

mod completed;
mod digest;
mod due;
mod level;
mod outcome;
mod progress;
mod sample;

pub use self::completed::completed;
pub use self::digest::Digest;
pub use self::due::{Incomparable, comparable, due, is_refusal};
pub use self::level::Level;
pub use self::outcome::{Finding, MOST_REJECTED, STUCK_AFTER, record, region_unread, stuck};
pub use self::progress::{Differing, Listed, Progress, Read, Step};
pub use self::sample::{Sample, Seed};

/// The size of a block in bytes (EBS User Guide, "Use EBS direct APIs").
pub const BLOCK_BYTES: u64 = 524_288;
