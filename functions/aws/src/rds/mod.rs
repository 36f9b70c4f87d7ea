//! Snapshots of RDS's instances and clusters: read, copied, tagged, deleted, and as the copier's steps see them.

mod clients;
mod copy;
mod described;
mod lists;
mod read;
mod world;
mod write;

pub use self::clients::RdsClients;
pub use self::copy::copy;
pub use self::lists::{for_each_copy, shared_by};
pub use self::read::{Page, named, own, shared, usage};
pub use self::world::Databases;
pub use self::write::{delete, tag};
