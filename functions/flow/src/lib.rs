//! The copier's steps: discover what is owed, and serve what fits now. What they ask of the world goes through [`World`], which
//! is AWS in the functions and a model of it in the tests: the laws are proven on the steps that run, with a process that dies
//! between any two of them.
//!
//! Core decides, this crate orders the steps, `snapferry-aws` talks to AWS.

mod setup;
mod world;

pub use setup::Setup;
pub use world::{Item, Page, World, Written};
