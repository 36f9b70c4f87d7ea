//! Coverage as comma-separated values (RFC 4180), a line for each row.

use std::io::Write;

use jiff::Timestamp;
use snapferry_core::coverage::Coverage;
use snapferry_core::text::printable;

use super::line::Line;

const HEADER: &str = "state,shared,policy,source,account,volume,size_gib,started,description,region,copy,copy_started,\
                      settled,seconds_to_protect,key,expire_after,lock,lock_mode,locked_until,copies,tags_edited,\
                      volume_unknown,key_life,wanted,owed,owed_until,refused,failed";

/// Writes the header and every row.
pub(super) fn write(out: &mut dyn Write, coverage: &Coverage<'_>) -> anyhow::Result<()> {
    write!(out, "{HEADER}\r\n")?;
    for row in &coverage.rows {
        // Ages change while a file lies around: it has times only.
        let line = Line::new(row, Timestamp::UNIX_EPOCH);
        write!(out, "{},{},{},{},", line.state, line.shared, line.policy, line.source)?;
        write!(out, "{},{},", line.account.unwrap_or_default(), line.volume.unwrap_or_default())?;
        write!(out, "{},{},", optional(line.size_gib), optional(line.started))?;
        write!(out, "{},{},", cell(line.description.unwrap_or_default()), line.region)?;
        write!(out, "{},{},", line.copy.unwrap_or_default(), optional(line.copy_started))?;
        write!(out, "{},{},", optional(line.settled), optional(line.seconds_to_protect))?;
        write!(out, "{},{},", cell(line.key.unwrap_or_default()), optional(line.expire_after))?;
        write!(out, "{},{},", line.lock.unwrap_or_default(), line.lock_mode.unwrap_or_default())?;
        write!(out, "{},{},", optional(line.locked_until), line.copies)?;
        write!(out, "{},{},", line.tags_edited, line.volume_unknown)?;
        write!(out, "{},{},", line.key_life.unwrap_or_default(), optional(line.wanted))?;
        let owed = line.owed.as_ref();
        write!(out, "{},", owed.map(|owed| owed.state).unwrap_or_default())?;
        write!(out, "{},", optional(owed.and_then(|owed| owed.until)))?;
        write!(out, "{},", optional(owed.map(|owed| owed.refused)))?;
        write!(out, "{}\r\n", optional(owed.map(|owed| owed.failed)))?;
    }
    Ok(())
}

fn optional(value: Option<impl std::fmt::Display>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// Somebody else's text as a quoted cell. A spreadsheet would run what begins like a formula: an apostrophe in front keeps
/// it text.
fn cell(text: &str) -> String {
    let text = printable(text, 1000);
    let formula = text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    format!("\"{}{}\"", if formula { "'" } else { "" }, text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn hostile_cells() {
        for (text, expected) in [
            ("nightly", r#""nightly""#),
            (r#"a "b", c"#, r#""a ""b"", c""#),
            ("=cmd|' /C calc'!A0", r#""'=cmd|' /C calc'!A0""#),
            ("  +1", r#""'  +1""#),
            ("a\r\nb", r#""a\u{d}\u{a}b""#),
            ("", r#""""#),
        ] {
            assert_eq!(cell(text), expected);
        }
    }
}
