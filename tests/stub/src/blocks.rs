//! The EBS direct APIs: every snapshot has the same number of blocks, one behind the other, all of the same bytes.

use std::fmt::Write as _;

use crate::http::Answer;
use crate::world::World;

/// A block (EBS User Guide, "Use EBS direct APIs").
static BLOCK: [u8; 524_288] = [b'.'; 524_288];

/// How long a token is, more or less.
const TOKEN: &str = "AAABAdcvsYIv7yfbUDTuExItSVmoa+o/GovZDlRKZbbUlGJR9hb9XyUzAFcV3DmNcvAY";

/// The operation that a path asks for, by the words of EBS's own reference.
pub(crate) fn operation(path: &str) -> String {
    let parts: Vec<&str> = parts(path).collect();
    match parts.as_slice() {
        ["snapshots", _, "blocks"] => "ListSnapshotBlocks".to_owned(),
        ["snapshots", _, "blocks", _] => "GetSnapshotBlock".to_owned(),
        other => other.join("/"),
    }
}

/// The answer, and how many seconds it takes; nothing where this is no request that can be understood.
pub(crate) fn answer(path: &str, world: &World) -> Option<(Answer, f64)> {
    let parts: Vec<&str> = parts(path).collect();
    let answer = match parts.as_slice() {
        ["snapshots", _, "blocks"] => Answer::ok(page(path, world)?),
        ["snapshots", _, "blocks", index] if index.parse::<u64>().is_ok_and(|index| index < world.blocks) => {
            Answer::block(&BLOCK, &world.block_sha_256)
        }
        _ => return None,
    };
    Some((answer, world.call_seconds))
}

fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('?').next().unwrap_or_default().split('/').filter(|part| !part.is_empty())
}

fn page(path: &str, world: &World) -> Option<String> {
    let asked = |name: &str| {
        let query = path.split_once('?').map(|(_, query)| query).unwrap_or_default();
        query.split('&').filter_map(|pair| pair.split_once('=')).find(|(each, _)| *each == name)?.1.parse::<u64>().ok()
    };
    let most = asked("maxResults").filter(|most| (100..=10_000).contains(most))?;
    let from = asked("startingBlockIndex")?;
    let until = from.saturating_add(most).min(world.blocks);
    let mut page = String::with_capacity(2 << 20);
    page.push_str("{\"BlockSize\":524288,\"Blocks\":[");
    for index in from..until {
        let comma = if index > from { "," } else { "" };
        _ = write!(page, "{comma}{{\"BlockIndex\":{index},\"BlockToken\":\"{TOKEN}{index:010}\"}}");
    }
    page.push(']');
    if until < world.blocks {
        _ = write!(page, ",\"NextToken\":\"{until}\"");
    }
    page.push('}');
    Some(page)
}
