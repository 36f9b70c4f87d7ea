//! `snapferry`: the operator's command.
//!
//! `commands` are what it does, a module each; `account`, `template` and `terminal` are what they share. Results go to
//! standard output, for the next program in the pipe; what a person should read besides goes to standard error.

mod account;
mod args;
mod commands;
mod template;
mod terminal;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    terminal::exit::code(args::Cli::parse().run())
}
