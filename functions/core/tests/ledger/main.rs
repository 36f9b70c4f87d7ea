//! The laws of what is owed: each step, whose turn it is, and what no sequence of steps, no second writer and no edited item does.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic is how a test fails, in its helpers too"
)]

mod ends;
mod extract;
mod hints;
mod lines;
mod outcomes;
mod poison;
mod rounds;
mod steps;
mod turns;
mod world;
mod writers;
