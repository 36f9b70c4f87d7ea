//! The tables that CloudWatch's console downloads: `timestamp,message` of a log group, `@timestamp,@message` and other columns of
//! Logs Insights.
//!
//! The crate csv reads them: a message holds quotation marks, commas and line breaks, and that crate reads the files of others for
//! ten years already; of what it needs, all but its own core is in Cargo.lock anyhow.

use std::cell::Cell;
use std::io::{self, Read};

use anyhow::Context as _;
use regex::bytes::Regex;

/// The longest row that is read, in bytes: an event of CloudWatch Logs, a mebibyte, each of its quotation marks twice, and more.
/// A quotation mark too many makes one row of all the rest.
const MAX_ROW: usize = 4 * 1024 * 1024;

/// Whether a file that begins so is such a table: names of columns, and among them that of the messages.
pub(super) fn is_it(head: &[u8]) -> anyhow::Result<bool> {
    // A program's line that quotes a header has more around it, and the header of a table has the beginning to itself.
    Ok(Regex::new(r#"^\s*(("?@?\w+"?,)+"?@?message"?|"?@?message"?,"?@?\w+"?|"?@message"?)(,"?@?\w+"?)*\r?\n"#)?
        .is_match(head))
}

/// Reads the table and gives each message.
///
/// # Errors
/// When a row cannot be read, has another number of columns than the header, or does not end.
pub(super) fn read(input: impl Read, each: &mut impl FnMut(&str)) -> anyhow::Result<()> {
    let (left, is_quoted) = (Cell::new(MAX_ROW), Cell::new(false));
    let mut table = csv::Reader::from_reader(Bounded { input, left: &left, is_quoted: &is_quoted });
    let names = table.byte_headers().context("the header of its table cannot be read")?;
    // With both, `message` is a field that Logs Insights found in the log's own words.
    let column = |wanted: &[u8]| names.iter().position(|name| name == wanted);
    let column = column(b"@message").or_else(|| column(b"message")).context("its table has no column @message")?;
    let mut row = csv::ByteRecord::new();
    loop {
        left.set(MAX_ROW);
        let begins = table.position().line();
        let is_row = table.read_byte_record(&mut row);
        let is_row = is_row.with_context(|| format!("its table cannot be read from line {begins} on"))?;
        let is_torn = is_quoted.get() && table.is_done();
        anyhow::ensure!(!is_torn, "its table ends within quotation marks: a part of it is missing");
        if !is_row {
            return Ok(());
        }
        each(&String::from_utf8_lossy(row.get(column).unwrap_or_default()));
    }
}

/// What gives no more than is left for a row, and tells whether what it gave ends within quotation marks: of those of a table, doubled
/// ones included, each has its partner.
struct Bounded<'l, R> {
    input: R,
    left: &'l Cell<usize>,
    is_quoted: &'l Cell<bool>,
}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let Some(left) = self.left.get().checked_sub(bytes.len()) else {
            return Err(io::Error::other("a row of more than 4 MiB; perhaps a quotation mark has no partner"));
        };
        self.left.set(left);
        let count = self.input.read(bytes)?;
        let marks = bytes.iter().take(count).filter(|byte| **byte == b'"').count();
        self.is_quoted.set(self.is_quoted.get() ^ (marks % 2 == 1));
        Ok(count)
    }
}
