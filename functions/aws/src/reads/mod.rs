//! Reads of snapshots, which ask EC2 for no more than they want: by IDs, or by selective filters without a page's size, so that
//! neither what others made public nor a large vault is walked. Each page is turned into core's facts before the next one comes.

mod copies;
mod named;
mod pages;
mod shared;
mod snapshot;

pub use self::copies::{
    all_copies, copies, copies_by_id, copies_in, copies_of_lineages, for_each_copy, for_each_copy_in_doubt_too,
    for_each_own_copy,
};
pub use self::named::{by_id, own_copies_by_id};
pub(crate) use self::pages::with_timeout;
pub use self::pages::{FILTER_VALUES, filter, for_each_snapshot};
pub use self::shared::{shared_by, shared_page};
