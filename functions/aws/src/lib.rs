//! The seam between Snapferry's decisions and the world: Regional clients, reads that become core's facts, the one
//! write that starts a copy, and where the audit goes.
//!
//! Whatever is chosen here is mechanics (which page comes next, whether a call may be repeated). Choices about
//! snapshots are made in `snapferry-core`.

pub mod audit;
pub mod clients;
pub mod copy_call;
pub mod copying;
pub mod deadline;
pub mod download;
mod environment;
pub mod errors;
pub mod expiring;
pub mod keys;
pub mod ledger;
pub mod legible;
pub mod locks;
pub mod logging;
pub mod presign;
pub mod proving;
pub mod rds;
pub mod reads;
pub mod roots;
pub mod settings;
pub mod vault;
pub mod verifying;
pub mod volumes;
pub mod world;
pub mod writes;
