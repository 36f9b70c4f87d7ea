//! How the command ends.

use std::io::Write as _;
use std::process::ExitCode;

/// What the exit codes mean, at the end of every command's help.
pub(crate) const HELP: &str = "Exit codes: 0 fine, 1 findings, 2 wrong usage or cannot run";

/// How a command ended that could run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// Nothing is wrong.
    Fine,
    /// Something is wrong with what was looked at.
    Findings,
    /// Something could not be looked at.
    CannotRun,
}

/// The exit code, after saying on standard error why a command could not run.
pub(crate) fn code(done: anyhow::Result<Exit>) -> ExitCode {
    match done {
        Ok(Exit::Fine) => ExitCode::SUCCESS,
        Ok(Exit::Findings) => ExitCode::from(1),
        Ok(Exit::CannotRun) => ExitCode::from(2),
        // The reader has seen enough, as `head` has.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // Without a standard error there is nobody left to tell.
            let _ = writeln!(anstream::stderr(), "snapferry: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = error.root_cause().downcast_ref::<std::io::Error>();
    io.is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
