//! The command line: one variant a command.

use clap::{Parser, Subcommand};

use snapferry_core::version;

use crate::commands::{
    audit, check, completions, copy, coverage, doctor, iam, key_policy, man, owners, plan, prove, recover, replay,
};
use crate::terminal::exit::{self, Exit};

/// Checks what Snapferry is given and what it leaves behind
///
/// Snapferry copies EBS snapshots that other accounts share with this one, verifies the copies, and deletes them when
/// their time is over. This is the operator's command.
#[derive(Debug, Parser)]
#[command(name = "snapferry", version = version::readable(), propagate_version = true, max_term_width = 100, after_help = exit::HELP)]
pub(crate) struct Cli {
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
    Owners(owners::Args),
    Coverage(coverage::Args),
    Recover(recover::Args),
    Prove(prove::Args),
    Completions(completions::Args),
    Man(man::Args),
}

impl Cli {
    /// Runs the command that is named.
    ///
    /// # Errors
    /// When the command could not do its work at all.
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        match self.command {
            Command::Check(args) => check::run(&args),
            Command::Plan(args) => plan::run(&args),
            Command::Copy(args) => copy::run(&args),
            Command::Replay(args) => replay::run(&args),
            Command::Audit(args) => audit::run(&args),
            Command::Doctor(args) => doctor::run(&args),
            Command::Iam(args) => iam::run(&args),
            Command::KeyPolicy(args) => key_policy::run(&args),
            Command::Owners(args) => owners::run(&args),
            Command::Coverage(args) => coverage::run(&args),
            Command::Recover(args) => recover::run(&args),
            Command::Prove(args) => prove::run(&args),
            Command::Completions(args) => completions::run::<Self>(&args),
            Command::Man(args) => man::run::<Self>(&args),
        }
    }
}
