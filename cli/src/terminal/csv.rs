//! Cells of comma-separated values (RFC 4180).

use snapferry_core::text::printable;

/// What may be missing, as a cell.
pub(crate) fn optional(value: Option<impl std::fmt::Display>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// Somebody else's text as a quoted cell. A spreadsheet would run what begins like a formula: an apostrophe in front keeps
/// it text.
pub(crate) fn cell(text: &str) -> String {
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
