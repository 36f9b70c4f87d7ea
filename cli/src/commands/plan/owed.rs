//! What the ledger owes, as rows: for a table, and for machines.

use std::collections::BTreeMap;
use std::io::Write;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use snapferry_core::copying::{Deferral, Plan, Verdict};
use snapferry_core::ids::{PolicyName, Region};
use snapferry_core::ledger::{Extract, HOLD, Identity, Obligation, Owed, State};

use super::listing::{LISTED, table};
use crate::account::ledger::Reading;
use crate::account::owed::{HintLine, OwedLine, words};

/// Whether the decision about an identity depends on its obligation: all that stand do, and for a moment those that are over.
pub(super) fn matters(obligation: &Obligation, now: Timestamp) -> bool {
    match obligation.state {
        State::Ended { at, .. } => now.duration_since(at) < HOLD,
        _ => true,
    }
}

/// Puts off what would be copied but for its pause.
pub(super) fn put_off(plan: &mut Plan<'_>, obligations: &BTreeMap<Identity, Obligation>, now: Timestamp) {
    let pauses = |obligation: &Obligation| {
        matches!(obligation.state, State::Delayed { .. }) && obligation.due().is_some_and(|due| due > now)
    };
    for decision in &mut plan.decisions {
        let obligation = decision.identity().and_then(|identity| obligations.get(&identity));
        if matches!(decision.verdict, Verdict::Copy(_)) && obligation.is_some_and(pauses) {
            decision.verdict = Verdict::Defer(Deferral::InLine);
        }
    }
}

/// A line for machines.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Line<'o> {
    Owed(OwedOf<'o>),
    Hint(HintLine<'o>),
}

/// One obligation.
#[derive(Serialize)]
struct OwedOf<'o> {
    snapshot: &'o str,
    #[serde(skip_serializing_if = "Option::is_none")]
    arn: Option<&'o str>,
    account: &'o str,
    policy: &'o PolicyName,
    region: &'o Region,
    #[serde(flatten)]
    owed: OwedLine<'o>,
}

/// All that is owed. What was missed is over: coverage tells of it.
fn open(extract: &Extract) -> impl Iterator<Item = (&PolicyName, &Region, &Owed)> {
    extract.owed().filter(|(.., owed)| !owed.is_missed())
}

/// A line for each obligation and each hint.
pub(super) fn print_json(reading: &Reading, now: Timestamp, mut output: impl Write) -> anyhow::Result<()> {
    let Some(extract) = reading.extract() else { return Ok(()) };
    for (policy, region, owed) in open(extract) {
        let (snapshot, account) = (owed.source.as_str(), owed.account.as_str());
        let arn = owed.arn.as_deref();
        let owed = OwedOf { snapshot, arn, account, policy, region, owed: OwedLine::new(owed) };
        serde_json::to_writer(&mut output, &Line::Owed(owed))?;
        writeln!(output)?;
    }
    for hint in &extract.hints {
        serde_json::to_writer(&mut output, &Line::Hint(HintLine::new(hint, now)))?;
        writeln!(output)?;
    }
    Ok(())
}

/// What the summary says of it.
pub(super) fn summary(reading: &Reading) -> Value {
    let mut summary = json!({"read": reading.extract().is_some(), "note": reading.note()});
    if let (Some(extract), Some(members)) = (reading.extract(), summary.as_object_mut()) {
        let mut owed: BTreeMap<&str, usize> = BTreeMap::new();
        open(extract).for_each(|(.., each)| *owed.entry(each.wait.as_str()).or_default() += 1);
        members.insert("owed".to_owned(), json!(owed));
        members.insert("hints".to_owned(), json!(extract.hints.len()));
    }
    summary
}

/// A table of what is owed, or of how much where it is more than a screen holds, and then of the hints.
pub(super) fn print_text(reading: &Reading, now: Timestamp, mut output: impl Write) -> anyhow::Result<()> {
    if let Some(extract) = reading.extract() {
        let count = open(extract).count();
        match count {
            0 => writeln!(output, "Nothing is owed.")?,
            1..=LISTED => writeln!(output, "{}", listed(extract, now))?,
            _ => writeln!(output, "{}\n--json lists all {count} that are owed.", counted(extract, now))?,
        }
        for hint in extract.hints.iter().take(LISTED) {
            let HintLine { snapshot, since, .. } = HintLine::new(hint, now);
            writeln!(
                output,
                "{snapshot}: an event named it at {since}, and EC2 does not show it yet; it is looked for, for a day"
            )?;
        }
        let more = extract.hints.len().saturating_sub(LISTED);
        if more > 0 {
            writeln!(output, "and {more} more that EC2 does not show yet; --json lists them")?;
        }
    }
    if let Some(note) = reading.note() {
        writeln!(output, "{note}")?;
    }
    Ok(())
}

fn listed(extract: &Extract, now: Timestamp) -> comfy_table::Table {
    let mut table = table(&["owed for", "snapshot", "to", "policy", "why"]);
    for (policy, region, owed) in open(extract) {
        table.add_row([
            words(owed, now),
            owed.name().to_owned(),
            region.to_string(),
            policy.to_string(),
            owed.to_string(),
        ]);
    }
    table
}

fn counted(extract: &Extract, now: Timestamp) -> comfy_table::Table {
    let mut groups: BTreeMap<(&Region, &str), (usize, &Owed)> = BTreeMap::new();
    for (_, region, owed) in open(extract) {
        let (count, oldest) = groups.entry((region, owed.wait.as_str())).or_insert((0, owed));
        *count += 1;
        if owed.since < oldest.since {
            *oldest = owed;
        }
    }
    let mut table = table(&["owed", "to", "copies", "the oldest", "for"]);
    for ((region, state), (count, oldest)) in groups {
        table.add_row([
            state.to_owned(),
            region.to_string(),
            count.to_string(),
            oldest.name().to_owned(),
            words(oldest, now),
        ]);
    }
    table
}
