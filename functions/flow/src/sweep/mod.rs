//! A sweep: a round over all that is shared and all that is copied, in shards that fit into memory, some of them in each
//! invocation. What it finds wanted it puts into the ledger; serving asks for it.

mod count;
mod ends;
mod lineages;
mod owe;
mod parts;
mod read;
mod round;
mod slice;
mod strays;
mod take;
mod walk;

pub(crate) use count::{close, finish};
pub use lineages::Sweeper;
pub(crate) use round::slice;
