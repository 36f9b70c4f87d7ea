//! Findings for people, as rustc prints its own: the line of the document with a caret under the place.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level as Style, Origin, Renderer, Snippet};

use super::finding::{Finding, Level};

/// One finding, in colours; the stream that it goes to takes them out where they do not belong.
pub(crate) fn render(finding: &Finding, file: &str, document: &str) -> String {
    let style = match finding.level {
        Level::Error => Style::ERROR,
        Level::Warning => Style::WARNING,
        Level::Note => Style::NOTE,
    };
    let mut title = style.primary_title(finding.to_string());
    if finding.level != Level::Error {
        title = title.id(finding.code);
    }
    let mut group = match (finding.line, finding.column) {
        (Some(number), Some(column)) if finding.level != Level::Note => {
            let line = line(document, number);
            let caret = AnnotationKind::Primary.span(span(line, column));
            title.element(Snippet::source(line).line_start(number).path(file).annotation(caret))
        }
        (Some(line), Some(column)) => title.element(Origin::path(file).line(line).char_column(column)),
        _ => title.element(Origin::path(file)),
    };
    if let Some(allowed) = &finding.allowed {
        group = group.element(Style::HELP.with_name("allowed").message(allowed.as_str()));
    }
    Renderer::styled().render(&[group])
}

fn line(document: &str, number: usize) -> &str {
    let line = document.split('\n').nth(number.saturating_sub(1)).unwrap_or_default();
    line.strip_suffix('\r').unwrap_or(line)
}

/// The bytes of the word of JSON that starts in this column: a string, a number, or one bracket.
fn span(line: &str, column: usize) -> Range<usize> {
    let start = line.char_indices().nth(column.saturating_sub(1)).map_or(line.len(), |(at, _)| at);
    let rest = line.get(start..).unwrap_or_default();
    let length = match rest.chars().next() {
        None => 0,
        Some('"') => string_length(rest),
        Some(c) if "{}[],:".contains(c) => 1,
        Some(c) => rest.find([',', '}', ']', ':', ' ', '\t']).unwrap_or(rest.len()).max(c.len_utf8()),
    };
    start..start + length
}

/// The length of the string with its quotation marks, or of all that is left when it does not end.
fn string_length(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            '"' if !escaped => return at + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn a_word_of_json() {
        for (line, column, word) in [
            (r#"  "A": "b", "#, 3, r#""A""#),
            (r#"  "A": "b \" c", "#, 8, r#""b \" c""#),
            (r#"{"ä": 12.5}"#, 7, "12.5"),
            (r#""open"#, 1, r#""open"#),
            ("[{", 2, "{"),
            ("x", 9, ""),
            ("é", 1, "é"),
        ] {
            assert_eq!(&line[span(line, column)], word, "{line}");
        }
    }
}
