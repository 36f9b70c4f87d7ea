//! Points for people: volumes and databases without one first.

use std::collections::BTreeSet;
use std::io::Write as _;

use comfy_table::{Cell, CellAlignment, Color, Table};
use snapferry_core::ids::{AccountId, VolumeId};
use snapferry_core::recovery::{Attachment, Passed, Point, Recovery, Unrecoverable, Wanted};

use crate::terminal::lineages::{Lineages, each_counted};
use crate::terminal::table::{counted, table};
use crate::terminal::time::span;

/// Prints to standard output. `none` says that a volume or database has no copy where one was looked for.
pub(super) fn print(wanted: &Wanted, recovery: &Recovery<'_>, none: &str) -> anyhow::Result<()> {
    let mut out = anstream::stdout().lock();
    if !recovery.without.is_empty() {
        writeln!(out, "{}\n", without(wanted, recovery, none))?;
    }
    if !recovery.points.is_empty() {
        writeln!(out, "{}", points(wanted, recovery))?;
    }
    for note in notes(recovery) {
        writeln!(out, "{note}")?;
    }
    writeln!(out, "{}", verdict(wanted, recovery))?;
    Ok(out.flush()?)
}

/// Names the volumes and databases that cannot be restored on standard error, where standard output has no place for them.
pub(super) fn warn(recovery: &Recovery<'_>, none: &str) -> anyhow::Result<()> {
    let mut err = anstream::stderr().lock();
    for volume in &recovery.without {
        let why = if volume.passed.is_empty() { format!("there is {none}") } else { each(volume) };
        writeln!(err, "warning: {} cannot be restored: {why}", volume.volume)?;
    }
    if recovery.points.is_empty() {
        writeln!(err, "warning: there is no point to restore from")?;
    }
    Ok(())
}

fn verdict(wanted: &Wanted, recovery: &Recovery<'_>) -> String {
    let before = wanted.before.map(|time| format!(" before {time}")).unwrap_or_default();
    let found: BTreeSet<_> = recovery.points.iter().map(Point::lineage).collect();
    let found = found.iter().map(|(_, volume)| volume.as_str());
    let volumes = Lineages::of_ids(ids(recovery)).counted(found);
    match recovery.without.len() {
        0 if recovery.points.is_empty() => format!("There is no point{before} to restore from."),
        0 => format!("{volumes} can be restored{before}."),
        missing => format!("{volumes} can be restored{before}, {missing} cannot."),
    }
}

fn notes(recovery: &Recovery<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    if recovery.older > 0 {
        let these = Lineages::of_ids(recovery.points.iter().map(|point| point.volume.as_str()));
        notes.push(format!("Older points of the same {}: {}; --before reaches them.", these.many(), recovery.older));
    }
    for (number, set) in recovery.sets.iter().enumerate() {
        let of_set = recovery.points.iter().filter(|point| point.set == Some(number));
        notes.push(format!(
            "Set {}: {} of {} in {}, started within seconds of {}: likely taken together, which nothing proves.",
            number + 1,
            each_counted(of_set.map(|point| point.volume.as_str())),
            set.account,
            set.region,
            set.started
        ));
    }
    let passed = recovery.passed.iter();
    notes.extend(passed.map(|(reason, copies)| {
        let count = counted(copies.len(), "copy").replace("copys", "copies");
        format!("Passed over, {}: {count}; {}.", reason.as_str(), reason.meaning())
    }));
    notes
}

fn without(wanted: &Wanted, recovery: &Recovery<'_>, none: &str) -> Table {
    let whose = heading(recovery);
    let mut table = table(["FINDING", &whose, "ACCOUNT", "NAME", "COPIES PASSED OVER"]);
    for volume in &recovery.without {
        table.add_row([
            Cell::new(finding(volume, none)).fg(Color::Red),
            Cell::new(volume.volume),
            Cell::new(volume.account.map(AccountId::as_str).unwrap_or_default()),
            Cell::new(name(wanted.attachments.get(volume.volume))),
            Cell::new(each(volume)),
        ]);
    }
    table
}

/// What the search found points of, or none.
fn ids<'f>(recovery: &'f Recovery<'_>) -> impl Iterator<Item = &'f str> {
    let without = recovery.without.iter().map(|volume| volume.volume);
    recovery.points.iter().map(|point| point.volume).chain(without).map(VolumeId::as_str)
}

fn heading(recovery: &Recovery<'_>) -> String {
    Lineages::of_ids(ids(recovery)).one().to_uppercase()
}

fn finding<'n>(volume: &Unrecoverable<'_>, none: &'n str) -> &'n str {
    match () {
        () if volume.passed.is_empty() => none,
        () if volume.passed.keys().any(|reason| reason.is_good()) => "no point before",
        () => "no point",
    }
}

fn each(volume: &Unrecoverable<'_>) -> String {
    let each = |(reason, count): (&Passed, &usize)| format!("{} {count}", reason.as_str());
    volume.passed.iter().map(each).collect::<Vec<_>>().join(", ")
}

fn points(wanted: &Wanted, recovery: &Recovery<'_>) -> Table {
    let whose = heading(recovery);
    let mut table =
        table([&whose, "ACCOUNT", "NAME", "REGION", "SNAPSHOT", "STARTED", "AGE", "GIB", "PROOF", "SET", "EXPIRES"]);
    for point in &recovery.points {
        let expires = point.copy.expire_after.get();
        let time = |time: jiff::Timestamp| time.strftime("%Y-%m-%d %H:%M:%S").to_string();
        table.add_row([
            Cell::new(point.volume),
            Cell::new(point.account),
            Cell::new(named(wanted, point)),
            Cell::new(point.region),
            Cell::new(&point.copy.id),
            Cell::new(time(point.started)),
            Cell::new(span(recovery.at.duration_since(point.started))),
            Cell::new(point.detail.size_gib),
            Cell::new(proof(point)),
            Cell::new(point.set.map(|set| (set + 1).to_string()).unwrap_or_default()),
            Cell::new(expires.map_or_else(|| "never".to_owned(), |at| at.strftime("%Y-%m-%d").to_string())),
        ]);
    }
    if let Some(column) = table.column_mut(7) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn proof(point: &Point<'_>) -> String {
    let proof = point.detail.proof.as_ref();
    proof.map_or_else(|| "metadata".to_owned(), |proof| format!("{} {}", proof.level, proof.at.strftime("%Y-%m-%d")))
}

/// What the inventory says of a point's volume or database, and where it says nothing the database's own name.
fn named(wanted: &Wanted, point: &Point<'_>) -> String {
    Some(name(wanted.attachments.get(point.volume)))
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| point.detail.database.clone())
}

/// What the inventory says of a volume.
fn name(attachment: Option<&Attachment>) -> String {
    let parts = attachment.map_or([""; 3], |known| [&known.name, &known.instance, &known.device]);
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}
