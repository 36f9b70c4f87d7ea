//! Coverage for people: findings first, then a line for each policy and Region.

use std::collections::BTreeMap;
use std::io::Write as _;

use comfy_table::{Cell, CellAlignment, Color, Table};
use snapferry_core::coverage::{Counts, Coverage, Proofs, Row, Standing, proofs};
use snapferry_core::dropouts::Dropout;
use snapferry_core::facts::{KeyFact, KeyProblem};

use super::line::{owed, state};
use super::scene::Scene;
use crate::account::owed;
use crate::terminal::lineages::each_counted;
use crate::terminal::table::{counted, table};
use crate::terminal::time::span;

/// The most findings that are printed; the files have all.
const MAX_PRINTED: usize = 30;
/// The most volumes and databases that dropped out and are named in a line.
const MAX_NAMED: usize = 10;

/// Prints to standard output.
pub(super) fn print(scene: &Scene<'_>, coverage: &Coverage<'_>) -> anyhow::Result<()> {
    let total = coverage.total();
    let mut out = anstream::stdout().lock();
    if total.findings() > 0 {
        writeln!(out, "{}", findings(scene, coverage))?;
        if let Some(more) = total.findings().checked_sub(MAX_PRINTED).filter(|more| *more > 0) {
            writeln!(out, "and {more} more; --json, --csv and --html have all")?;
        }
        writeln!(out)?;
    }
    writeln!(out, "{}", summary(coverage, total))?;
    for note in notes(scene, coverage, total) {
        writeln!(out, "{note}")?;
    }
    writeln!(out, "{}", verdict(coverage, total))?;
    Ok(out.flush()?)
}

/// The whole in a sentence.
pub(super) fn verdict(coverage: &Coverage<'_>, total: Counts) -> String {
    let snapshots = counted(coverage.matching, "matching snapshot");
    let wanted = counted(total.shared(), "copy").replace("copys", "copies");
    match total.findings() {
        0 if total.shared() == 0 => "Nothing that is shared matches.".to_owned(),
        0 if total.in_flight == 0 => format!("{snapshots}, {wanted} wanted: all protected."),
        0 => format!("{snapshots}, {wanted} wanted: {} protected, {} in flight.", total.protected, total.in_flight),
        _ => format!(
            "{snapshots}, {wanted} wanted: {} missing, {} failed, {} in flight, {} protected.{}",
            total.missing,
            total.failed,
            total.in_flight,
            total.protected,
            missed(total)
        ),
    }
}

fn missed(total: Counts) -> String {
    match total.missed {
        0 => String::new(),
        missed => format!(" Missed within a week, gone before there was a good copy: {missed}."),
    }
}

/// What does not stand in the table and deserves a look.
pub(super) fn notes(scene: &Scene<'_>, coverage: &Coverage<'_>, total: Counts) -> Vec<String> {
    let copies = |count| counted(count, "copy").replace("copys", "copies");
    let mut notes = Vec::new();
    let mut note = |count: usize, text: String| notes.extend((count > 0).then_some(text));
    let shared = |count| counted(count, "shared snapshot");
    note(
        coverage.not_completed,
        format!("{} not completed yet: the copier waits for that.", shared(coverage.not_completed)),
    );
    note(coverage.before_since, format!("{} left out by --since.", shared(coverage.before_since)));
    note(
        coverage.over_retention,
        format!(
            "{} not wanted: the snapshots are older than the policy keeps copies, and not the last of their {}.",
            copies(coverage.over_retention),
            scene.lineages.many()
        ),
    );
    note(
        total.history,
        format!("History: {} protect snapshots that are no longer shared or wanted.", copies(total.history)),
    );
    note(
        total.lost,
        format!("Of {} no longer shared or wanted there is no good copy.", counted(total.lost, "snapshot")),
    );
    note(
        coverage.tampered,
        format!("Somebody changed Snapferry's tags on {}; `malformed-tags` in RUNBOOK.md.", copies(coverage.tampered)),
    );
    let not_named: usize = coverage.not_named.values().sum();
    note(
        not_named,
        format!(
            "{} of policies that are not in this document are left out ({}); they expire only while the stack's RetiredPolicies \
             names these policies.",
            copies(not_named),
            each(&coverage.not_named)
        ),
    );
    let of_others: usize = coverage.other_homes.values().sum();
    note(
        of_others,
        format!(
            "{} of other homes are left out ({}): give their Regions with --region, or --retired-home where the stack is gone.",
            copies(of_others),
            each(&coverage.other_homes)
        ),
    );
    note(
        coverage.lineage_unknown,
        format!(
            "Nobody named the {} of {}, which therefore stay after their retention; `volume-unknown` in RUNBOOK.md.",
            scene.lineages.one(),
            copies(coverage.lineage_unknown)
        ),
    );
    notes.extend(dropouts(scene, coverage));
    notes.extend(keys(coverage));
    notes.extend(proved(scene, coverage));
    notes.extend(of_ledger(scene, coverage, total));
    notes
}

/// What the ledger says besides what stands in the rows.
fn of_ledger(scene: &Scene<'_>, coverage: &Coverage<'_>, total: Counts) -> Vec<String> {
    let mut notes = Vec::new();
    let mut note = |count: usize, text: String| notes.extend((count > 0).then_some(text));
    let copies = |count| counted(count, "copy").replace("copys", "copies");
    note(
        total.unseen,
        format!(
            "The ledger owes {} of snapshots that are not among what is shared and wanted now: the next sweeps end them as missed or \
             withdrawn, unless EC2 shows the snapshots again.",
            copies(total.unseen)
        ),
    );
    let not_named: usize = coverage.not_named_owed.values().sum();
    note(
        not_named,
        format!(
            "{} that the ledger owes, or says that were missed, of policies that are not in this document are left out ({}).",
            copies(not_named),
            each(&coverage.not_named_owed)
        ),
    );
    let hints = coverage.ledgers.iter().flatten().map(|ledger| ledger.hints.len()).sum();
    note(
        hints,
        format!(
            "{} that events named EC2 does not show yet: they are looked for, for a day.",
            counted(hints, "snapshot")
        ),
    );
    if let (Some(_), Some(since)) = (&coverage.ledgers, coverage.oldest_unprotected()) {
        notes.push(format!(
            "Of what is shared and not protected, the oldest is wanted for {}.",
            span(scene.now.duration_since(since))
        ));
    }
    notes.extend(scene.notes.iter().cloned());
    notes
}

/// The volumes and databases that dropped out, the first of them by name. They are no finding: what was deleted drops out, too.
fn dropouts(scene: &Scene<'_>, coverage: &Coverage<'_>) -> Option<String> {
    let named = coverage.dropouts.iter().take(MAX_NAMED).map(|dropout| {
        let Dropout { account, volume, newest, usual } = dropout;
        format!(
            "{account} {volume} (newest {} ago, usually each {})",
            span(scene.now.duration_since(*newest)),
            span(*usual)
        )
    });
    let named = named.collect::<Vec<_>>().join(", ");
    let more = coverage.dropouts.len().saturating_sub(MAX_NAMED);
    let more = if more > 0 { format!(", and {more} more, which --json and --csv name") } else { String::new() };
    let volumes = each_counted(coverage.dropouts.iter().map(|dropout| dropout.volume.as_str()));
    (!named.is_empty()).then(|| {
        format!(
            "No newer copy came of {volumes} for over three of the usual intervals: {named}{more}; `dropped-out` in RUNBOOK.md."
        )
    })
}

/// How much of what is protected was proven by its content; nothing where nobody proves any.
fn proved(scene: &Scene<'_>, coverage: &Coverage<'_>) -> Option<String> {
    let Proofs { lineages, proved, oldest } = proofs(&coverage.rows);
    let age = span(scene.now.duration_since(oldest?));
    let volumes = counted(lineages, "volume");
    Some(format!("Content proved of {proved} of {volumes} with a copy; the oldest proof is {age} old."))
}

/// What KMS says of keys that are not alive. That these credentials may not look at a key says nothing about the key.
fn keys(coverage: &Coverage<'_>) -> impl Iterator<Item = String> {
    let unread = |fact: &KeyFact| matches!(fact, KeyFact::Unread(_) | KeyFact::Unusable(KeyProblem::AccessDenied(_)));
    let (unread, known): (Vec<_>, Vec<_>) = coverage.endangered.iter().partition(|(_, key)| unread(key.fact));
    let unread = (!unread.is_empty()).then(|| {
        let keys = counted(unread.len(), "key");
        format!("KMS does not show {keys} of copies to these credentials (kms:DescribeKey): whether those can be restored is not known.")
    });
    known.into_iter().map(|(_, key)| key.to_string()).chain(unread)
}

/// Names with their counts.
fn each<Name: ToString>(counts: &BTreeMap<Name, usize>) -> String {
    counts.iter().map(|(name, count)| format!("{} {count}", name.to_string())).collect::<Vec<_>>().join(", ")
}

fn findings(scene: &Scene<'_>, coverage: &Coverage<'_>) -> Table {
    let mut table = table([
        "FINDING",
        "SNAPSHOT",
        &scene.lineages.one().to_uppercase(),
        "ACCOUNT",
        "AGE",
        "POLICY",
        "HOME",
        "REGION",
        "COPY",
        "OWED",
    ]);
    for row in coverage.rows.iter().filter(|row| row.is_finding()).take(MAX_PRINTED) {
        let age = row.started().map(|started| span(scene.now.duration_since(started)));
        table.add_row([
            Cell::new(state(row)).fg(Color::Red),
            Cell::new(name(row)),
            Cell::new(row.lineage().unwrap_or_default()),
            Cell::new(row.account().unwrap_or_default()),
            Cell::new(age.unwrap_or_default()),
            Cell::new(row.policy),
            Cell::new(row.home),
            Cell::new(row.region),
            Cell::new(failed_copy(row)),
            Cell::new(owed(row).map(|owed| owed::words(owed, scene.now)).unwrap_or_default()),
        ]);
    }
    table
}

/// What its owner calls the snapshot, as far as that is known.
pub(super) fn name<'f>(row: &Row<'f>) -> &'f str {
    row.arn().unwrap_or_else(|| row.snapshot())
}

fn failed_copy(row: &Row<'_>) -> String {
    let Some(copy) = row.copy.filter(|_| row.standing == Standing::Failed) else { return String::new() };
    match row.copies {
        1 => copy.id.to_string(),
        several => format!("{}, last of {several}", copy.id),
    }
}

fn summary(coverage: &Coverage<'_>, total: Counts) -> Table {
    let mut table = table([
        "POLICY",
        "HOME",
        "REGION",
        "FAILED",
        "MISSING",
        "MISSED",
        "IN FLIGHT",
        "PROTECTED",
        "COVERED",
        "HISTORY",
    ]);
    let is_read = coverage.ledgers.is_some();
    let mut counts: Vec<_> = coverage.counts.iter().collect();
    counts.sort_by_key(|(_, counts)| std::cmp::Reverse(counts.findings()));
    for ((home, policy, region), counts) in &counts {
        table.add_row(numbers([policy.as_str(), home.as_str(), region.as_str()], counts, is_read));
    }
    if counts.len() > 1 {
        table.add_row(numbers(["all", "", ""], &total, is_read));
    }
    for column in 3..10 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn numbers([policy, home, region]: [&str; 3], counts: &Counts, is_read: bool) -> [Cell; 10] {
    let bad = |count: usize| if count > 0 { Cell::new(count).fg(Color::Red) } else { Cell::new(count) };
    [
        Cell::new(policy),
        Cell::new(home),
        Cell::new(region),
        bad(counts.failed),
        bad(counts.missing),
        if is_read { bad(counts.missed) } else { Cell::new("-") },
        Cell::new(counts.in_flight),
        Cell::new(counts.protected),
        Cell::new(percent(counts)),
        Cell::new(counts.history),
    ]
}

/// The share that is protected, never rounded up to all.
pub(super) fn percent(counts: &Counts) -> String {
    match (counts.protected * 1000).checked_div(counts.shared()) {
        Some(tenths) => format!("{}.{} %", tenths / 10, tenths % 10),
        None => "-".to_owned(),
    }
}
