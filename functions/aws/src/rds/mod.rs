//! Snapshots of RDS's instances and clusters: read, copied, tagged, deleted, as the copier's steps see them, and as the runs of the
//! verifier and the expirer do.

mod clients;
mod copy;
mod described;
mod lists;
mod read;
mod vault;
mod world;
mod write;

pub use self::clients::RdsClients;
pub use self::copy::copy;
pub use self::lists::{for_each_copy, shared_by};
pub use self::read::{Page, named, own, shared, usage};
pub use self::vault::DatabaseVault;
pub use self::world::Databases;
pub use self::write::{delete, tag};
