//! `snapferry completions`.

use std::io::Write as _;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::terminal::exit::{self, Exit};

/// Print the completions for a shell
///
/// For bash: snapferry completions bash > ~/.local/share/bash-completion/completions/snapferry
#[derive(Debug, clap::Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct Args {
    /// The shell that reads them
    shell: Shell,
}

pub(crate) fn run<Program: CommandFactory>(args: &Args) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Program::command(), "snapferry", &mut script);
    std::io::stdout().write_all(&script)?;
    Ok(Exit::Fine)
}
