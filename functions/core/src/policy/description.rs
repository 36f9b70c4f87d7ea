//! `DescriptionRegex`: which descriptions a policy takes.

use std::fmt;

use regex::{Regex, RegexBuilder};

use super::error::Warnings;
use super::path::{Path, Problem, quoted};

/// The longest `DescriptionRegex` (DLM API reference, `EventParameters`), in characters.
const MAX_CHARACTERS: usize = 1000;

/// The most memory that a compiled regex may take, in bytes. `.{0,255}`, any description that EC2 keeps, takes a
/// quarter of a mebibyte, `\w{64}` four; to reach the limit costs less than 0.1 s of a cold start.
const MAX_COMPILED_BYTES: usize = 10 * 1024 * 1024;

/// A compiled `DescriptionRegex`.
///
/// It matches the whole description, which is what DLM's documented examples imply (`.*production.*` for
/// "anywhere"), in time linear in the description's length. `.` matches every character, line breaks too, so that `.*`
/// matches every description, as DLM's guide promises.
#[derive(Clone)]
pub struct DescriptionFilter {
    written: String,
    whole: Regex,
}

impl DescriptionFilter {
    /// Whether the whole of `description` matches.
    #[must_use]
    pub fn matches(&self, description: &str) -> bool {
        self.whole.is_match(description)
    }

    /// The regex as the policy has it; `.*` when it has none.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// Compiles the member at `path`.
    pub(super) fn check(written: Option<&str>, path: &Path, warnings: &mut Warnings<'_>) -> Result<Self, Problem> {
        let characters = written.unwrap_or_default().chars().count();
        if characters > MAX_CHARACTERS {
            return Err(path.wrong(format!("{characters} characters"), format!("at most {MAX_CHARACTERS} characters")));
        }
        match written {
            None => warnings.add(
                path,
                "description-regex-missing",
                "missing, so every shared snapshot of the listed owners is copied, as with \".*\"",
            ),
            Some("") => warnings.add(
                path,
                "description-regex-empty",
                "empty, so only snapshots without a description are copied; \".*\" matches every description",
            ),
            Some(_) => {}
        }
        let written = written.unwrap_or(".*");
        let whole = compile_whole(written).map_err(|error| explain(path, written, &error))?;
        Ok(Self { written: written.to_owned(), whole })
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

/// Compiled on its own first, so that an error's position is that in the policy, and so that no stray parenthesis
/// can end the group around it.
fn compile_whole(written: &str) -> Result<Regex, regex::Error> {
    compile(written)?;
    // In verbose mode, `(?x)`, a comment at the end would hide the parenthesis: only a line break ends it.
    compile(&format!(r"\A(?:{written})\z")).or_else(|_| compile(&format!("\\A(?:{written}\n)\\z")))
}

fn compile(regex: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(regex).dot_matches_new_line(true).size_limit(MAX_COMPILED_BYTES).build()
}

fn explain(path: &Path, written: &str, error: &regex::Error) -> Problem {
    let regex::Error::Syntax(report) = error else {
        return path.wrong(
            format!("{} compiles to more than {MAX_COMPILED_BYTES} bytes", quoted(written)),
            "fewer or smaller repetitions ([0-9A-Za-z_] is much smaller than \\w, which is all of Unicode's)",
        );
    };
    let reason = report.lines().rev().find_map(|line| line.strip_prefix("error: ")).unwrap_or("not a regex");
    let place = position(report).map(|character| format!(" at character {character}")).unwrap_or_default();
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
