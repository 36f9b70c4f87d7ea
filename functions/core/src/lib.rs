//! The pure half of Snapferry: what the policy says, what the facts are, what follows from them.
//!
//! Nothing here touches the world: no AWS client, no clock, no environment, no async. Facts and `now` come in as
//! arguments, decisions with their reasons go out, so every choice can be tested in a table.

pub mod audit;
pub mod copying;
pub mod coverage;
mod description;
pub mod dropouts;
pub mod ebs;
pub mod event;
pub mod expiring;
pub mod facts;
pub mod homes;
pub mod ids;
mod kind;
pub mod ledger;
pub mod notices;
pub mod policy;
pub mod proving;
pub mod rds;
pub mod recovery;
pub mod retention;
pub mod standing;
pub mod tags;
pub mod text;
pub mod verifying;
pub mod version;
