//! The copier's steps: discover what is owed, and serve what fits now. What they ask of the world goes through [`World`], which
//! is AWS in the functions and a model of it in the tests: the laws are proven on the steps that run, with a process that dies
//! between any two of them.
//!
//! Core decides, this crate orders the steps, `snapferry-aws` talks to AWS.

mod ask;
mod ends;
mod events;
mod follow;
mod handle;
mod handled;
mod hints;
mod line;
mod look;
mod run;
mod serve;
mod settle;
mod setup;
mod sweep;
mod unread;
mod wish;
mod world;

pub use handle::{Kept, Work, handle};
pub use handled::Handled;
pub use setup::Setup;
pub use sweep::Sweeper;
pub use world::{CopiesIn, Item, Items, Page, Shown, World, Written, is_mostly_empty};
