//! Which copies are deleted: each law in a small vault, then all of them over arbitrary vaults, of volumes' copies and of databases'.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod attempts;
mod claims;
mod databases;
mod dropouts;
mod guard;
mod kept;
mod keys;
mod laws;
mod records;
mod rules;
mod second_look;
mod world;
