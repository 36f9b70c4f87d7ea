//! What `owners` says.

use std::io::Write as _;

use serde::Serialize;

use super::change::{Change, Member, Reason};
use crate::terminal::exit::Exit;

/// The name and version of the form that `--json` prints.
const FORMAT: &str = "snapferry-owners/1";

/// What is different, and the document if it may be.
#[derive(Debug)]
pub(crate) struct Report<'c> {
    pub(crate) policy: &'c str,
    pub(crate) change: &'c Change,
    /// Why the change is not made.
    pub(crate) refused: Option<String>,
    pub(crate) document: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'c> {
    format: &'static str,
    policy: &'c str,
    owners: &'c [snapferry_core::ids::AccountId],
    added: Vec<Row<'c>>,
    removed: Vec<Row<'c>>,
    kept: Vec<Row<'c>>,
    left_out: Vec<Row<'c>>,
    refused: Option<&'c str>,
    document: Option<&'c str>,
}

#[derive(Serialize)]
struct Row<'c> {
    account: &'c str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'c str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl Report<'_> {
    /// How the command ends.
    pub(crate) fn exit(&self) -> Exit {
        if self.refused.is_some() { Exit::Findings } else { Exit::Fine }
    }

    /// Prints it as one JSON object.
    pub(crate) fn print_json(&self) -> anyhow::Result<()> {
        let answer = Answer {
            format: FORMAT,
            policy: self.policy,
            owners: &self.change.owners,
            added: self.change.added.iter().map(|member| Row::new(member, None)).collect(),
            removed: rows(&self.change.removed),
            kept: rows(&self.change.kept),
            left_out: rows(&self.change.left_out),
            refused: self.refused.as_deref(),
            document: self.document.as_deref(),
        };
        let mut out = std::io::stdout().lock();
        writeln!(out, "{}", serde_json::to_string_pretty(&answer)?)?;
        Ok(out.flush()?)
    }

    /// Prints the document to standard output, and what is different to standard error.
    pub(crate) fn print_text(&self) -> anyhow::Result<()> {
        let mut err = anstream::stderr().lock();
        let Change { added, removed, kept, left_out, owners, until_now } = self.change;
        for member in added {
            writeln!(err, "added: {member}")?;
        }
        for (member, reason) in removed {
            let way_out = match reason {
                Reason::NotListed => format!("; --keep {} keeps it", member.account),
                _ => String::new(),
            };
            writeln!(err, "removed: {member}, {reason}{way_out}")?;
        }
        for (member, reason) in kept {
            writeln!(err, "kept: {member}, {reason}")?;
        }
        for (member, reason) in left_out {
            writeln!(err, "left out: {member}, {reason}")?;
        }
        let (policy, all) = (self.policy, owners.len());
        let (added, removed) = (added.len(), removed.len());
        writeln!(err, "owners of {policy}: {until_now} until now, {added} added, {removed} removed, {all} now")?;
        if let Some(refused) = &self.refused {
            writeln!(err, "not changed: {refused}")?;
        }
        let mut out = std::io::stdout().lock();
        out.write_all(self.document.as_deref().unwrap_or_default().as_bytes())?;
        Ok(out.flush()?)
    }
}

impl<'c> Row<'c> {
    fn new(member: &'c Member, reason: Option<&Reason>) -> Self {
        Self { account: member.account.as_str(), name: member.name.as_deref(), reason: reason.map(ToString::to_string) }
    }
}

fn rows(members: &[(Member, Reason)]) -> Vec<Row<'_>> {
    members.iter().map(|(member, reason)| Row::new(member, Some(reason))).collect()
}
