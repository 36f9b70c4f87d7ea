//! Decisions as rows: for a table, and for machines.

use jiff::Timestamp;
use serde::Serialize;
use snapferry_core::audit::{CopyStarted, Error};
use snapferry_core::copying::{Decision, Skip, Subject, Verdict};
use snapferry_core::facts::CallError;
use snapferry_core::text::printable;

/// What becomes of a copy whose lineage is unknown, and the ways out.
const VOLUME_UNKNOWN: &str = " EC2 names no volume for it, because it is a copy itself, so the new copy never expires. Name \
     the volume in its description and capture it with a group (?<volume>vol-...) in DescriptionRegex, or set KeepAtLeast to 0.";

const DATABASE_UNKNOWN: &str = " RDS names no instance or cluster for it (no resource ID), so the new copy never expires. Set \
     KeepAtLeast to 0, which deletes by age alone.";

/// What is to be done with a snapshot for a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Action {
    /// Nothing until somebody repairs something.
    Refuse,
    /// Nothing now.
    Defer,
    /// Ask for a copy.
    Copy,
    /// Nothing.
    Skip,
}

/// One decision.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Row {
    pub(crate) action: Action,
    pub(crate) reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) snapshot: Option<String>,
    /// Of a database's snapshot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) account: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) policy: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) region: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) kms_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expire_after: Option<Timestamp>,
    pub(crate) message: String,
    /// What the service said, where it did not do what was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<Error>,
}

impl Row {
    /// The row of a decision; a copy's expiry is what it would be if it were asked for at `now`.
    pub(crate) fn new(decision: &Decision<'_>, now: Timestamp) -> Self {
        let (snapshot, account, description) = match decision.subject {
            Subject::Seen(seen) => {
                (Some(seen.id.to_string()), Some(seen.owner.to_string()), Some(printable(&seen.description, 255)))
            }
            Subject::Named(event) => (Some(event.snapshot.to_string()), None, None),
            Subject::All => (None, None, None),
        };
        let mut row = Self {
            action: action(&decision.verdict),
            reason: CopyStarted::Matched.name(),
            snapshot,
            arn: if let Subject::Seen(seen) = decision.subject { seen.arn().map(str::to_owned) } else { None },
            account,
            description,
            policy: decision.policy.map(ToString::to_string),
            region: decision.region.map(ToString::to_string),
            kms_key: None,
            expire_after: None,
            message: String::new(),
            error: None,
        };
        row.error = error(&decision.verdict).map(Error::from);
        match &decision.verdict {
            Verdict::Copy(request) => {
                row.kms_key = request.key().map(ToString::to_string);
                row.expire_after = request.expire_after(now);
                row.message = "It would be copied.".to_owned();
                if request.policy_keeps() && request.volume().is_filler() {
                    let is_of_database = request.source.source_type().is_of_databases();
                    row.message.push_str(if is_of_database { DATABASE_UNKNOWN } else { VOLUME_UNKNOWN });
                }
            }
            Verdict::Skip(skip) => (row.reason, row.message) = (skip.reason().name(), skip.to_string()),
            Verdict::Defer(deferral) => (row.reason, row.message) = (deferral.reason().name(), deferral.to_string()),
            Verdict::Refuse(refusal) => (row.reason, row.message) = (refusal.reason().name(), refusal.to_string()),
        }
        row
    }

    /// What its owner calls the snapshot.
    pub(crate) fn name(&self) -> &Option<String> {
        if self.arn.is_some() { &self.arn } else { &self.snapshot }
    }
}

/// What the service said that a verdict stands on.
pub(crate) fn error<'d>(verdict: &'d Verdict<'_>) -> Option<&'d CallError> {
    match verdict {
        Verdict::Defer(deferral) => deferral.error(),
        Verdict::Refuse(refusal) => refusal.error(),
        Verdict::Copy(_) | Verdict::Skip(_) => None,
    }
}

fn action(verdict: &Verdict<'_>) -> Action {
    match verdict {
        Verdict::Copy(_) => Action::Copy,
        Verdict::Skip(_) => Action::Skip,
        Verdict::Defer(_) => Action::Defer,
        Verdict::Refuse(_) => Action::Refuse,
    }
}

/// Whether somebody has to look at it.
pub(crate) fn is_finding(decision: &Decision<'_>) -> bool {
    match &decision.verdict {
        Verdict::Refuse(_) | Verdict::Defer(_) | Verdict::Skip(Skip::Duplicate(_) | Skip::NotVisible) => true,
        Verdict::Copy(_) | Verdict::Skip(_) => false,
    }
}
