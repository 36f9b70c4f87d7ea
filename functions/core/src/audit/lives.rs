//! Audit lines read back, and judged by what they say of each other.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Deserialize;

use super::link::{Environment, Hash, Link};
use super::record::FORMAT;

/// Where a line was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The number of the file among all files, counted from 0.
    pub file: usize,
    /// The number of the line, or of the log event, in that file, counted from 1.
    pub line: u64,
}

/// All lines that were read, by environment.
#[derive(Debug, Default)]
pub struct Lives {
    lives: BTreeMap<Environment, Vec<Line>>,
    /// The files whose lines do not stand in the order of the log.
    sorted: BTreeSet<usize>,
}

/// A line of the audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its number in its environment.
    pub number: u64,
    /// When it says that it was written.
    pub time: Timestamp,
    /// Where it was read.
    pub position: Position,
    hash: Hash,
    previous: Hash,
}

/// What became of a text that was added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// A line of an environment.
    Line,
    /// A line of the audit without a link, or with one that cannot be read: no function writes such a line.
    Unlinked,
    /// Something else.
    Other,
}

/// One environment, as far as its lines are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Life {
    /// The environment.
    pub environment: Environment,
    /// Its lines without a gap between them, in order. Never empty.
    pub runs: Vec<Run>,
    /// What is wrong, in the order of the lines.
    pub findings: Vec<Finding>,
    /// The lines before the first that is there, when the environment began before the time from which on all should be
    /// there. Zero when none are missing, or when that is a finding.
    pub before: u64,
}

/// Lines that follow each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The first of them.
    pub first: Line,
    /// The last of them, which no other line vouches for.
    pub last: Line,
}

/// Something that no honest log has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// Lines are not there.
    Missing {
        /// The number of the first of them.
        from: u64,
        /// The number of the last of them.
        to: u64,
        /// The line before them, unless they are the first.
        after: Option<Line>,
        /// The line behind them.
        before: Line,
    },
    /// A line is not the one that the next line vouches for, or the next line was altered in what it says.
    Altered(Line),
    /// A line stands there twice, in two versions.
    Contradicted(Line, Line),
    /// A line stands twice in one file.
    Repeated(Line, Line),
    /// A line stands in a file behind one that was written later.
    Disordered(Line),
}

#[derive(Deserialize)]
struct Read {
    audit: String,
    time: Timestamp,
    #[serde(default)]
    chain: Option<Link>,
}

impl Lives {
    /// Adds a line as it was printed, without its end.
    pub fn add(&mut self, text: &str, position: Position) -> Added {
        if !text.starts_with(&format!("{{\"audit\":\"{FORMAT}\"")) {
            return Added::Other;
        }
        let Ok(Read { audit, time, chain: Some(link) }) = serde_json::from_str(text) else { return Added::Unlinked };
        if audit != FORMAT || link.line == 0 {
            return Added::Unlinked;
        }
        let Link { environment, line: number, previous } = link;
        let line = Line { number, time, position, hash: Hash::of(text.as_bytes()), previous };
        self.lives.entry(environment).or_default().push(line);
        Added::Line
    }

    /// Says that a file holds the rows of a query, in an order that somebody chose: they prove their order by their numbers and
    /// hashes, and where they stand there says nothing.
    pub fn is_of_a_query(&mut self, file: usize) {
        self.sorted.insert(file);
    }

    /// Judges all environments. Of those that began before `since`, the first lines may be missing.
    #[must_use]
    pub fn judge(self, since: Option<Timestamp>) -> Vec<Life> {
        let Self { lives, sorted } = self;
        let judge = |(environment, mut lines): (Environment, Vec<Line>)| {
            let may_be_cut = since.is_some_and(|since| environment.began().is_some_and(|began| began < since));
            let disordered = disordered(&mut lines, &sorted);
            judge_life(environment, lines, disordered, may_be_cut)
        };
        lives.into_iter().filter_map(judge).collect()
    }
}

impl Life {
    /// The lines that another line vouches for, as pairs of the first and the last number. What is between them, and
    /// the last line, may be anything.
    #[must_use]
    pub fn proven(&self) -> Vec<(u64, u64)> {
        let altered = |finding: &Finding| if let Finding::Altered(line) = finding { Some(line.number) } else { None };
        let altered: BTreeSet<u64> = self.findings.iter().filter_map(altered).collect();
        let mut proven = Vec::new();
        for run in &self.runs {
            let mut from = run.first.number;
            for stop in altered.range(from..run.last.number).copied().chain([run.last.number]) {
                if from < stop {
                    proven.push((from, stop - 1));
                }
                from = stop + 1;
            }
        }
        proven
    }
}

fn judge_life(
    environment: Environment,
    mut lines: Vec<Line>,
    mut findings: Vec<Finding>,
    may_be_cut: bool,
) -> Option<Life> {
    lines.sort_by_key(|line| (line.number, line.position));
    let lines = single(lines, &mut findings);
    let (first, last) = (lines.first()?, lines.last()?);
    let mut life = Life { environment, runs: Vec::new(), findings, before: 0 };
    if first.number > 1 && may_be_cut {
        life.before = first.number - 1;
    } else if first.number > 1 {
        let missing = Finding::Missing { from: 1, to: first.number - 1, after: None, before: first.clone() };
        life.findings.push(missing);
    } else if first.previous != Hash::default() {
        life.findings.push(Finding::Altered(first.clone()));
    }
    let mut start = first;
    for (line, next) in lines.iter().zip(lines.iter().skip(1)) {
        if line.number + 1 < next.number {
            life.runs.push(Run { first: start.clone(), last: line.clone() });
            start = next;
            let (from, to) = (line.number + 1, next.number - 1);
            life.findings.push(Finding::Missing { from, to, after: Some(line.clone()), before: next.clone() });
        } else if line.hash != next.previous {
            life.findings.push(Finding::Altered(line.clone()));
        }
    }
    life.runs.push(Run { first: start.clone(), last: last.clone() });
    life.findings.sort_by_key(Finding::number);
    // The first line may be altered in both ways.
    life.findings.dedup();
    Some(life)
}

/// Lines that stand behind a later one of the same file, unless that is in an order of its own.
fn disordered(lines: &mut [Line], sorted: &BTreeSet<usize>) -> Vec<Finding> {
    lines.sort_by_key(|line| line.position);
    let mut latest: Option<&Line> = None;
    let mut findings = Vec::new();
    for line in lines.iter().filter(|line| !sorted.contains(&line.position.file)) {
        match latest.filter(|latest| latest.position.file == line.position.file) {
            Some(latest) if line.number < latest.number => findings.push(Finding::Disordered(line.clone())),
            _ => latest = Some(line),
        }
    }
    findings
}

/// Each line once. The same line in two files is an overlap of two exports; twice in one file it is a finding, and so are
/// two versions of it, of which the one that the next line vouches for stays.
fn single(lines: Vec<Line>, findings: &mut Vec<Finding>) -> Vec<Line> {
    let mut single: Vec<Line> = Vec::with_capacity(lines.len());
    for same in lines.chunk_by(|a, b| a.number == b.number) {
        for (index, line) in same.iter().enumerate() {
            let Some(earlier) = index.checked_sub(1).and_then(|index| same.get(index)) else { continue };
            if line.hash != earlier.hash {
                findings.push(Finding::Contradicted(earlier.clone(), line.clone()));
            } else if line.position.file == earlier.position.file {
                findings.push(Finding::Repeated(earlier.clone(), line.clone()));
            }
        }
        let is_vouched_for = |line: &&Line| {
            let next = lines.iter().skip(lines.partition_point(|other| other.number <= line.number));
            next.take_while(|next| next.number == line.number + 1).any(|next| next.previous == line.hash)
        };
        single.extend(same.iter().find(is_vouched_for).or(same.first()).cloned());
    }
    single
}

impl Finding {
    /// The number of the line that it is about, or of the first one.
    #[must_use]
    pub fn number(&self) -> u64 {
        match self {
            Self::Missing { from, .. } => *from,
            Self::Altered(line) | Self::Contradicted(line, _) | Self::Repeated(line, _) | Self::Disordered(line) => {
                line.number
            }
        }
    }
}
