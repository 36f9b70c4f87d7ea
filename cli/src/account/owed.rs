//! What is owed, in the words of all outputs.

use jiff::Timestamp;
use serde::Serialize;
use snapferry_core::ledger::{Hint, Owed};

use crate::terminal::time::span;

/// An obligation with its members' names.
#[derive(Debug, Serialize)]
pub(crate) struct OwedLine<'o> {
    /// `in-line`, `delayed`, `asked`, `copying` or `missed`.
    pub(crate) state: &'static str,
    /// Since when the copy is wanted.
    pub(crate) since: Timestamp,
    /// Until when nothing is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<Timestamp>,
    /// The copy that EC2 named; none of a database's, which is counted by what is no name of RDS's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) copy: Option<&'o str>,
    /// How often in a row the copy was refused.
    pub(crate) refused: u32,
    /// How many copies failed or were rejected.
    pub(crate) failed: u32,
    /// Whether the last sweep did not see the source.
    pub(crate) gone: bool,
    pub(crate) why: String,
}

impl<'o> OwedLine<'o> {
    pub(crate) fn new(owed: &'o Owed) -> Self {
        Self {
            state: owed.wait.as_str(),
            since: owed.since,
            until: owed.wait.until(),
            copy: owed.wait.copy().filter(|_| owed.arn.is_none()).map(|copy| copy.as_str()),
            refused: owed.refused,
            failed: owed.failed,
            gone: owed.is_gone,
            why: owed.to_string(),
        }
    }
}

/// An event whose snapshot EC2 does not show.
#[derive(Debug, Serialize)]
pub(crate) struct HintLine<'h> {
    pub(crate) snapshot: &'h str,
    pub(crate) event: String,
    pub(crate) since: Timestamp,
}

impl<'h> HintLine<'h> {
    /// As it stands at `now`.
    pub(crate) fn new(hint: &'h Hint, now: Timestamp) -> Self {
        // The event's ID is what its sender wrote.
        let event = snapferry_core::text::printable(&hint.event, 100);
        Self { snapshot: hint.source.as_str(), event, since: hint.wanted.min(now) }
    }
}

/// An obligation in a cell: since how long, how it stands, and what went wrong.
pub(crate) fn words(owed: &Owed, now: Timestamp) -> String {
    let mut words = format!("{} {}", span(now.duration_since(owed.since)), owed.wait.as_str());
    if let Some(until) = owed.wait.until() {
        words.push_str(&format!(" until {}", until.strftime("%Y-%m-%d %H:%M UTC")));
    }
    if let Some(copy) = owed.wait.copy() {
        words.push_str(&format!(" as {copy}"));
    }
    for (count, what) in [(owed.refused, "refused"), (owed.failed, "failed")] {
        if count > 0 {
            words.push_str(&format!(", {what} {count}"));
        }
    }
    if owed.is_gone && !owed.is_missed() {
        words.push_str(", not seen by the last sweep");
    }
    words
}
