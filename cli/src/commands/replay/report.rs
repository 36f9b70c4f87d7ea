//! What replay says.

use std::io::Write;

use serde::Serialize;
use serde_json::json;

use crate::terminal::exit::{self, Exit};

/// What became of one message or record.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Replayed {
    /// The message's ID, or the record's time.
    pub(super) id: String,
    /// What it asks for, when that can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) about: Option<String>,
    /// Whether it is in the copier's queue now (or would be, in a dry run).
    pub(super) replayed: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) problem: Option<String>,
}

/// What is said as it happens, and counted for the end.
pub(super) struct ReplayReport {
    output: Box<dyn Write>,
    json: bool,
    pub(super) dry_run: bool,
    pub(super) replayed: usize,
    left: usize,
    /// How many messages lie behind those that stay, where they cannot be had.
    pub(super) not_looked_at: usize,
    /// Why something could not be printed, which stops nothing: what was begun is brought to its end.
    unsaid: Option<anyhow::Error>,
}

impl ReplayReport {
    pub(super) fn new(output: Box<dyn Write>, json: bool, dry_run: bool) -> Self {
        Self { output, json, dry_run, replayed: 0, left: 0, not_looked_at: 0, unsaid: None }
    }

    /// Whether nothing happened.
    pub(super) fn is_empty(&self) -> bool {
        self.replayed + self.left == 0
    }

    /// Counts and prints.
    pub(super) fn say(&mut self, what: &Replayed) {
        if what.replayed {
            self.replayed += 1
        } else {
            self.left += 1
        }
        let about = what.about.as_deref().unwrap_or("unreadable");
        let line = match (&what.problem, self.dry_run) {
            _ if self.json => json!(what).to_string(),
            (Some(problem), _) => format!("left      {} {about}: {problem}", what.id),
            (None, true) => format!("would put {} {about}", what.id),
            (None, false) => format!("put back  {} {about}", what.id),
        };
        self.print(&line);
    }

    fn print(&mut self, line: &str) {
        if let Err(error) = writeln!(self.output, "{line}") {
            self.unsaid.get_or_insert(error.into());
        }
    }

    /// Prints the counts.
    pub(super) fn end(mut self) -> anyhow::Result<Exit> {
        let Self { replayed, left, not_looked_at, .. } = self;
        if self.json {
            let summary = json!({"summary": {"replayed": replayed, "left": left, "notLookedAt": not_looked_at}});
            self.print(&summary.to_string());
        }
        let done = if self.dry_run { "would be put back" } else { "put back" };
        note(&format!("{replayed} {done}, {left} left"));
        if not_looked_at > 0 {
            note(&format!(
                "some {not_looked_at} more behind these were not looked at: a FIFO queue gives none of them while ten before \
                 them stay; --all puts back everything"
            ));
        }
        exit::acted(if left + not_looked_at == 0 { Exit::Fine } else { Exit::Findings }, self.unsaid)
    }
}

/// What a person should read besides.
pub(super) fn note(text: &str) {
    // Without a standard error there is nobody left to tell.
    let _ = writeln!(anstream::stderr(), "snapferry: {text}");
}
