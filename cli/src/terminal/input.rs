//! Reading what the command line names.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use anyhow::Context as _;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use snapferry_core::ids::AccountId;
use snapferry_core::policy::{self, MAX_DOCUMENT_BYTES, Policy};
use snapferry_core::text::Utf8;

/// The name of standard input on the command line.
pub(crate) const STDIN: &str = "-";

/// Opens a file, or standard input for `-`, as UTF-8 even when it is written as Windows does.
pub(crate) fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    if path.as_os_str() == STDIN {
        return Ok(Box::new(Utf8::new(io::stdin().lock())));
    }
    let file = File::open(path)?;
    // Linux opens a directory and fails at the first read, with less to say.
    if file.metadata()?.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    Ok(Box::new(Utf8::new(file)))
}

/// Reads a file, but no more than `most` bytes and one.
pub(crate) fn read_at_most(path: &Path, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.take(most as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads a text of at most `most` bytes.
pub(crate) fn text(path: &Path, most: usize) -> anyhow::Result<String> {
    let shown = shown(path);
    let bytes = read_at_most(path, most).with_context(|| format!("{shown} cannot be read"))?;
    anyhow::ensure!(bytes.len() <= most, "{shown} is longer than {most} bytes");
    String::from_utf8(bytes).with_context(|| format!("{shown} is neither UTF-8 nor UTF-16"))
}

/// Reads the policies of a document that is as the functions take it.
pub(crate) fn policies(path: &Path) -> anyhow::Result<Vec<Policy>> {
    let document = text(path, MAX_DOCUMENT_BYTES)?;
    Ok(policy::parse(&document)
        .with_context(|| format!("{} is no valid policy (see `snapferry check`)", shown(path)))?
        .policies)
}

/// Reads an account ID from the command line.
pub(crate) fn account(text: &str) -> Result<AccountId, String> {
    AccountId::parse(text).map_err(|error| match AccountId::with_lost_zeros(text) {
        Some(whole) => format!("{error}, which may have lost its leading zeros: perhaps {whole}"),
        None => error.to_string(),
    })
}

/// Reads a time from the command line. A date alone is its midnight in UTC.
pub(crate) fn time(text: &str) -> Result<Timestamp, String> {
    let is_date = text.len() == "2026-11-22".len();
    let midnight = || Some(text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp());
    let time = if is_date { midnight() } else { text.parse().ok() };
    time.ok_or_else(|| "expected a time with its offset, 2026-11-22T03:00:00Z, or a date, 2026-11-22".to_owned())
}

/// A file's name as it may stand in a line of text.
pub(crate) fn shown(path: &Path) -> String {
    if path.as_os_str() == STDIN {
        return "<stdin>".to_owned();
    }
    snapferry_core::text::printable(&path.to_string_lossy(), 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        let cases = [
            ("2026-11-22", Some("2026-11-22T00:00:00Z")),
            ("2026-11-22T03:00:00+01:00", Some("2026-11-22T02:00:00Z")),
            ("2026-11-22T03:00:00", None),
            ("2026-02-30", None),
            ("yesterday!", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(time(text).ok().map(|time| time.to_string()).as_deref(), expected, "{text}");
        }
    }
}
