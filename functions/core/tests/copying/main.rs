//! What `copying::decide` decides, as text: one line for each decision, `verdict policy snapshot -> Region: reason`.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic is how a test fails, in its helpers too"
)]

mod attempts;
mod events;
mod keys;
mod lane;
mod memory;
mod requests;
mod retention;
mod sweeps;
mod wanted;
mod world;
