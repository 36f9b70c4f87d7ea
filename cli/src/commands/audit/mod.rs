//! `snapferry audit`: what the functions leave behind.

mod verify;

use clap::Subcommand;

use crate::terminal::exit::{self, Exit};

/// Read the audit that the functions write
#[derive(Debug, clap::Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: AuditCommand,
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    Verify(verify::Args),
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    match &args.command {
        AuditCommand::Verify(args) => verify::run(args),
    }
}
