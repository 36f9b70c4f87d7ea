//! CopySnapshot.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use crate::form;
use crate::http::Answer;
use crate::numbers::number;
use crate::shared::Shared;
use crate::snapshots::Made;

/// The answer, and how many seconds it takes; nothing where this is no request that can be understood.
pub(crate) fn answer(body: &str, region: &str, shared: &Shared) -> Option<(Answer, f64)> {
    let (world, members) = (shared.world(), form::members(body));
    let source = number(members.get("SourceSnapshotId")?).filter(|source| *source < world.shared)?;
    let mut made = shared.made.write().unwrap_or_else(PoisonError::into_inner);
    let here = made.entry(region.to_owned()).or_default();
    // A second copy of one snapshot is what must never be.
    if here.contains_key(&source) || source < world.copied && region != world.home {
        return None;
    }
    if here.len() >= world.takes {
        let limit = "Too many snapshot copies in progress. The limit is 20 for this destination region.";
        return Some((Answer::refused("ResourceLimitExceeded", limit), world.call_seconds));
    }
    let id = format!("snap-f{source:016x}");
    let answer = Answer::ok(format!(
        "<CopySnapshotResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><snapshotId>{id}</snapshotId>\
         </CopySnapshotResponse>"
    ));
    let at = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string();
    let description = members.get("Description").cloned().unwrap_or_default();
    here.insert(source, Made { id, at, description, tags: tags(&members) });
    Some((answer, world.call_seconds))
}

fn tags(members: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let tag = |number: u32| {
        let member = |name| members.get(&format!("TagSpecification.1.Tag.{number}.{name}")).cloned();
        member("Key").zip(member("Value"))
    };
    (1..).map_while(tag).collect()
}
