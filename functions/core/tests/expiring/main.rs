//! Which copies are deleted: each law in a small vault, then all of them over arbitrary vaults.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod attempts;
mod claims;
mod dropouts;
mod guard;
mod kept;
mod keys;
mod laws;
mod records;
mod rules;
mod world;
