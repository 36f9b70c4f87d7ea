//! Text that somebody else wrote: read in the forms in which it is written, and made safe to print: bounded, and with nothing
//! in it that a terminal or a log reader would obey.

mod utf8;

use std::fmt::Write as _;

pub use self::utf8::Utf8;

/// `text` cut to `max` characters (with `…` at the cut), control characters and invisible direction marks written as
/// `\u{…}`, so that a description or an event's body can neither forge a log line nor disguise itself.
#[must_use]
pub fn printable(text: &str, max: usize) -> String {
    let mut out = String::with_capacity(text.len().min(max * 4));
    for (count, c) in text.chars().enumerate() {
        if count == max {
            out.push('…');
            break;
        }
        if c.is_control() || is_invisible(c) {
            // Writing to a String cannot fail.
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

/// Line separators, zero-width characters and bidirectional controls (Unicode Standard Annex 9, table 2).
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn hostile_text_becomes_visible_and_bounded() {
        for (text, max, expected) in [
            ("nightly", 10, "nightly"),
            ("a\nb\u{1b}[31m", 20, "a\\u{a}b\\u{1b}[31m"),
            ("\u{202e}drowssap", 20, "\\u{202e}drowssap"),
            ("äöü", 2, "äö…"),
            ("äö", 2, "äö"),
            ("", 0, ""),
        ] {
            assert_eq!(printable(text, max), expected);
        }
    }

    #[test]
    fn every_invisible_character_becomes_visible_and_its_neighbours_stay() {
        let invisible = [
            "\u{ad}",
            "\u{61c}",
            "\u{200b}\u{200c}\u{200d}\u{200e}\u{200f}",
            "\u{2028}\u{2029}",
            "\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}",
            "\u{2060}\u{2061}\u{2062}\u{2063}\u{2064}\u{2065}\u{2066}\u{2067}\u{2068}\u{2069}",
            "\u{206a}\u{206b}\u{206c}\u{206d}\u{206e}\u{206f}",
            "\u{feff}",
            "\u{fff9}\u{fffa}\u{fffb}",
        ]
        .concat();
        for c in invisible.chars() {
            assert_eq!(printable(&c.to_string(), 1), format!("\\u{{{:x}}}", u32::from(c)));
        }
        let visible = "\u{ac}\u{ae}\u{61b}\u{61d}\u{200a}\u{2010}\u{2027}\u{202f}\u{205f}\u{2070}\u{fefe}\u{fffc}";
        assert_eq!(printable(visible, 80), visible);
    }
}
