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
    /// An obligation's state.
    state: Option<Box<str>>,
    /// Whether it is an obligation that is over and does not return.
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
    /// Whether what is over, does not return and stands in no line is left out, once it was looked at.
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
        let state = text(item, "state").map(String::into_boxed_str);
        let may_return =
            text(item, "why").as_deref() == Some("withdrawn") && text(item, "by").as_deref() == Some("event");
        let is_over = state.as_deref() == Some("ended") && !may_return;
        self.items.insert(key, Item { text: item.to_string().into(), place, state, is_over });
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
            let is_over = item.is_over && item.place.is_none();
            if !query.is_of_open || !is_over {
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

    /// How many obligations stand in each state, and how many other items there are of each kind.
    pub(crate) fn census(&self) -> BTreeMap<&str, usize> {
        let mut census = BTreeMap::new();
        for ((pk, _), item) in &self.items {
            let kind = match pk.as_bytes().first() {
                Some(b'A') => "turn",
                Some(b'H') => "hint",
                Some(b'R') => "round",
                _ => item.state.as_deref().unwrap_or_default(),
            };
            *census.entry(kind).or_default() += 1;
        }
        census
    }
}

/// An attribute that is a text.
pub(crate) fn text(item: &Value, name: &str) -> Option<String> {
    item.get(name)?.get("S")?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn item(pk: &str, sk: &str, place: Option<(&str, &str)>) -> (Key, Value) {
        let mut item = json!({"pk": {"S": pk}, "sk": {"S": sk}});
        if let Some((lpk, lsk)) = place {
            item["lpk"] = json!({"S": lpk});
            item["lsk"] = json!({"S": lsk});
        }
        ((pk.to_owned(), sk.to_owned()), item)
    }

    /// The keys of an item, and its place in the index.
    type Keys = (&'static str, &'static str, Option<(&'static str, &'static str)>);

    fn table(items: &[Keys]) -> Table {
        let mut table = Table::default();
        for (pk, sk, place) in items {
            let (key, item) = item(pk, sk, *place);
            table.put(key, &item);
        }
        table
    }

    fn query(is_of_line: bool, partition: &str) -> Query {
        Query {
            is_of_line,
            partition: partition.to_owned(),
            from: Bound::Unbounded,
            to: Bound::Unbounded,
            begins: String::new(),
            limit: usize::MAX,
            is_of_open: false,
            after: None,
        }
    }

    /// The sort keys of what a query shows, page after page.
    fn shown(table: &Table, mut query: Query) -> Vec<Vec<String>> {
        let mut pages = Vec::new();
        loop {
            let page = table.query(&query);
            let sort = |item: &&str| text(&serde_json::from_str(item).unwrap(), "sk").unwrap();
            pages.push(page.items.iter().map(sort).collect());
            match page.last {
                None => return pages,
                last => query.after = last,
            }
        }
    }

    #[test]
    fn a_partition_is_read_in_order_page_after_page() {
        let table = table(&[("O#a", "a2", None), ("O#a", "a1", None), ("O#a", "b1", None), ("O#b", "a0", None)]);
        assert_eq!(shown(&table, query(false, "O#a")), [["a1", "a2", "b1"]]);
        assert_eq!(shown(&table, Query { limit: 2, ..query(false, "O#a") }), [vec!["a1", "a2"], vec!["b1"]]);
        assert_eq!(shown(&table, Query { begins: "a".to_owned(), ..query(false, "O#a") }), [["a1", "a2"]]);
    }

    #[test]
    fn the_index_is_sparse_and_follows_its_items() {
        let mut table = table(&[
            ("O#a", "1", Some(("L", "9"))),
            ("O#b", "2", Some(("L", "8"))),
            ("O#c", "3", None),
            ("O#d", "4", Some(("M", "1"))),
        ]);
        assert_eq!(shown(&table, query(true, "L")), [["2", "1"]]);
        assert_eq!(shown(&table, Query { limit: 1, ..query(true, "L") }), [["2"], ["1"]]);
        let bounds = |from: &str, to: &str| (Bound::Excluded(from.to_owned()), Bound::Excluded(to.to_owned()));
        for ((from, to), expected) in
            [(bounds("8", "99"), vec!["1"]), (bounds("7", "9"), vec!["2"]), (bounds("9", "99"), vec![])]
        {
            assert_eq!(shown(&table, Query { from, to, ..query(true, "L") }), [expected]);
        }
        let (key, moved) = item("O#a", "1", None);
        table.put(key, &moved);
        table.remove(&("O#b".to_owned(), "2".to_owned()));
        assert_eq!(shown(&table, query(true, "L")), [Vec::<String>::new()]);
    }

    #[test]
    fn what_is_left_out_was_looked_at() {
        let mut table = table(&[("O#a", "1", None)]);
        let (key, mut ended) = item("O#a", "0", None);
        ended["state"] = json!({"S": "ended"});
        table.put(key, &ended);
        let open = Query { is_of_open: true, limit: 1, ..query(false, "O#a") };
        assert_eq!(table.query(&open).looked_at, 1);
        assert_eq!(shown(&table, open), [vec![], vec!["1"]]);
    }
}
