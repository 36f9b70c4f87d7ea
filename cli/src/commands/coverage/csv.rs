//! Coverage as comma-separated values (RFC 4180), a line for each row.

use std::collections::HashSet;
use std::io::Write;

use jiff::Timestamp;
use snapferry_core::coverage::Coverage;

use super::line::Line;
use crate::terminal::csv::{cell, optional};

const HEADER: &str = "state,shared,policy,source,account,volume,size_gib,started,description,region,copy,copy_started,\
                      settled,seconds_to_protect,key,expire_after,lock,lock_mode,locked_until,copies,tags_edited,\
                      volume_unknown,key_life,wanted,owed,owed_until,refused,failed,home,volume_dropped_out,proof,proved,arn";

/// Writes the header and every row.
pub(super) fn write(out: &mut dyn Write, coverage: &Coverage<'_>) -> anyhow::Result<()> {
    write!(out, "{HEADER}\r\n")?;
    let dropped: HashSet<_> =
        coverage.dropouts.iter().map(|each| (each.account.as_str(), each.volume.as_str())).collect();
    for row in &coverage.rows {
        // Ages change while a file lies around: it has times only.
        let line = Line::new(row, Timestamp::UNIX_EPOCH);
        write!(out, "{},{},{},{},", line.state, line.shared, line.policy, line.source)?;
        write!(out, "{},{},", line.account.unwrap_or_default(), line.volume.unwrap_or_default())?;
        write!(out, "{},{},", optional(line.size_gib), optional(line.started))?;
        write!(out, "{},{},", cell(line.description.unwrap_or_default()), line.region)?;
        write!(out, "{},{},", line.copy.unwrap_or_default(), optional(line.copy_started))?;
        write!(out, "{},{},", optional(line.settled), optional(line.seconds_to_protect))?;
        write!(out, "{},{},", cell(line.key.unwrap_or_default()), optional(line.expire_after))?;
        write!(out, "{},{},", line.lock.unwrap_or_default(), line.lock_mode.unwrap_or_default())?;
        write!(out, "{},{},", optional(line.locked_until), line.copies)?;
        write!(out, "{},{},", line.tags_edited, line.volume_unknown)?;
        write!(out, "{},{},", line.key_life.unwrap_or_default(), optional(line.wanted))?;
        let owed = line.owed.as_ref();
        write!(out, "{},", owed.map(|owed| owed.state).unwrap_or_default())?;
        write!(out, "{},", optional(owed.and_then(|owed| owed.until)))?;
        write!(out, "{},", optional(owed.map(|owed| owed.refused)))?;
        let has_dropped_out = line.account.zip(line.volume).is_some_and(|volume| dropped.contains(&volume));
        write!(out, "{},{},{has_dropped_out},", optional(owed.map(|owed| owed.failed)), line.home)?;
        write!(out, "{},{},", line.proof.unwrap_or_default(), optional(line.proved))?;
        write!(out, "{}\r\n", line.arn.unwrap_or_default())?;
    }
    Ok(())
}
