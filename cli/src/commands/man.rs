//! `snapferry man`.

use std::io::Write as _;

use anyhow::Context as _;
use clap::CommandFactory;
use snapferry_core::version;

use crate::terminal::exit::{self, Exit};

/// Print the manual page, for man(1)
///
/// To read it: snapferry man check | man -l -
#[derive(Debug, clap::Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct Args {
    /// A command, such as `check` or `audit verify`; the whole program without one
    command: Vec<String>,
}

pub(crate) fn run<Program: CommandFactory>(args: &Args) -> anyhow::Result<Exit> {
    let mut program = Program::command();
    program.build();
    let mut command = program;
    for name in &args.command {
        command = command.find_subcommand(name).with_context(|| format!("there is no command {name:?}"))?.clone();
    }
    let mut page = Vec::new();
    // At the foot of each page stands the program, and not the command as if it were one.
    let version = format!("snapferry {}", version::readable());
    clap_mangen::Man::new(command).source(version).render(&mut page)?;
    std::io::stdout().write_all(&page)?;
    Ok(Exit::Fine)
}
