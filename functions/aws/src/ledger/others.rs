//! Turns, hints and the round as items.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use snapferry_core::copying::Tally;
use snapferry_core::ids::{AccountId, Region, SnapshotId};
use snapferry_core::ledger::{Hint, Round, Shard, Stretch, Turn};

use super::attributes::{Attributes, Key, n, names, number, revision, s, text, time, time_or_future};

/// The longest that a lineage's part of a place in line is here, in bytes.
const LINEAGE: usize = 128;

/// The partition of all hints.
pub(super) const HINTS: &str = "H";

/// The partition of a Region's turns.
pub(super) fn turns(region: &Region) -> String {
    format!("A#{region}")
}

/// The key of an account's turn.
pub(super) fn turn_key(region: &Region, account: &AccountId) -> Key {
    Key { pk: turns(region), sk: account.to_string() }
}

/// A turn's item.
pub(super) fn turn(region: &Region, turn: &Turn) -> Attributes {
    let Turn { account, tried, lineage, added, revision } = turn;
    let mut item = turn_key(region, account).attributes();
    let mut put = |name: &str, value| _ = item.insert(name.to_owned(), value);
    put("added", s(added));
    put(names::REVISION, n(revision));
    if let Some(tried) = tried {
        put("tried", s(tried));
    }
    if let Some(lineage) = lineage {
        put("lineage", s(lineage));
    }
    item
}

/// Reads a turn. Times that cannot be read are those of one that has waited for long.
///
/// # Errors
/// The item's name and what is wrong, when nothing could be written in its place: its key is none, or its revision.
pub(super) fn read_turn(item: &Attributes) -> Result<Turn, String> {
    let account = AccountId::parse(text(item, names::SK).unwrap_or_default());
    Ok(Turn {
        account: account.map_err(|problem| Key::of(item).problem(&problem.to_string()))?,
        tried: time(item, "tried"),
        // It becomes a part of a key, for which DynamoDB takes 1024 bytes.
        lineage: text(item, "lineage").filter(|lineage| lineage.len() <= LINEAGE).map(str::to_owned),
        added: time(item, "added").unwrap_or(Timestamp::UNIX_EPOCH),
        revision: revision(item)?,
    })
}

/// The key of a hint.
pub(super) fn hint_key(source: &SnapshotId) -> Key {
    Key { pk: HINTS.to_owned(), sk: source.to_string() }
}

/// A hint's item.
pub(super) fn hint(hint: &Hint) -> Attributes {
    let Hint { source, event, wanted, since, looked, revision } = hint;
    let mut item = hint_key(source).attributes();
    let mut put = |name: &str, value| _ = item.insert(name.to_owned(), value);
    put("event", s(event));
    put("wanted", s(wanted));
    put("since", s(since));
    put("looked", s(looked));
    put(names::REVISION, n(revision));
    item
}

/// Reads a hint. Times that cannot be read count as now.
///
/// # Errors
/// The item's name and what is wrong, when nothing could be written in its place: its key is none, or its revision.
pub(super) fn read_hint(item: &Attributes) -> Result<Hint, String> {
    let source = SnapshotId::parse(text(item, names::SK).unwrap_or_default());
    Ok(Hint {
        source: source.map_err(|problem| Key::of(item).problem(&problem.to_string()))?,
        event: text(item, "event").unwrap_or_default().to_owned(),
        wanted: time_or_future(item, "wanted"),
        since: time_or_future(item, "since"),
        looked: time_or_future(item, "looked"),
        revision: revision(item)?,
    })
}

/// The key of the round.
pub(super) fn round_key() -> Key {
    Key { pk: "R".to_owned(), sk: "round".to_owned() }
}

/// The round's item.
pub(super) fn round(round: &Round) -> Attributes {
    let Round { id, began, shards, left, walk, owed, totals, heard, calls, took_ms, revision } = round;
    let mut item = round_key().attributes();
    let mut put = |name: &str, value| _ = item.insert(name.to_owned(), value);
    put("id", s(id));
    put("began", s(began));
    put("left", s(left.iter().map(|shard| shard.0.as_str()).collect::<Vec<_>>().join(SEPARATOR)));
    put("open", n(left.len()));
    put("shards", n(shards));
    // Counts by names and reasons are no keys of anything: they are read back by this program alone.
    put("walk", s(serde_json::to_string(walk).unwrap_or_default()));
    put("owed", s(serde_json::to_string(owed).unwrap_or_default()));
    put("totals", s(serde_json::to_string(totals).unwrap_or_default()));
    put("heard", s(serde_json::to_string(heard).unwrap_or_default()));
    put("calls", n(calls));
    put("tookMs", n(took_ms));
    put(names::REVISION, n(revision));
    item
}

const SEPARATOR: &str = " ";

/// Reads the round. One of which something cannot be read counts as one from the future, in whose place another begins.
///
/// # Errors
/// The item's name and what is wrong, when nothing could be written in its place: its revision cannot be read.
pub(super) fn read_round(item: &Attributes) -> Result<Round, String> {
    let revision = revision(item)?;
    let progress = progress(item);
    let began = if progress.is_some() { time_or_future(item, "began") } else { Timestamp::MAX };
    let Progress { left, walk, owed, totals, heard } = progress.unwrap_or_default();
    Ok(Round {
        id: text(item, "id").unwrap_or_default().to_owned(),
        began,
        shards: number(item, "shards").unwrap_or_default(),
        left,
        walk,
        owed,
        totals,
        heard,
        calls: number(item, "calls").unwrap_or_default(),
        took_ms: number(item, "tookMs").unwrap_or_default(),
        revision,
    })
}

/// What a round stands or falls with.
#[derive(Default)]
struct Progress {
    left: Vec<Shard>,
    walk: Option<Vec<Stretch>>,
    owed: BTreeMap<Region, u64>,
    totals: Tally,
    heard: Option<BTreeSet<AccountId>>,
}

fn progress(item: &Attributes) -> Option<Progress> {
    let open: usize = number(item, "open")?;
    // The shard of all has no digits: without their number a list of it alone is none.
    let left: Vec<Shard> = match open {
        0 => Vec::new(),
        _ => text(item, "left")?.split(SEPARATOR).map(|digits| Shard(digits.to_owned())).collect(),
    };
    let is_shard = |shard: &Shard| shard.0.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    let is_whole = left.len() == open && left.iter().all(is_shard);
    let walk = serde_json::from_str(text(item, "walk")?).ok()?;
    let owed = serde_json::from_str(text(item, "owed")?).ok()?;
    let totals = serde_json::from_str(text(item, "totals")?).ok()?;
    // An earlier version wrote none.
    let heard = text(item, "heard").and_then(|heard| serde_json::from_str(heard).ok()).flatten();
    is_whole.then_some(Progress { left, walk, owed, totals, heard })
}
