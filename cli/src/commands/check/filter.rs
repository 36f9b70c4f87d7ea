//! What a `DescriptionRegex` takes: everything, or something other than its author meant.

use regex::RegexBuilder;
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind, Look};

/// Whether a regex matches every description. Never true of one that does not; a roundabout way of writing "everything"
/// may go unnoticed.
pub(crate) fn matches_everything(regex: &str) -> bool {
    // As core compiles it: `.` is every character.
    let parsed = ParserBuilder::new().dot_matches_new_line(true).build().parse(regex);
    parsed.is_ok_and(|hir| is_everything(&hir))
}

/// Whether a regex is found somewhere in a text, which is how many tools use a regex, and not how a policy does.
pub(crate) fn is_found_in(regex: &str, text: &str) -> bool {
    RegexBuilder::new(regex).dot_matches_new_line(true).build().is_ok_and(|regex| regex.is_match(text))
}

fn is_everything(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Repetition(repetition) => {
            repetition.min == 0 && repetition.max.is_none() && is_any_character(&repetition.sub)
        }
        HirKind::Capture(capture) => is_everything(&capture.sub),
        HirKind::Alternation(branches) => branches.iter().any(is_everything),
        HirKind::Concat(parts) => {
            let Some(at) = parts.iter().position(is_everything) else { return false };
            let (before, rest) = parts.split_at(at);
            before.iter().all(|part| may_be_empty(part, Look::Start))
                && rest.iter().skip(1).all(|part| may_be_empty(part, Look::End))
        }
        _ => false,
    }
}

fn is_any_character(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Class(Class::Unicode(class)) => {
            class.ranges().first().is_some_and(|range| range.start() == '\0' && range.end() == char::MAX)
        }
        HirKind::Capture(capture) => is_any_character(&capture.sub),
        _ => false,
    }
}

/// Whether a part matches the empty text at the beginning of every description, or at its end, where `edge` holds.
fn may_be_empty(hir: &Hir, edge: Look) -> bool {
    match hir.kind() {
        HirKind::Look(look) => *look == edge,
        _ => hir.properties().look_set().is_empty() && hir.properties().minimum_len() == Some(0),
    }
}

#[cfg(test)]
mod tests {
    use super::{is_found_in, matches_everything};

    #[test]
    fn everything_in_many_spellings() {
        for regex in
            [".*", "^.*$", "(.*)", ".*?", r"[\s\S]*", "(?:.)*", "a|.*", r"\A.*\z", ".*x*", "x?.*", "(?s).*", ".*.*"]
        {
            assert!(matches_everything(regex), "{regex}");
        }
        for regex in [
            "",
            ".+",
            ".",
            "(?-s).*",
            "[^q]*",
            r"\S*",
            ".*a",
            "$.*",
            ".*^",
            ".{0,255}",
            "(?-s).*|(?-s).+",
            "(",
            r"\b.*",
        ] {
            assert!(!matches_everything(regex), "{regex}");
        }
    }

    #[test]
    fn a_search_is_not_a_full_match() {
        assert!(is_found_in("production", "nightly production"));
        assert!(!is_found_in("^production", "nightly production"));
    }
}
