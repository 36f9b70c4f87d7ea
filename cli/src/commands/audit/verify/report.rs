//! What `audit verify` says.

use std::io::Write;
use std::path::Path;

use jiff::Timestamp;
use serde::Serialize;
use snapferry_core::audit::{Finding, Life, Line, Position};

use crate::terminal::exit::Exit;
use crate::terminal::input;

/// The name and version of the form that `--json` prints.
const FORMAT: &str = "snapferry-audit-verify/1";

/// The most findings that are printed of one environment. `--json` has all.
const MAX_PRINTED: usize = 50;

/// A file that was read.
#[derive(Debug, Serialize)]
pub(crate) struct File {
    /// Its name as it was given.
    file: String,
    /// How many audit lines it has.
    pub(crate) lines: u64,
    /// Why it could not be read to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    #[serde(skip)]
    shown: String,
}

/// Everything, in the form of `--json`.
#[derive(Debug, Serialize)]
pub(crate) struct VerifyReport {
    format: &'static str,
    verdict: Proof,
    files: Vec<File>,
    environments: Vec<Environment>,
    unlinked: Vec<At>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Proof {
    /// Nothing is wrong.
    Intact,
    /// Something is.
    Broken,
    /// There was no audit line.
    Nothing,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Environment {
    environment: String,
    verdict: Proof,
    /// The number of the last line that is there.
    last_line: u64,
    /// When the first line that is there was written.
    first_time: Timestamp,
    /// When the last line that is there was written.
    last_time: Timestamp,
    /// How many lines at its beginning are not there and need not be.
    before: u64,
    /// The lines that others vouch for.
    proven: Vec<Range>,
    findings: Vec<Found>,
}

#[derive(Debug, Serialize)]
struct Range {
    from: u64,
    to: u64,
}

/// A finding: what, which lines of the environment, when they were written, and where they stand.
#[derive(Debug, Serialize)]
struct Found {
    code: &'static str,
    from: u64,
    to: u64,
    /// Not written before.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<Timestamp>,
    /// Not written later.
    before: Timestamp,
    #[serde(rename = "at")]
    places: Vec<At>,
}

#[derive(Debug, Serialize)]
struct At {
    file: String,
    line: u64,
    #[serde(skip)]
    shown: String,
}

impl File {
    /// A file that nothing was read of.
    pub(crate) fn new(path: &Path) -> Self {
        Self { file: path.to_string_lossy().into_owned(), lines: 0, error: None, shown: input::shown(path) }
    }
}

impl VerifyReport {
    /// Puts everything together.
    pub(crate) fn new(files: Vec<File>, unlinked: Vec<Position>, lives: Vec<Life>) -> Self {
        let environments: Vec<Environment> = lives.iter().map(|life| environment(life, &files)).collect();
        let unlinked: Vec<At> = unlinked.into_iter().map(|position| at(position, &files)).collect();
        let is_broken = environments.iter().any(|environment| environment.verdict == Proof::Broken);
        let verdict = if is_broken || !unlinked.is_empty() {
            Proof::Broken
        } else if environments.is_empty() {
            Proof::Nothing
        } else {
            Proof::Intact
        };
        Self { format: FORMAT, verdict, files, environments, unlinked }
    }

    /// How the command ends.
    pub(crate) fn exit(&self) -> Exit {
        match self.verdict {
            _ if self.files.iter().any(|file| file.error.is_some()) => Exit::CannotRun,
            Proof::Nothing => Exit::CannotRun,
            Proof::Broken => Exit::Findings,
            Proof::Intact => Exit::Fine,
        }
    }

    /// Prints it as one JSON object.
    pub(crate) fn print_json(&self) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{}", serde_json::to_string_pretty(self)?)?;
        Ok(out.flush()?)
    }

    /// Prints it for people: the verdicts to standard output, what stands in their way to standard error.
    pub(crate) fn print_text(&self) -> anyhow::Result<()> {
        let mut err = anstream::stderr().lock();
        for file in &self.files {
            if let Some(error) = &file.error {
                writeln!(err, "{}: {error}", file.shown)?;
            }
        }
        let mut out = std::io::stdout().lock();
        for environment in &self.environments {
            environment.print(&mut out)?;
        }
        for place in &self.unlinked {
            writeln!(out, "{place}: an audit line that belongs to no environment; no function writes such a line")?;
        }
        let lines: u64 = self.files.iter().map(|file| file.lines).sum();
        match self.verdict {
            Proof::Nothing => writeln!(err, "no line of Snapferry's audit in what was read")?,
            Proof::Intact => writeln!(out, "{}, {}: intact", self.environments(), counted(lines, "line"))?,
            Proof::Broken => {
                writeln!(out, "{}, {}: {}", self.environments(), counted(lines, "line"), self.broken())?;
            }
        }
        Ok(out.flush()?)
    }

    /// What is broken, in a few words.
    fn broken(&self) -> String {
        let broken = self.environments.iter().filter(|environment| environment.verdict == Proof::Broken).count();
        let broken = (broken > 0).then(|| format!("{broken} broken"));
        let unlinked = self.unlinked.len() as u64;
        let unlinked = (unlinked > 0).then(|| format!("{} of no environment", counted(unlinked, "line")));
        broken.into_iter().chain(unlinked).collect::<Vec<_>>().join(", ")
    }

    fn environments(&self) -> String {
        counted(self.environments.len() as u64, "environment")
    }
}

impl Environment {
    fn print(&self, out: &mut impl Write) -> std::io::Result<()> {
        let verdict = if self.verdict == Proof::Broken { "broken" } else { "intact" };
        let proven = match self.proven.as_slice() {
            [] => "nothing proven".to_owned(),
            ranges => format!("proven: {}", ranges.iter().map(Range::words).collect::<Vec<_>>().join(", ")),
        };
        let (first, last) = (self.first_time, self.last_time);
        let before = match self.before {
            0 => String::new(),
            to => format!("; from before the export: {}", Range { from: 1, to }.words()),
        };
        let line = self.last_line;
        writeln!(
            out,
            "{}: {verdict}; {proven}; the last is {line}; {first:.0} to {last:.0}{before}",
            self.environment
        )?;
        for found in self.findings.iter().take(MAX_PRINTED) {
            writeln!(out, "    {}", found.words())?;
        }
        if let Some(more) = self.findings.len().checked_sub(MAX_PRINTED).filter(|more| *more > 0) {
            writeln!(out, "    and {more} more; --json has all")?;
        }
        Ok(())
    }
}

impl Range {
    fn words(&self) -> String {
        if self.from == self.to { self.from.to_string() } else { format!("{} to {}", self.from, self.to) }
    }
}

impl Found {
    fn words(&self) -> String {
        let numbers = Range { from: self.from, to: self.to }.words();
        let places = self.places.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
        let (before, next) = (self.before, self.to + 1);
        match (self.code, self.after) {
            ("missing", None) => format!("missing: {numbers}, written before {before:.0}"),
            ("missing", Some(after)) => format!("missing: {numbers}, written between {after:.0} and {before:.0}"),
            ("altered", _) if self.from == 1 => {
                format!("altered: 1, which is not what 2 says of it, or not the first ({places})")
            }
            ("altered", _) => format!("altered: {numbers}, which is not what {next} says of it ({places})"),
            ("contradicted", _) => format!("contradicted: {numbers} stands there in two versions ({places})"),
            ("repeated", _) => format!("repeated: {numbers} stands there twice ({places})"),
            (code, _) => format!("{code}: {numbers} stands behind a line that was written later ({places})"),
        }
    }
}

impl std::fmt::Display for At {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.shown, self.line)
    }
}

fn environment(life: &Life, files: &[File]) -> Environment {
    let lines = |run: &snapferry_core::audit::Run| (run.first.clone(), run.last.clone());
    let first = life.runs.first().map(lines).map(|(first, _)| first);
    let last = life.runs.last().map(lines).map(|(_, last)| last);
    Environment {
        environment: life.environment.to_string(),
        verdict: if life.findings.is_empty() { Proof::Intact } else { Proof::Broken },
        last_line: last.as_ref().map_or(0, |line| line.number),
        first_time: first.map_or(Timestamp::MIN, |line| line.time),
        last_time: last.map_or(Timestamp::MIN, |line| line.time),
        before: life.before,
        proven: life.proven().into_iter().map(|(from, to)| Range { from, to }).collect(),
        findings: life.findings.iter().map(|finding| found(finding, files)).collect(),
    }
}

fn found(finding: &Finding, files: &[File]) -> Found {
    let of = |code, lines: &[&Line]| {
        let line = lines.first().map_or(0, |line| line.number);
        Found {
            code,
            from: line,
            to: line,
            after: lines.iter().map(|line| line.time).min(),
            before: lines.iter().map(|line| line.time).max().unwrap_or(Timestamp::MAX),
            places: lines.iter().map(|line| at(line.position, files)).collect(),
        }
    };
    match finding {
        Finding::Missing { from, to, after, before } => Found {
            code: "missing",
            from: *from,
            to: *to,
            after: after.as_ref().map(|line| line.time),
            before: before.time,
            places: after.iter().chain([before]).map(|line| at(line.position, files)).collect(),
        },
        Finding::Altered(line) => of("altered", &[line]),
        Finding::Contradicted(line, other) => of("contradicted", &[line, other]),
        Finding::Repeated(line, other) => of("repeated", &[line, other]),
        Finding::Disordered(line) => of("disordered", &[line]),
    }
}

fn at(position: Position, files: &[File]) -> At {
    let file = files.get(position.file);
    At {
        file: file.map(|file| file.file.clone()).unwrap_or_default(),
        line: position.line,
        shown: file.map(|file| file.shown.clone()).unwrap_or_default(),
    }
}

fn counted(count: u64, one: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") }
}
