//! Points, and volumes without one, as comma-separated values (RFC 4180).

use std::io::Write;

use snapferry_core::recovery::{Recovery, Wanted};

use super::line::{AttachmentLine, PointLine, UnrecoverableLine};
use crate::terminal::csv::{cell, optional};

const HEADER: &str = "state,account,volume,region,snapshot,source,policy,started,size_gib,key,expire_after,proof,proved,older,set,\
                      instance,device,name";

/// Writes the header, the volumes without a point, and every point.
pub(super) fn write(out: &mut dyn Write, wanted: &Wanted, recovery: &Recovery<'_>) -> anyhow::Result<()> {
    write!(out, "{HEADER}\r\n")?;
    for volume in &recovery.without {
        let line = UnrecoverableLine::new(volume, wanted);
        write!(out, "none,{},{},,,,,,,,,,,,,", optional(line.account), line.volume)?;
        attachment(out, line.attachment, None)?;
    }
    for point in &recovery.points {
        // Ages change while a file lies around: it has times only.
        let line = PointLine::new(point, wanted, recovery.at);
        write!(out, "point,{},{},{},{},", line.account, line.volume, line.region, line.snapshot)?;
        write!(out, "{},{},{},{},", line.source, line.policy, line.started, line.size_gib)?;
        write!(out, "{},{},", cell(line.key.unwrap_or_default()), optional(line.expire_after))?;
        write!(out, "{},{},{},{},", line.proof, optional(line.proved), line.older, optional(line.set))?;
        attachment(out, line.attachment, line.database)?;
    }
    Ok(())
}

/// What the inventory says, and where it gives no name that of the database.
fn attachment(
    out: &mut dyn Write,
    attachment: Option<AttachmentLine<'_>>,
    database: Option<&str>,
) -> anyhow::Result<()> {
    let [instance, device, name] = attachment.map_or([""; 3], |line| [line.instance, line.device, line.name]);
    let name = if name.is_empty() { database.unwrap_or_default() } else { name };
    Ok(write!(out, "{},{},{}\r\n", cell(instance), cell(device), cell(name))?)
}
