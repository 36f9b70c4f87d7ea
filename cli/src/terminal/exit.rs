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

#[cfg(test)]
mod tests {
    use std::io::{Error, ErrorKind};

    use super::*;

    /// Standard output that ends in this way.
    struct Ended(ErrorKind);

    impl std::io::Write for Ended {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(Error::from(self.0))
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn only_a_reader_who_has_gone_is_no_error() {
        for (kind, is_fine) in [(ErrorKind::BrokenPipe, true), (ErrorKind::StorageFull, false)] {
            let as_json = serde_json::to_writer(Ended(kind), &1).unwrap_err();
            let as_text = writeln!(Ended(kind)).unwrap_err();
            for error in [anyhow::Error::from(as_json), anyhow::Error::from(as_text)] {
                let error = error.context("a report");
                assert_eq!(is_broken_pipe(&error), is_fine, "{error:#}");
                assert_eq!(acted(Exit::Findings, Some(error)).is_ok(), is_fine);
            }
        }
        assert_eq!(acted(Exit::Findings, None).ok(), Some(Exit::Findings));
    }
}
