//! Points as one JSON object.

use std::collections::BTreeMap;
use std::io::Write;

use jiff::Timestamp;
use serde::Serialize;
use snapferry_core::ids::Region;
use snapferry_core::recovery::{Facts, Recovery, Wanted};

use super::line::{PointLine, UnrecoverableLine};

/// The name and version of the form.
const FORMAT: &str = "snapferry-recover/1";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'r> {
    format: &'static str,
    verdict: &'static str,
    time: Timestamp,
    account: &'r str,
    before: Option<Timestamp>,
    /// Those that were looked at.
    regions: Vec<&'r str>,
    /// How many volumes have a point.
    volumes: usize,
    points: Vec<PointLine<'r>>,
    without: Vec<UnrecoverableLine<'r>>,
    /// Good points that are older than their volume's newest.
    older: usize,
    sets: Vec<SetLine<'r>>,
    /// By reason.
    passed_over: BTreeMap<&'static str, Vec<PassedLine<'r>>>,
}

/// Points that were likely taken together.
#[derive(Serialize)]
struct SetLine<'r> {
    account: &'r str,
    region: &'r str,
    started: Timestamp,
    volumes: usize,
    /// Nothing says that they belong together.
    inferred: bool,
}

#[derive(Serialize)]
struct PassedLine<'r> {
    region: &'r str,
    snapshot: &'r str,
}

/// Writes everything.
pub(super) fn write(
    out: &mut dyn Write,
    wanted: &Wanted,
    facts: &Facts,
    recovery: &Recovery<'_>,
) -> anyhow::Result<()> {
    let sets = recovery.sets.iter().map(|set| SetLine {
        account: set.account.as_str(),
        region: set.region.as_str(),
        started: set.started,
        volumes: set.volumes,
        inferred: true,
    });
    let passed = recovery.passed.iter().map(|(reason, copies)| {
        let lines = copies.iter().map(|(region, id)| PassedLine { region: region.as_str(), snapshot: id.as_str() });
        (reason.as_str(), lines.collect())
    });
    let report = Report {
        format: FORMAT,
        verdict: if recovery.has_findings() { "findings" } else { "recoverable" },
        time: facts.now,
        account: facts.account.as_str(),
        before: wanted.before,
        regions: facts.regions.keys().map(Region::as_str).collect(),
        volumes: recovery.volumes(),
        points: recovery.points.iter().map(|point| PointLine::new(point, wanted, recovery.at)).collect(),
        without: recovery.without.iter().map(|volume| UnrecoverableLine::new(volume, wanted)).collect(),
        older: recovery.older,
        sets: sets.collect(),
        passed_over: passed.collect(),
    };
    serde_json::to_writer(&mut *out, &report)?;
    Ok(writeln!(out)?)
}
