//! What a regex of a policy takes: everything, nothing, or something other than its author meant.

use regex::RegexBuilder;
use regex_syntax::ParserBuilder;
use regex_syntax::hir::literal::{Extractor, Literal};
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

/// Whether each text that a regex matches has a capital letter somewhere.
pub(crate) fn needs_a_capital(regex: &str) -> bool {
    ParserBuilder::new().build().parse(regex).is_ok_and(|hir| has_a_capital(&hir))
}

/// Whether each text that a regex matches from its first character on begins with one of `beginnings`.
pub(crate) fn begins_with(regex: &str, beginnings: &[&str]) -> bool {
    let Ok(hir) = ParserBuilder::new().build().parse(regex) else { return false };
    let found = Extractor::new().extract(&hir);
    let begins =
        |literal: &Literal| beginnings.iter().any(|beginning| literal.as_bytes().starts_with(beginning.as_bytes()));
    found.literals().is_some_and(|literals| !literals.is_empty() && literals.iter().all(begins))
}

fn has_a_capital(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Literal(literal) => String::from_utf8_lossy(&literal.0).chars().any(char::is_uppercase),
        HirKind::Class(class) => is_of_capitals(class),
        HirKind::Repetition(repetition) => repetition.min > 0 && has_a_capital(&repetition.sub),
        HirKind::Capture(capture) => has_a_capital(&capture.sub),
        HirKind::Concat(parts) => parts.iter().any(has_a_capital),
        HirKind::Alternation(branches) => branches.iter().all(has_a_capital),
        HirKind::Empty | HirKind::Look(_) => false,
    }
}

/// One that matches nothing at all is another mistake.
fn is_of_capitals(class: &Class) -> bool {
    match class {
        Class::Unicode(class) => {
            let mut characters = class.ranges().iter().flat_map(|range| range.start()..=range.end());
            !class.ranges().is_empty() && characters.all(char::is_uppercase)
        }
        Class::Bytes(class) => {
            let mut bytes = class.ranges().iter().flat_map(|range| range.start()..=range.end());
            !class.ranges().is_empty() && bytes.all(|byte| byte.is_ascii_uppercase())
        }
    }
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
    use super::{begins_with, is_found_in, matches_everything, needs_a_capital};

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
    fn a_capital_that_every_match_needs() {
        for regex in [
            "Orders",
            "Orders-.*",
            "nightly-(?:A|B)",
            "(?P<team>Orders|BILLING)-[0-9]+",
            "[A-Z]{3}.*",
            r"\p{Lu}+",
            r".*\bOrders\b.*",
            "x+Y+",
            "(?-u:[A-Z])",
            "(?i)orders(?-i)Orders",
            r"[[:alpha:]&&[^a-z]]",
            "Übergabe",
        ] {
            assert!(needs_a_capital(regex), "{regex}");
        }
        for regex in [
            "orders-.*",
            "(?i)Orders-.*",
            "Orders|billing",
            "[A-Za-z]+",
            "[Oo]rders",
            "O?rders",
            "(?:Orders)*",
            "O{0,3}rders",
            r"\S+\D\W",
            r"[a&&b]",
            r"\A.*\z",
            ".*",
            "",
            "(",
        ] {
            assert!(!needs_a_capital(regex), "{regex}");
        }
    }

    #[test]
    fn beginnings_of_every_match() {
        for regex in ["rds:.*", "rds:(orders|billing)-.*", "arn:aws:rds:.*|rds:orders", "^rds:orders$"] {
            assert!(begins_with(regex, &["rds:", "arn:"]), "{regex}");
        }
        for regex in
            ["rds-.*", "(rds:)?orders-.*", ".*rds:.*", "rds.*", "rds:.*|orders", "[a-z]+:.*", "", "(", "[a&&b]"]
        {
            assert!(!begins_with(regex, &["rds:", "arn:"]), "{regex}");
        }
    }

    #[test]
    fn a_search_is_not_a_full_match() {
        assert!(is_found_in("production", "nightly production"));
        assert!(!is_found_in("^production", "nightly production"));
    }
}
