//! `snapferry`: the operator's command.
//!
//! Each command is a module with its arguments and a `run` that gives the exit code. Results go to standard output, for
//! the next program in the pipe; what a person should read besides goes to standard error.

mod audit;
mod aws;
mod check;
mod completions;
mod copy;
mod coverage;
mod doctor;
mod exit;
mod iam;
mod input;
mod key_policy;
mod logical;
mod look;
mod man;
mod plan;
mod profile;
mod queue;
mod replay;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Checks what Snapferry is given and what it leaves behind
///
/// Snapferry copies EBS snapshots that other accounts share with this one, verifies the copies, and deletes them when
/// their time is over. This is the operator's command.
#[derive(Debug, Parser)]
#[command(name = "snapferry", version, propagate_version = true, max_term_width = 100, after_help = exit::HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(check::Args),
    Plan(plan::Args),
    Copy(copy::Args),
    Replay(replay::Args),
    Audit(audit::Args),
    Doctor(doctor::Args),
    Iam(iam::Args),
    KeyPolicy(key_policy::Args),
    Coverage(coverage::Args),
    Completions(completions::Args),
    Man(man::Args),
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Check(args) => check::run(&args),
        Command::Plan(args) => plan::run(&args),
        Command::Copy(args) => copy::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Audit(args) => audit::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Iam(args) => iam::run(&args),
        Command::KeyPolicy(args) => key_policy::run(&args),
        Command::Coverage(args) => coverage::run(&args),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
    };
    exit::code(done)
}
