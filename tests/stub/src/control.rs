//! What a test asks of the stub itself: JSON to `/stub/…`.
//!
//! - `world`: another world takes the place of this one; the copies that were asked for, the table and the counts are forgotten.
//! - `change`: the world changes; everything else stays.
//! - `item`: an item is written to the table.
//! - `owed`: for each snapshot of a number below `count` and each of `regions` such an obligation is written to the table.
//! - `seen`: what was asked for since the last `seen` (`calls`: service, operation, Region, how often; `unexpected` requests),
//!   and what is there now: `copies` that were made by Region, `table`'s items by state or kind, the `round`.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::http::Answer;
use crate::shared::Shared;
use crate::table::{Table, text};
use crate::world::World;

/// Does what a test asks for.
pub(crate) fn answer(what: &str, body: &str, shared: &Shared) -> Answer {
    let done = match what {
        "world" => set(body, shared, true),
        "change" => set(body, shared, false),
        "item" => item(body, shared),
        "owed" => owed(body, shared),
        "seen" => Ok(seen(shared)),
        _ => Err(format!("unknown: {what}")),
    };
    done.map_or_else(|problem| Answer::refused("Stub", &problem), |answer| Answer::json(&answer))
}

fn set(body: &str, shared: &Shared, is_new: bool) -> Result<Value, String> {
    let world: World = serde_json::from_str(body).map_err(|error| error.to_string())?;
    shared.set_world(world);
    if is_new {
        shared.forget_copies();
        *shared.table() = Table::default();
        *shared.seen() = Default::default();
    }
    Ok(json!({}))
}

fn item(body: &str, shared: &Shared) -> Result<Value, String> {
    let item: Value = serde_json::from_str(body).map_err(|error| error.to_string())?;
    let key = text(&item, "pk").zip(text(&item, "sk")).ok_or("an item has the keys pk and sk")?;
    shared.table().put(key, &item);
    Ok(json!({}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Owed {
    count: u64,
    regions: Vec<String>,
    policy: String,
    item: Map<String, Value>,
}

fn owed(body: &str, shared: &Shared) -> Result<Value, String> {
    let Owed { count, regions, policy, mut item } = serde_json::from_str(body).map_err(|error| error.to_string())?;
    let mut table = shared.table();
    for number in 0..count {
        let digits: String = format!("snap-0{number:016x}").chars().rev().collect();
        let last = digits.chars().next().unwrap_or_default();
        for region in &regions {
            let key = (format!("O#{last}"), format!("{digits}#{region}#{policy}"));
            item.insert("pk".to_owned(), json!({"S": key.0}));
            item.insert("sk".to_owned(), json!({"S": key.1}));
            table.put(key, &Value::Object(item.clone()));
        }
    }
    Ok(json!({}))
}

fn seen(shared: &Shared) -> Value {
    let seen = std::mem::take(&mut *shared.seen());
    let calls: Vec<Value> = seen.calls.iter().map(|((s, o, r), count)| json!([s, o, r, count])).collect();
    let made = shared.made.read().unwrap_or_else(PoisonError::into_inner);
    let copies: BTreeMap<&String, usize> = made.iter().map(|(region, copies)| (region, copies.len())).collect();
    let table = shared.table();
    let round = table.get(&("R".to_owned(), "round".to_owned()));
    json!({"calls": calls, "unexpected": seen.unexpected, "copies": copies, "table": table.census(), "round": round})
}
