//! What became of each volume, for people and for machines.

use std::io::Write as _;

use comfy_table::{Cell, CellAlignment, Color};
use serde::Serialize;
use snapferry_core::ids::{AccountId, Region, SnapshotId, VolumeId};
use snapferry_core::recovery::made::{Name, Volume};
use snapferry_core::recovery::restore::Restore;

use crate::terminal::table::{counted, table};

/// The name and version of the form that `--json` prints.
const FORMAT: &str = "snapferry-restore/1";

/// How a volume stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum State {
    /// Asked for, and not available yet.
    Creating,
    /// There, attached or not.
    Available,
    /// An earlier run made it otherwise than is asked for now.
    Different,
    /// EC2 did not take the request.
    Refused,
    /// EC2 says that it could not make it.
    Failed,
    /// EC2 named it, and does not show it.
    Gone,
    /// Deleted.
    Removed,
    /// Not deleted.
    Kept,
}

/// One volume.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Line {
    pub(super) state: State,
    pub(super) volume: Option<VolumeId>,
    pub(super) snapshot: Option<SnapshotId>,
    /// The volume that it is restored from.
    pub(super) source: Option<VolumeId>,
    pub(super) account: Option<AccountId>,
    pub(super) size_gib: u32,
    /// Whether this run asked for it.
    #[serde(rename = "new")]
    pub(super) is_new: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) why: Option<String>,
}

#[derive(Serialize)]
struct Report<'r> {
    format: &'static str,
    region: &'r str,
    name: &'r str,
    zone: Option<&'r str>,
    volumes: &'r [Line],
}

impl State {
    /// Whether it may still change.
    pub(super) fn is_open(self) -> bool {
        self == Self::Creating
    }

    /// Whether it is as it should be.
    pub(super) fn is_fine(self) -> bool {
        matches!(self, Self::Available | Self::Removed)
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "creating",
            Self::Available => "available",
            Self::Different => "different",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Gone => "gone",
            Self::Removed => "removed",
            Self::Kept => "kept",
        }
    }
}

impl Line {
    /// Of a volume that is to be made.
    pub(super) fn of(restore: &Restore<'_>) -> Self {
        Self {
            state: State::Creating,
            volume: None,
            snapshot: Some(restore.snapshot.clone()),
            source: Some(restore.volume.clone()),
            account: Some(restore.account.clone()),
            size_gib: restore.size_gib,
            is_new: false,
            why: None,
        }
    }

    /// Of a volume that is there.
    pub(super) fn found(volume: &Volume) -> Self {
        let tag = |key| volume.tag(key).map(str::to_owned);
        Self {
            state: State::Kept,
            volume: Some(volume.id.clone()),
            snapshot: volume.snapshot.clone(),
            source: tag(snapferry_core::recovery::restore::VOLUME).and_then(|id| VolumeId::parse(&id).ok()),
            account: tag(snapferry_core::recovery::restore::ACCOUNT).and_then(|id| AccountId::parse(&id).ok()),
            size_gib: volume.size_gib,
            is_new: false,
            why: None,
        }
    }
}

/// Prints to standard output.
pub(super) fn print(
    region: &Region,
    name: &Name,
    zone: Option<&str>,
    lines: &[Line],
    as_json: bool,
) -> anyhow::Result<()> {
    let mut out = anstream::stdout().lock();
    if as_json {
        let report = Report { format: FORMAT, region: region.as_str(), name: name.as_str(), zone, volumes: lines };
        return Ok(writeln!(out, "{}", serde_json::to_string(&report)?)?);
    }
    if !lines.is_empty() {
        writeln!(out, "{}", rows(lines))?;
    }
    for line in lines {
        if let (Some(why), Some(source)) = (&line.why, line.source.as_ref().or(line.volume.as_ref())) {
            writeln!(out, "{source}: {why}")?;
        }
    }
    writeln!(out, "{}", verdict(name, zone, lines))?;
    Ok(out.flush()?)
}

fn verdict(name: &Name, zone: Option<&str>, lines: &[Line]) -> String {
    let fine = lines.iter().filter(|line| line.state.is_fine()).count();
    let rest = lines.len() - fine;
    let rest = if rest == 0 { String::new() } else { format!(", {rest} not") };
    match zone {
        Some(zone) => {
            let new = lines.iter().filter(|line| line.is_new).count();
            format!("Restore {name}: {} available in {zone}{rest}; {new} asked for now.", counted(fine, "volume"))
        }
        None if lines.is_empty() => format!("Restore {name}: there is no volume of it."),
        None => format!("Restore {name}: {} removed{rest}.", counted(fine, "volume")),
    }
}

fn rows(lines: &[Line]) -> comfy_table::Table {
    let mut table = table(["STATE", "VOLUME", "OF", "ACCOUNT", "SNAPSHOT", "GIB"]);
    for line in lines {
        let state = Cell::new(line.state.as_str());
        let text = |id: Option<&str>| Cell::new(id.unwrap_or_default());
        table.add_row([
            if line.state.is_fine() { state } else { state.fg(Color::Red) },
            text(line.volume.as_ref().map(VolumeId::as_str)),
            text(line.source.as_ref().map(VolumeId::as_str)),
            text(line.account.as_ref().map(AccountId::as_str)),
            text(line.snapshot.as_ref().map(SnapshotId::as_str)),
            Cell::new(line.size_gib),
        ]);
    }
    if let Some(column) = table.column_mut(5) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
