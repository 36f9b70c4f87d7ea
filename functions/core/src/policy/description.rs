//! `DescriptionRegex`: which descriptions a policy takes.

use std::fmt;

use regex_automata::PatternID;
use regex_automata::meta::{Config, Regex};
use regex_automata::nfa::thompson::WhichCaptures;
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Capture, Class, Dot, Hir, HirKind, Look, Repetition};

use super::error::Warnings;
use super::path::{Path, Problem, quoted};
use crate::audit::PolicyWarning;
use crate::ids::VolumeId;

/// The longest `DescriptionRegex` (DLM API reference, `EventParameters`), in characters.
const MAX_CHARACTERS: usize = 1000;

/// The most memory that a compiled regex may take, in bytes. `.{0,255}`, any description that EC2 keeps, takes a
/// quarter of a mebibyte, `\w{64}` four; to reach the limit costs less than 0.1 s of a cold start.
const MAX_COMPILED_BYTES: usize = 10 * 1024 * 1024;

/// The group that names the source's volume where EC2 names none.
const VOLUME: &str = "volume";

/// A compiled `DescriptionRegex`.
///
/// It matches the whole description, which is what DLM's documented examples imply (`.*production.*` for
/// "anywhere"), in time linear in the description's length. `.` matches every character, line breaks too, so that `.*`
/// matches every description, as DLM's guide promises.
#[derive(Clone)]
pub struct DescriptionFilter {
    written: String,
    whole: Regex,
    /// The same with its groups, where one is named `volume`.
    volume: Option<Regex>,
}

impl DescriptionFilter {
    /// Whether the whole of `description` matches.
    #[must_use]
    pub fn matches(&self, description: &str) -> bool {
        self.whole.is_match(description)
    }

    /// Whether there is a group `(?<volume>…)`.
    #[must_use]
    pub fn names_volumes(&self) -> bool {
        self.volume.is_some()
    }

    /// The volume that the group `(?<volume>…)` captures, if there is such a group and it captures a volume's ID.
    #[must_use]
    pub fn volume(&self, description: &str) -> Option<VolumeId> {
        let regex = self.volume.as_ref()?;
        let mut captures = regex.create_captures();
        regex.captures(description, &mut captures);
        let captured = description.get(captures.get_group_by_name(VOLUME)?.range())?;
        VolumeId::parse(captured).ok().filter(|volume| !volume.is_filler())
    }

    /// The regex as the policy has it; `.*` when it has none.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// Compiles the member at `path`.
    pub(super) fn check(written: Option<&str>, path: &Path, warnings: &mut Warnings<'_>) -> Result<Self, Problem> {
        check_length(written.unwrap_or_default(), path)?;
        match written {
            None => warnings.add(
                path,
                PolicyWarning::DescriptionRegexMissing,
                "missing, so every shared snapshot of the listed owners is copied, as with \".*\"",
            ),
            Some("") => warnings.add(
                path,
                PolicyWarning::DescriptionRegexEmpty,
                "empty, so only snapshots without a description are copied; \".*\" matches every description",
            ),
            Some(_) => {}
        }
        let written = written.unwrap_or(".*");
        let compiled = |captures| compile(written, captures).map_err(|error| explain(path, written, &error));
        let whole = compiled(WhichCaptures::Implicit)?;
        // Most policies have no such group, and are not compiled twice.
        let grouped = if written.contains(VOLUME) { Some(compiled(WhichCaptures::All)?) } else { None };
        let volume = grouped.filter(|regex| regex.group_info().to_index(PatternID::ZERO, VOLUME).is_some());
        Ok(Self { written: written.to_owned(), whole, volume })
    }
}

impl PartialEq for DescriptionFilter {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written
    }
}

impl Eq for DescriptionFilter {}

impl fmt::Debug for DescriptionFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DescriptionFilter").field(&self.written).finish()
    }
}

/// Compiles a regex for whole texts of another kind, with the same syntax and limits.
pub(super) fn whole(written: &str, path: &Path) -> Result<Regex, Problem> {
    check_length(written, path)?;
    compile(written, WhichCaptures::Implicit).map_err(|error| explain(path, written, &error))
}

fn check_length(written: &str, path: &Path) -> Result<(), Problem> {
    match written.chars().count() {
        0..=MAX_CHARACTERS => Ok(()),
        more => Err(path.wrong(format!("{more} characters"), format!("at most {MAX_CHARACTERS} characters"))),
    }
}

/// Why there is no compiled regex.
enum Unusable {
    Syntax(Box<regex_syntax::Error>),
    TooLarge,
}

/// Compiled once, without the engines that a short regex's one answer is not worth: this is a good part of a cold start.
fn compile(written: &str, captures: WhichCaptures) -> Result<Regex, Unusable> {
    let parsed = ParserBuilder::new().dot_matches_new_line(true).build().parse(written);
    let parsed = parsed.map_err(|error| Unusable::Syntax(Box::new(error)))?;
    let word_boundaries = parsed.properties().look_set().contains_word();
    let inside = if word_boundaries { parsed } else { with_any_bytes(parsed) };
    let whole = Hir::concat(vec![Hir::look(Look::Start), inside, Hir::look(Look::End)]);
    let config = Config::new()
        .nfa_size_limit(Some(MAX_COMPILED_BYTES))
        .which_captures(captures)
        .dfa(false)
        .onepass(false)
        .backtrack(false);
    Regex::builder().configure(config).build_from_hir(&whole).map_err(|_| Unusable::TooLarge)
}

/// `.*` over bytes instead of characters, which compiles to two states instead of a table of UTF-8.
///
/// In text that is UTF-8 this matches the same as long as there are no word boundaries: whatever follows starts with
/// a whole character or at a line's or the text's end, so a run of any bytes between the two ends where one of characters
/// does. This holds for `*` alone; `.+.+` wants two characters, and one character may be two bytes.
fn with_any_bytes(regex: Hir) -> Hir {
    match regex.into_kind() {
        HirKind::Repetition(Repetition { min: 0, max: None, greedy, sub }) if is_any_character(&sub) => {
            Hir::repetition(Repetition { min: 0, max: None, greedy, sub: Box::new(Hir::dot(Dot::AnyByte)) })
        }
        HirKind::Repetition(Repetition { min, max, greedy, sub }) => {
            Hir::repetition(Repetition { min, max, greedy, sub: Box::new(with_any_bytes(*sub)) })
        }
        HirKind::Capture(Capture { index, name, sub }) => {
            Hir::capture(Capture { index, name, sub: Box::new(with_any_bytes(*sub)) })
        }
        HirKind::Concat(parts) => Hir::concat(parts.into_iter().map(with_any_bytes).collect()),
        HirKind::Alternation(branches) => Hir::alternation(branches.into_iter().map(with_any_bytes).collect()),
        HirKind::Empty => Hir::empty(),
        HirKind::Literal(literal) => Hir::literal(literal.0),
        HirKind::Class(class) => Hir::class(class),
        HirKind::Look(look) => Hir::look(look),
    }
}

fn is_any_character(regex: &Hir) -> bool {
    let HirKind::Class(Class::Unicode(class)) = regex.kind() else { return false };
    matches!(class.ranges(), [all] if all.start() == '\0' && all.end() == char::MAX)
}

fn explain(path: &Path, written: &str, unusable: &Unusable) -> Problem {
    let report = match unusable {
        Unusable::Syntax(error) => error.to_string(),
        Unusable::TooLarge => {
            return path.wrong(
                format!("{} compiles to more than {MAX_COMPILED_BYTES} bytes", quoted(written)),
                "fewer or smaller repetitions ([0-9A-Za-z_] is much smaller than \\w, which is all of Unicode's)",
            );
        }
    };
    let reason = report.lines().rev().find_map(|line| line.strip_prefix("error: ")).unwrap_or("not a regex");
    let place = position(&report).map(|character| format!(" at character {character}")).unwrap_or_default();
    let allowed = if reason.contains("look-around") || reason.contains("backreference") {
        "Rust regex syntax, whose engine runs in linear time and therefore has neither look-around nor backreferences"
    } else {
        "Rust regex syntax (docs.rs/regex)"
    };
    path.wrong(format!("{}{place}: {reason}", quoted(written)), allowed)
}

/// The character, counted from 1, that the caret in the regex crate's report stands under. A regex of several lines
/// is reported in another way, without one to find.
fn position(report: &str) -> Option<usize> {
    const INDENT: usize = 4;
    let caret = report.lines().nth(2)?.find('^')?;
    report.starts_with("regex parse error:\n    ").then(|| caret.saturating_sub(INDENT) + 1)
}
