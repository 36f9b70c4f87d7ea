//! Logs within JSON: what `aws logs` answers, what a subscription of a log group delivers, and what the console of Logs Insights
//! downloads. Read one event at a time, however large the file is.

mod compact;

use std::fmt;
use std::io::Read;

use anyhow::Context as _;
use regex::bytes::Regex;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use self::compact::Text;
use super::order::Order;

/// Whether a file that begins so is such JSON, and no log with JSON on its lines.
pub(super) fn is_it(head: &[u8]) -> anyhow::Result<bool> {
    // The members of each in the order of AWS, or sorted by name, and an array of entries.
    let answer = "events|searchedLogStreams|nextToken|nextForwardToken|nextBackwardToken|ResponseMetadata";
    let query = "queryLanguage|encryptionKey|results";
    let subscription = "messageType|logEvents";
    let beginning = format!(r#"^\s*(\{{\s*"({answer}|{query}|{subscription})"\s*:|\[\s*([\[{{]\s*[\]}}"{{]|\]))"#);
    Ok(Regex::new(&beginning)?.is_match(head))
}

/// Reads one document or several, one behind the other, and gives each message. Rows in one of them are rows in all.
///
/// # Errors
/// When it is no JSON, or none of its entries has a message.
pub(super) fn read(input: impl Read, each: &mut impl FnMut(&str)) -> anyhow::Result<Order> {
    let (mut entries, mut messages, mut order) = (0_u64, 0_u64, Order::OfLog);
    let mut each = |message: Option<&str>| {
        entries += 1;
        // The number of an entry is its place in the file, with a message or without.
        messages += u64::from(message.is_some());
        each(message.unwrap_or_default());
    };
    let mut json = serde_json::Deserializer::from_reader(input);
    // `end` is wrong as long as something follows: the next page.
    while json.end().is_err() {
        let known = "not the JSON that `aws logs`, a subscription or Logs Insights writes";
        match Document(&mut each).deserialize(&mut json) {
            Ok(Order::OfRows) => order = Order::OfRows,
            Ok(Order::OfLog) => {}
            Err(error) if error.to_string().starts_with(NOT_ALL) => anyhow::bail!("{error}"),
            Err(error) => return Err(error).context(known),
        }
    }
    anyhow::ensure!(
        entries == 0 || messages > 0,
        "none of its {entries} entries has a message: let the query of Logs Insights have `fields @timestamp, @message`"
    );
    Ok(order)
}

/// How the error begins that says so.
const NOT_ALL: &str = "the query's status is";

/// Whether an answer of `get-query-results` has all its rows: while the query runs it has some.
fn whole(status: &serde_json::Value) -> Result<(), String> {
    match status.as_str() {
        Some("Complete") | None => Ok(()),
        Some(status) => Err(format!(
            "{NOT_ALL} {}: save its answer once that is Complete",
            snapferry_core::text::printable(status, 100)
        )),
    }
}

/// An object that has entries in one of its members, or the entries themselves.
struct Document<'f, F>(&'f mut F);

/// An array of entries.
struct Entries<'f, F>(&'f mut F);

/// An event, or a row of a query's results: what it has as its message.
#[derive(Default)]
struct Entry {
    /// `@message`: the log's own line.
    line: Option<String>,
    /// `message`: the log's own line in an event, and in a row with `@message` what Logs Insights found in that.
    message: Option<String>,
}

/// A cell of a row, as `aws logs get-query-results` gives them.
#[derive(serde::Deserialize)]
struct Cell {
    field: Option<String>,
    value: Option<String>,
}

impl<'de, F: FnMut(Option<&str>)> DeserializeSeed<'de> for Document<'_, F> {
    type Value = Order;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Order, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, F: FnMut(Option<&str>)> Visitor<'de> for Document<'_, F> {
    type Value = Order;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with events or results, or an array of them")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Order, A::Error> {
        let mut order = Order::OfLog;
        while let Some(name) = members.next_key::<String>()? {
            if name == "status" {
                whole(&members.next_value()?).map_err(serde::de::Error::custom)?;
            } else if ["events", "logEvents", "results"].contains(&name.as_str()) {
                members.next_value_seed(Entries(&mut *self.0))?;
            } else {
                members.next_value::<IgnoredAny>()?;
            }
            if name == "results" {
                order = Order::OfRows;
            }
        }
        Ok(order)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, entries: A) -> Result<Order, A::Error> {
        Entries(self.0).visit_seq(entries).map(|()| Order::OfRows)
    }
}

impl<'de, F: FnMut(Option<&str>)> DeserializeSeed<'de> for Entries<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, F: FnMut(Option<&str>)> Visitor<'de> for Entries<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of log events or rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some(Entry { line, message }) = entries.next_element()? {
            (self.0)(line.or(message).as_deref());
        }
        Ok(())
    }
}

impl Entry {
    fn take(&mut self, name: &str, text: impl FnOnce() -> Option<String>) {
        match name {
            "@message" => self.line = text(),
            "message" => self.message = text(),
            _ => {}
        }
    }
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Entry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a log event or a row")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Entry, A::Error> {
                let mut entry = Entry::default();
                while let Some(name) = members.next_key::<String>()? {
                    if name.trim_start_matches('@') == "message" {
                        let Text(text) = members.next_value()?;
                        entry.take(&name, || text);
                    } else {
                        members.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(entry)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut cells: A) -> Result<Entry, A::Error> {
                let mut entry = Entry::default();
                while let Some(Cell { field, value }) = cells.next_element()? {
                    entry.take(field.as_deref().unwrap_or_default(), || value);
                }
                Ok(entry)
            }
        }
        deserializer.deserialize_any(Members)
    }
}
