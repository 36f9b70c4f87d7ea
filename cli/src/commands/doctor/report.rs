//! How doctor's checks are printed.

use std::io::Write as _;

use serde::Serialize;
use snapferry_core::text::printable;

use super::check::{Check, Verdict};
use crate::terminal::exit::Exit;

/// The name and version of the form that `--json` prints.
const FORMAT: &str = "snapferry-doctor/1";
/// Longer messages are cut: those of services are shorter, and a list of all places without credentials is as long.
const LONGEST: usize = 1500;

#[derive(Debug, Serialize)]
struct DoctorReport<'c> {
    format: &'static str,
    pass: usize,
    fail: usize,
    unknown: usize,
    checks: &'c [Check],
}

/// How the command ends when it could look.
pub(crate) fn exit(checks: &[Check]) -> Exit {
    if count(checks, Verdict::Fail) > 0 { Exit::Findings } else { Exit::Fine }
}

/// Prints one JSON object.
pub(crate) fn print_json(checks: &[Check]) -> anyhow::Result<()> {
    let of = |verdict| count(checks, verdict);
    let (pass, fail, unknown) = (of(Verdict::Pass), of(Verdict::Fail), of(Verdict::Unknown));
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", serde_json::to_string_pretty(&DoctorReport { format: FORMAT, pass, fail, unknown, checks })?)?;
    Ok(out.flush()?)
}

/// Prints one line a check, and its remedy below.
pub(crate) fn print_text(checks: &[Check]) -> anyhow::Result<()> {
    let mut out = anstream::stdout().lock();
    for check in checks {
        writeln!(out, "{}", line(check))?;
    }
    out.flush()?;
    let of = |verdict| count(checks, verdict);
    let (pass, fail, unknown) = (of(Verdict::Pass), of(Verdict::Fail), of(Verdict::Unknown));
    let all = checks.len();
    let checks = if all == 1 { "check" } else { "checks" };
    writeln!(anstream::stderr(), "{all} {checks}: {pass} pass, {fail} fail, {unknown} unknown")?;
    Ok(())
}

fn count(checks: &[Check], verdict: Verdict) -> usize {
    checks.iter().filter(|check| check.verdict == verdict).count()
}

/// In colours; the stream takes them out where they do not belong. Whatever a service said is made safe to print.
fn line(check: &Check) -> String {
    let (colour, word) = match check.verdict {
        Verdict::Pass => ("\u{1b}[32m", "pass   "),
        Verdict::Fail => ("\u{1b}[1;31m", "fail   "),
        Verdict::Unknown => ("\u{1b}[33m", "unknown"),
    };
    let Check { check: name, subject, message, .. } = check;
    let home = check.home.as_ref().map(|home| format!(" in {home}")).unwrap_or_default();
    let subject = if subject.is_empty() { String::new() } else { format!(" {}", printable(subject, LONGEST)) };
    let mut line = format!("{colour}{word}\u{1b}[0m {name}{home}{subject}: {}", printable(message, LONGEST));
    if let Some(error) = &check.error {
        line.push_str(&format!(" ({}: {})", printable(&error.code, LONGEST), printable(&error.message, LONGEST)));
    }
    if let Some(remedy) = &check.remedy {
        line.push_str(&format!("\n        {}", printable(remedy, 2 * LONGEST)));
    }
    line
}
