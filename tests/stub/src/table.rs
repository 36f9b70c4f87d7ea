//! The ledger's table, and its index `line`: as DynamoDB orders them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use serde_json::Value;

/// A partition's key and a sort key.
pub(crate) type Key = (String, String);

/// DynamoDB ends a page of a query once so many bytes were read (DynamoDB Developer Guide, "Paginating the results").
const PAGE_BYTES: usize = 1 << 20;

/// The table.
#[derive(Default)]
pub(crate) struct Table {
    items: BTreeMap<Key, Item>,
    /// Places in the index, with the keys of the items that stand there.
    line: BTreeSet<(Key, Key)>,
}

/// An item, as it was written: as text, because there may be many of them.
pub(crate) struct Item {
    text: Box<str>,
    place: Option<Key>,
    /// Whether it is an obligation that has ended.
    is_over: bool,
}

/// What a query asks for.
pub(crate) struct Query {
    pub(crate) is_of_line: bool,
    pub(crate) partition: String,
    /// The sort keys, both bounds included, and what they begin with.
    pub(crate) from: Bound<String>,
    pub(crate) to: Bound<String>,
    pub(crate) begins: String,
    /// How many items are looked at.
    pub(crate) limit: usize,
    /// Whether what is over and stands in no line is left out, once it was looked at.
    pub(crate) is_of_open: bool,
    /// The last place of the page before: its key in the index, if that is asked for, and the item's.
    pub(crate) after: Option<(Option<Key>, Key)>,
}

/// What a query shows.
#[derive(Default)]
pub(crate) struct Page<'t> {
    /// The items as JSON.
    pub(crate) items: Vec<&'t str>,
    pub(crate) looked_at: usize,
    /// Where the next page begins, if there is more.
    pub(crate) last: Option<(Option<Key>, Key)>,
}

impl Table {
    /// An item.
    pub(crate) fn get(&self, key: &Key) -> Option<Value> {
        serde_json::from_str(&self.items.get(key)?.text).ok()
    }

    /// Writes an item in its key's place.
    pub(crate) fn put(&mut self, key: Key, item: &Value) {
        self.remove(&key);
        let place = text(item, "lpk").zip(text(item, "lsk"));
        if let Some(place) = &place {
            self.line.insert((place.clone(), key.clone()));
        }
        let is_over = text(item, "state").as_deref() == Some("ended");
        self.items.insert(key, Item { text: item.to_string().into(), place, is_over });
    }

    /// Removes an item.
    pub(crate) fn remove(&mut self, key: &Key) {
        if let Some(Item { place: Some(place), .. }) = self.items.remove(key) {
            self.line.remove(&(place, key.clone()));
        }
    }

    /// A page of items.
    pub(crate) fn query(&self, query: &Query) -> Page<'_> {
        let (mut page, mut bytes, mut last) = (Page::default(), 0, None);
        for (place, key) in self.places(query) {
            if page.looked_at >= query.limit || bytes >= PAGE_BYTES {
                page.last = last;
                break;
            }
            let Some(item) = self.items.get(key) else { continue };
            (page.looked_at, bytes) = (page.looked_at + 1, bytes + item.text.len());
            if !query.is_of_open || !item.is_over || item.place.is_some() {
                page.items.push(&item.text);
            }
            last = Some((place.cloned(), key.clone()));
        }
        page
    }

    fn places<'t>(&'t self, query: &'t Query) -> Box<dyn Iterator<Item = (Option<&'t Key>, &'t Key)> + 't> {
        let least = match (&query.from, query.begins.as_str()) {
            (Bound::Included(from) | Bound::Excluded(from), _) => from.clone(),
            (Bound::Unbounded, begins) => begins.to_owned(),
        };
        let begin = (query.partition.clone(), least);
        let is_within = |sort: &String| {
            let is_behind = match &query.from {
                Bound::Excluded(from) => sort > from,
                _ => true,
            };
            is_behind && sort.starts_with(&query.begins)
        };
        let is_over = |(partition, sort): &Key| {
            let is_past = match &query.to {
                Bound::Included(to) => sort > to,
                Bound::Excluded(to) => sort >= to,
                Bound::Unbounded => !query.begins.is_empty() && !sort.starts_with(&query.begins),
            };
            *partition != query.partition || is_past
        };
        if query.is_of_line {
            let from = match &query.after {
                Some((Some(place), key)) => Bound::Excluded((place.clone(), key.clone())),
                _ => Bound::Included((begin, Key::default())),
            };
            let all = self.line.range((from, Bound::Unbounded)).take_while(move |(place, _)| !is_over(place));
            Box::new(all.filter(move |(place, _)| is_within(&place.1)).map(|(place, key)| (Some(place), key)))
        } else {
            let from = query.after.as_ref().map_or(Bound::Included(begin), |(_, key)| Bound::Excluded(key.clone()));
            let all = self.items.range((from, Bound::Unbounded)).map(|(key, _)| key);
            let all = all.take_while(move |key| !is_over(key)).filter(move |key| is_within(&key.1));
            Box::new(all.map(|key| (None, key)))
        }
    }

    /// All items of the partitions whose keys begin so.
    pub(crate) fn of(&self, begins: &str) -> impl Iterator<Item = &str> {
        let from = (begins.to_owned(), String::new());
        self.items.range(from..).take_while(move |(key, _)| key.0.starts_with(begins)).map(|(_, item)| &*item.text)
    }
}

/// An attribute that is a text.
pub(crate) fn text(item: &Value, name: &str) -> Option<String> {
    item.get(name)?.get("S")?.as_str().map(str::to_owned)
}
