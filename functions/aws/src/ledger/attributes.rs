//! An item's attributes, read leniently: anybody who may write to the table may have edited them.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use snapferry_core::ledger::LAST_REVISION;
use snapferry_core::text::printable;

/// An item.
pub(super) type Attributes = HashMap<String, AttributeValue>;

/// The attributes' names that more than one kind of item has, or that expressions name.
pub(super) mod names {
    pub(crate) const PK: &str = "pk";
    pub(crate) const SK: &str = "sk";
    pub(crate) const LPK: &str = "lpk";
    pub(crate) const LSK: &str = "lsk";
    pub(crate) const REVISION: &str = "revision";
    pub(crate) const TOKEN: &str = "token";
    pub(crate) const STATE: &str = "state";
    pub(crate) const BY: &str = "by";
    pub(crate) const WHY: &str = "why";
    pub(crate) const TTL: &str = "ttl";
}

/// An item's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) pk: String,
    pub(super) sk: String,
}

impl Key {
    /// The key of an item that was read; empty where there is none.
    pub(super) fn of(item: &Attributes) -> Self {
        let part = |name| text(item, name).unwrap_or_default().to_owned();
        Self { pk: part(names::PK), sk: part(names::SK) }
    }

    /// The key as attributes.
    pub(super) fn attributes(&self) -> Attributes {
        [(names::PK, &self.pk), (names::SK, &self.sk)].map(|(name, part)| (name.to_owned(), s(part))).into()
    }

    /// Why an item of this key is none that can be read.
    pub(super) fn problem(&self, problem: &str) -> String {
        format!("item {} / {}: {problem}", printable(&self.pk, 64), printable(&self.sk, 160))
    }
}

/// A text.
pub(super) fn s(value: impl ToString) -> AttributeValue {
    AttributeValue::S(value.to_string())
}

/// A number.
pub(super) fn n(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// A text, where the attribute is one.
pub(super) fn text<'i>(item: &'i Attributes, name: &str) -> Option<&'i str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

/// A number, where the attribute is one of that type.
pub(super) fn number<T: std::str::FromStr>(item: &Attributes, name: &str) -> Option<T> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

/// A time, where the attribute is one.
pub(super) fn time(item: &Attributes, name: &str) -> Option<Timestamp> {
    text(item, name)?.parse().ok()
}

/// A time. One that cannot be read counts as one in the future, which holds nothing up: it counts as now, and a sweep puts it
/// right.
pub(super) fn time_or_future(item: &Attributes, name: &str) -> Timestamp {
    time(item, name).unwrap_or(Timestamp::MAX)
}

/// The revision, which must be right, or nothing can be written in the item's place.
pub(super) fn revision(item: &Attributes) -> Result<u64, String> {
    let revision = number(item, names::REVISION).filter(|revision| *revision <= LAST_REVISION);
    revision.ok_or_else(|| Key::of(item).problem("its revision cannot be read"))
}
