//! What `check` says about a document.

use std::io::Write as _;
use std::path::Path;

use serde::Serialize;

use super::finding::{Finding, Level};
use super::normal::NormalPolicy;
use super::render;
use crate::terminal::exit::Exit;
use crate::terminal::input;

/// The name and version of the form that `--json` prints.
const FORMAT: &str = "snapferry-check/1";

/// All that is known of one document. This is its form in `--json`, too.
#[derive(Debug, Serialize)]
pub(crate) struct DocumentReport {
    /// The name of the file as it was given.
    file: String,
    /// Whether Snapferry starts with it.
    pub(crate) valid: bool,
    /// What was found, in the document's order.
    pub(crate) findings: Vec<Finding>,
    /// Whether each policy's filter takes each `--description`.
    pub(crate) descriptions: Vec<Description>,
    /// The normalized policies, none when the document is not valid.
    pub(crate) policies: Vec<NormalPolicy>,
    /// The text that findings point into.
    #[serde(skip)]
    pub(crate) document: String,
    /// The name of the file for people.
    #[serde(skip)]
    shown: String,
    /// Whether there is no text.
    #[serde(skip)]
    pub(crate) is_unreadable: bool,
}

/// Whether a policy's filter takes a description.
#[derive(Debug, Serialize)]
pub(crate) struct Description {
    /// The policy's name.
    pub(crate) policy: String,
    /// The description.
    pub(crate) description: String,
    /// Whether the whole of it matches.
    pub(crate) matches: bool,
}

impl DocumentReport {
    /// A report without findings.
    pub(crate) fn new(path: &Path) -> Self {
        Self {
            file: path.to_string_lossy().into_owned(),
            valid: true,
            findings: Vec::new(),
            descriptions: Vec::new(),
            policies: Vec::new(),
            document: String::new(),
            shown: input::shown(path),
            is_unreadable: false,
        }
    }

    /// How `check` ends, going by this document.
    pub(crate) fn exit(&self, strict: bool) -> Exit {
        if self.is_unreadable {
            Exit::CannotRun
        } else if !self.valid || (strict && self.count(Level::Warning) > 0) {
            Exit::Findings
        } else {
            Exit::Fine
        }
    }

    fn count(&self, level: Level) -> usize {
        self.findings.iter().filter(|finding| finding.level == level).count()
    }

    fn summary(&self) -> String {
        if self.is_unreadable {
            return format!("{}: not read", self.shown);
        }
        if !self.valid {
            return format!("{}: not valid", self.shown);
        }
        let mut summary = format!("{}: valid, {}", self.shown, counted(self.policies.len(), "policy", "policies"));
        for (level, one, many) in [(Level::Warning, "warning", "warnings"), (Level::Note, "note", "notes")] {
            if self.count(level) > 0 {
                summary = format!("{summary}, {}", counted(self.count(level), one, many));
            }
        }
        summary
    }
}

/// Prints all reports as one JSON object.
pub(crate) fn print_json(reports: &[DocumentReport]) -> anyhow::Result<()> {
    #[derive(Serialize)]
    struct All<'r> {
        format: &'static str,
        valid: bool,
        files: &'r [DocumentReport],
    }

    let all = All { format: FORMAT, valid: reports.iter().all(|report| report.valid), files: reports };
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", serde_json::to_string_pretty(&all)?)?;
    Ok(out.flush()?)
}

/// Prints a report for people: the normalized policies to standard output, the rest to standard error.
pub(crate) fn print_text(report: &DocumentReport, quiet: bool) -> anyhow::Result<()> {
    let mut err = anstream::stderr().lock();
    for finding in &report.findings {
        writeln!(err, "{}\n", render::render(finding, &report.shown, &report.document))?;
    }
    for told in &report.descriptions {
        let verdict = if told.matches { "takes" } else { "does not take" };
        writeln!(err, "{}: the filter {verdict} {:?}", told.policy, told.description)?;
    }
    writeln!(err, "{}", report.summary())?;
    if quiet || report.policies.is_empty() {
        return Ok(());
    }
    let mut out = std::io::stdout().lock();
    match report.policies.as_slice() {
        [policy] => writeln!(out, "{}", serde_json::to_string_pretty(policy)?)?,
        policies => writeln!(out, "{}", serde_json::to_string_pretty(policies)?)?,
    }
    Ok(out.flush()?)
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
