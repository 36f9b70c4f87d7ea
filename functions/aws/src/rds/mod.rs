//! Snapshots of RDS's instances and clusters: read, copied, tagged, deleted. No function calls these yet.

mod clients;
mod copy;
mod described;
mod read;
mod write;

pub use self::clients::RdsClients;
pub use self::copy::copy;
pub use self::read::{Page, named, own, shared, usage};
pub use self::write::{delete, tag};
