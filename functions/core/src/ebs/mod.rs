//! EBS snapshots, as EC2 speaks of them.

pub mod errors;
pub mod reads;
pub mod regions;
