//! Which blocks are read, how a proof goes on, and what it proves.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic is how a test fails, in its helpers too"
)]

mod due;
mod progress;
mod sample;
