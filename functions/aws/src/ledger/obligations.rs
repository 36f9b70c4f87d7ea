//! Obligations as items.

use jiff::{SignedDuration, Timestamp};
use snapferry_core::facts::Lineage;
use snapferry_core::ids::{AccountId, InvalidId, PolicyName, Region, SnapshotId};
use snapferry_core::ledger::{By, End, Identity, Obligation, Place, Shard, State, place};
use snapferry_core::rds::SnapshotArn;
use snapferry_flow::Item;

use super::attributes::{Attributes, Key, n, names, number, revision, s, text, time, time_or_future};

/// How long what is over is kept: until no sweep's reading is so old that it would open it again.
const KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The last digits that a snapshot's ID may have.
const DIGITS: &str = "0123456789abcdef";

/// The states' names.
mod states {
    pub(super) const OWED: &str = "owed";
    pub(super) const DELAYED: &str = "delayed";
    pub(super) const ASKED: &str = "asked";
    pub(super) const COPYING: &str = "copying";
    pub(crate) const ENDED: &str = "ended";
}
pub(super) use self::states::ENDED;

/// Of an end, that the policy no longer wanted it.
pub(super) const WITHDRAWN: &str = "withdrawn";
/// That an event asked for it.
pub(super) const EVENT: &str = "event";

const ENDS: [(End, &str); 3] = [(End::Protected, "protected"), (End::Missed, "missed"), (End::Withdrawn, WITHDRAWN)];
const BYS: [(By, &str); 2] = [(By::Event, EVENT), (By::Sweep, "sweep")];

/// The key of an identity's item.
pub(super) fn key(identity: &Identity) -> Key {
    let Identity { policy, source, region } = identity;
    let digits = reversed(source.as_str());
    let last = digits.chars().next().unwrap_or_default();
    Key { pk: format!("O#{last}"), sk: format!("{digits}#{region}#{policy}") }
}

/// The partitions that hold a shard.
pub(super) fn partitions(shard: &Shard) -> Vec<String> {
    let last = shard.0.chars().last();
    DIGITS.chars().filter(|digit| last.is_none_or(|last| last == *digit)).map(|digit| format!("O#{digit}")).collect()
}

/// What the sort keys of a shard begin with.
pub(super) fn begins(shard: &Shard) -> String {
    reversed(&shard.0)
}

/// An obligation's item, in its place in the index.
pub(super) fn item(obligation: &Obligation) -> Attributes {
    let mut item = key(&obligation.identity).attributes();
    let mut put = |name: &str, value| _ = item.insert(name.to_owned(), value);
    put("account", s(&obligation.account));
    if let Some(arn) = &obligation.arn {
        put("arn", s(arn));
    }
    put("lineage", s(&obligation.lineage));
    put("start", s(obligation.start));
    put(names::BY, s(name_of(&BYS, obligation.by)));
    put("wanted", s(obligation.wanted));
    put("generation", n(obligation.generation));
    put("refused", n(obligation.refused));
    put("put_off", n(obligation.put_off));
    put("failed", n(obligation.failed));
    put(names::REVISION, n(obligation.revision));
    if let Some(gone) = &obligation.gone {
        put("gone", s(gone));
    }
    if let Some(ending) = &obligation.ending {
        put("ending", s(ending));
    }
    if let Some(Place { line, order }) = place(obligation) {
        put(names::LPK, s(line));
        put(names::LSK, s(order));
    }
    let (state, at, copy) = match &obligation.state {
        State::Owed => (states::OWED, None, None),
        State::Delayed { since } => (states::DELAYED, Some(since), None),
        State::Asked { at } => (states::ASKED, Some(at), None),
        State::Copying { copy, at } => (states::COPYING, Some(at), Some(copy)),
        State::Ended { at, copy, .. } => (states::ENDED, Some(at), copy.as_ref()),
    };
    put(names::STATE, s(state));
    if let Some(at) = at {
        put("at", s(at));
    }
    if let Some(copy) = copy {
        put("copy", s(copy));
    }
    if let State::Ended { at, why, .. } = &obligation.state {
        put(names::WHY, s(name_of(&ENDS, *why)));
        put(names::TTL, n(at.checked_add(KEPT).unwrap_or(*at).as_second()));
    }
    item
}

/// Reads an item. What is over for so long that DynamoDB may remove it at any moment is none.
///
/// What cannot be read falls back to what delays a copy by a hold at most and makes no second one: a state to one that was
/// just asked for, and a time to one in the future. A sweep puts them right, and takes from EC2 what it says of the source.
///
/// # Errors
/// The item's name and what is wrong, when nothing could be written in its place: its key is none, or its revision.
pub(super) fn read(item: &Attributes, now: Timestamp) -> Result<Option<Item>, String> {
    let identity = identity(item).ok_or_else(|| Key::of(item).problem("its key is no obligation's"))?;
    let revision = revision(item)?;
    let state = state(item).unwrap_or(State::Asked { at: Timestamp::MAX });
    let is_long_over = number::<i64>(item, names::TTL).is_some_and(|ttl| ttl < now.as_second());
    if matches!(state, State::Ended { .. }) && is_long_over {
        return Ok(None);
    }
    let fallback = |problem: InvalidId| Key::of(item).problem(&problem.to_string());
    let obligation = Obligation {
        identity,
        account: text(item, "account").map_or_else(nobody, AccountId::parse).or_else(|_| nobody()).map_err(fallback)?,
        arn: text(item, "arn").and_then(arn),
        lineage: text(item, "lineage")
            .map_or_else(filler, Lineage::of_any_kind)
            .or_else(|_| filler())
            .map_err(fallback)?,
        start: time_or_future(item, "start"),
        by: text(item, names::BY).and_then(|by| named(&BYS, by)).unwrap_or(By::Event),
        wanted: time_or_future(item, "wanted"),
        generation: number(item, "generation").unwrap_or_default(),
        state,
        refused: number(item, "refused").unwrap_or_default(),
        put_off: number(item, "put_off").unwrap_or_default(),
        failed: number(item, "failed").unwrap_or_default(),
        gone: text(item, "gone").map(str::to_owned),
        ending: time(item, "ending"),
        revision,
    };
    let found = text(item, names::LPK).zip(text(item, names::LSK));
    let is_placed = match (place(&obligation), found) {
        (Some(place), Some((line, order))) => place.line == line && place.order == order,
        (None, None) => !item.contains_key(names::LPK) && !item.contains_key(names::LSK),
        _ => false,
    };
    Ok(Some(Item { obligation, is_placed }))
}

/// The identity that a key names.
fn identity(item: &Attributes) -> Option<Identity> {
    let found = Key::of(item);
    let mut parts = found.sk.splitn(3, '#');
    let source = SnapshotId::of_any_kind(&reversed(parts.next()?)).ok()?;
    let region = Region::parse(parts.next()?).ok()?;
    let policy = PolicyName::parse(parts.next()?).ok()?;
    let identity = Identity { policy, source, region };
    (key(&identity) == found).then_some(identity)
}

fn state(item: &Attributes) -> Option<State> {
    let at = time_or_future(item, "at");
    let copy = text(item, "copy").and_then(|copy| SnapshotId::of_any_kind(copy).ok());
    Some(match text(item, names::STATE)? {
        states::OWED => State::Owed,
        states::DELAYED => State::Delayed { since: at },
        states::ASKED => State::Asked { at },
        states::COPYING => State::Copying { copy: copy?, at },
        states::ENDED => State::Ended { at, why: named(&ENDS, text(item, names::WHY)?)?, copy },
        _ => return None,
    })
}

/// What can be told; an edited one is none.
fn arn(text: &str) -> Option<Box<str>> {
    SnapshotArn::parse(text).ok().map(|_| text.into())
}

/// In place of an account that cannot be read: no policy lists it.
fn nobody() -> Result<AccountId, InvalidId> {
    AccountId::parse("000000000000")
}

/// In place of a lineage that cannot be read: nobody named it.
fn filler() -> Result<Lineage, InvalidId> {
    Lineage::parse("vol-ffffffff")
}

fn name_of<T: PartialEq>(names: &[(T, &'static str)], value: T) -> &'static str {
    names.iter().find(|(each, _)| *each == value).map_or("", |(_, name)| name)
}

fn named<T: Copy>(names: &[(T, &'static str)], text: &str) -> Option<T> {
    names.iter().find(|(_, name)| *name == text).map(|(value, _)| *value)
}

fn reversed(text: &str) -> String {
    text.chars().rev().collect()
}
