//! What a recovery account needs, as a shell script or JSON.

use std::io::Write;

use serde::Serialize;
use serde_json::Value;
use snapferry_core::ids::{Region, SnapshotId};
use snapferry_core::recovery::emit::share::Share;

use super::script;

/// The name and version of the form that `--json` prints.
const FORMAT: &str = "snapferry-recover-share/1";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'s> {
    format: &'static str,
    account: &'s str,
    snapshots: Vec<Place<'s>>,
    not_shareable: Vec<Place<'s>>,
    keys: Vec<Key<'s>>,
    /// For the policy of each key.
    statements: Option<Value>,
}

#[derive(Serialize)]
struct Place<'s> {
    /// As a policy's `SourceTypes` has it.
    kind: &'static str,
    region: &'s str,
    snapshot: &'s str,
}

#[derive(Serialize)]
struct Key<'s> {
    region: &'s str,
    key: &'s str,
    copies: usize,
}

/// Writes all of it. Nothing is shared by that: somebody who may runs the commands.
pub(super) fn write(out: &mut dyn Write, share: &Share<'_>, as_json: bool) -> anyhow::Result<()> {
    if as_json {
        serde_json::to_writer_pretty(&mut *out, &report(share))?;
        return Ok(writeln!(out)?);
    }
    writeln!(out, "#!/usr/bin/env bash")?;
    writeln!(out, "# Lets account {} restore from the copies. Run it in the account that keeps them.", share.with)?;
    if let Some(statements) = share.statements() {
        writeln!(out, "#\n# First add these statements to the key policies of")?;
        for ((_, key), copies) in &share.keys {
            writeln!(out, "#   {key} ({copies})")?;
        }
        for line in serde_json::to_string_pretty(&statements)?.lines() {
            writeln!(out, "# {line}")?;
        }
    }
    if share.has_databases() {
        writeln!(
            out,
            "# A copy of a database has to be copied in account {} under a key of its own before RDS restores it.",
            share.with
        )?;
    }
    for (region, snapshot) in &share.not_shareable {
        writeln!(
            out,
            "# {snapshot} in {region} is under a key that AWS manages: EC2 shares it with nobody; copy it under another key first."
        )?;
    }
    writeln!(out, "set -euo pipefail\n{}", script::FIRST)?;
    for place @ (_, snapshot) in &share.snapshots {
        writeln!(out, "{}", script::call(&share.command(*place), snapshot.as_str()))?;
    }
    Ok(write!(out, "{}", script::last("share not changed"))?)
}

/// Names the copies that cannot be shared on standard error: who runs the script looks at its output no more.
pub(super) fn warn(share: &Share<'_>) -> anyhow::Result<()> {
    let mut err = anstream::stderr().lock();
    for (region, snapshot) in &share.not_shareable {
        writeln!(err, "warning: {snapshot} in {region} cannot be shared: it is under a key that AWS manages")?;
    }
    Ok(())
}

fn report<'s>(share: &'s Share<'_>) -> Report<'s> {
    let key = |((region, key), copies): (&(&'s Region, &'s str), &usize)| Key {
        region: region.as_str(),
        key,
        copies: *copies,
    };
    Report {
        format: FORMAT,
        account: share.with.as_str(),
        snapshots: places(share, &share.snapshots),
        not_shareable: places(share, &share.not_shareable),
        keys: share.keys.iter().map(key).collect(),
        statements: share.statements(),
    }
}

fn places<'s>(share: &Share<'_>, places: &[(&'s Region, &'s SnapshotId)]) -> Vec<Place<'s>> {
    let place = |(region, snapshot): &(&'s Region, &'s SnapshotId)| Place {
        kind: share.kind(snapshot).as_str(),
        region: region.as_str(),
        snapshot: snapshot.as_str(),
    };
    places.iter().map(place).collect()
}
