//! The tables that CloudWatch's console downloads: `timestamp,message` of a log group, `@timestamp,@message` and other columns of
//! Logs Insights.
//!
//! The crate csv reads them: a message holds quotation marks, commas and line breaks, and that crate reads the files of others for
//! ten years already; of what it needs, all but its own core is in Cargo.lock anyhow.

use std::io::Read;

use anyhow::Context as _;
use regex::bytes::Regex;

/// Whether a file that begins so is such a table: names of columns, and among them that of the messages.
pub(super) fn is_it(head: &[u8]) -> anyhow::Result<bool> {
    // A program's line that quotes a header has more around it, and the header of a table has the beginning to itself.
    Ok(Regex::new(r#"^\s*(("?@?\w+"?,)+"?@?message"?|"?@?message"?,"?@?\w+"?|"?@message"?)(,"?@?\w+"?)*\r?\n"#)?
        .is_match(head))
}

/// Reads the table and gives each message.
///
/// # Errors
/// When a row cannot be read, or has another number of columns than the header.
pub(super) fn read(input: impl Read, each: &mut impl FnMut(&str)) -> anyhow::Result<()> {
    let mut table = csv::Reader::from_reader(input);
    let names = table.byte_headers().context("the header of its table cannot be read")?;
    // With both, `message` is a field that Logs Insights found in the log's own words.
    let column = |wanted: &[u8]| names.iter().position(|name| name == wanted);
    let column = column(b"@message").or_else(|| column(b"message")).context("its table has no column @message")?;
    for row in table.byte_records() {
        let row = row.context("its table cannot be read")?;
        each(&String::from_utf8_lossy(row.get(column).unwrap_or_default()));
    }
    Ok(())
}
