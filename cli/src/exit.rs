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

/// How a command ends that acted: what it could not print did not stop it, and a reader who has gone wanted no more.
///
/// # Errors
/// Why something was not printed, other than that nobody reads any more.
pub(crate) fn acted(exit: Exit, unsaid: Option<anyhow::Error>) -> anyhow::Result<Exit> {
    match unsaid {
        Some(error) if !is_broken_pipe(&error) => Err(error.context("not everything could be printed")),
        _ => Ok(exit),
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        // serde_json's error names the cause of what happened to the stream, and not what happened.
        let of_json = || cause.downcast_ref().and_then(serde_json::Error::io_error_kind);
        let kind = cause.downcast_ref().map(std::io::Error::kind).or_else(of_json);
        kind == Some(std::io::ErrorKind::BrokenPipe)
    })
}
