//! A ledger's table that keeps what is written, under the conditions that are asked for, and a list of what happened.
#![allow(clippy::panic, reason = "a panic is how a test fails, in its table too")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
use aws_sdk_dynamodb::operation::put_item::{PutItemInput, PutItemOutput};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_mocks::{Rule, mock};
use serde_json::{Map, Value, json};
use snapferry_aws::ledger::Table;

use super::http;

type Attributes = std::collections::HashMap<String, AttributeValue>;
type Key = (String, String);

/// The table. All copies of it are the same one.
#[derive(Clone, Default)]
pub struct Kept {
    items: Arc<Mutex<BTreeMap<Key, Attributes>>>,
    happened: Arc<Mutex<Vec<String>>>,
    /// What stood in the way of the last write.
    found: Arc<Mutex<Option<Attributes>>>,
    /// Whether it does not answer reads, and writes.
    is_down: Arc<Mutex<(bool, bool)>>,
}

impl Kept {
    pub fn ledger(&self) -> Table {
        let (get, put) = (self.get(), self.put());
        let rules: Vec<&Rule> = get.iter().chain(&put).collect();
        super::ledger(&rules)
    }

    /// Stops to answer reads, or writes.
    pub fn down(&self, reads: bool, writes: bool) {
        *self.is_down.lock().unwrap() = (reads, writes);
    }

    pub fn note(&self, what: impl Into<String>) {
        self.happened.lock().unwrap().push(what.into());
    }

    /// What happened since this was last asked.
    pub fn happened(&self) -> Vec<String> {
        std::mem::take(&mut self.happened.lock().unwrap())
    }

    /// The items under a partition key that begins so.
    pub fn items(&self, pk: &str) -> Vec<Attributes> {
        let items = self.items.lock().unwrap();
        items.iter().filter(|((found, _), _)| found.starts_with(pk)).map(|(_, item)| item.clone()).collect()
    }

    fn get(&self) -> [Rule; 2] {
        let (down, found) = (self.clone(), self.clone());
        let item = self.clone();
        [
            mock!(aws_sdk_dynamodb::Client::get_item)
                .match_requests(move |get| {
                    let key = key(get.key().unwrap());
                    down.note(format!("get {}", key.1));
                    *down.found.lock().unwrap() = down.items.lock().unwrap().get(&key).cloned();
                    down.is_down.lock().unwrap().0
                })
                .then_http_response(unanswered),
            mock!(aws_sdk_dynamodb::Client::get_item)
                .match_requests(move |_| !found.is_down.lock().unwrap().0)
                .then_output(move || GetItemOutput::builder().set_item(item.found.lock().unwrap().clone()).build()),
        ]
    }

    fn put(&self) -> [Rule; 3] {
        let (down, table, unmet) = (self.clone(), self.clone(), self.clone());
        [
            mock!(aws_sdk_dynamodb::Client::put_item)
                .match_requests(move |_| {
                    let is_down = down.is_down.lock().unwrap().1;
                    if is_down {
                        down.note("put in vain");
                    }
                    is_down
                })
                .then_http_response(unanswered),
            mock!(aws_sdk_dynamodb::Client::put_item)
                .match_requests(move |put| table.takes(put))
                .then_output(|| PutItemOutput::builder().build()),
            mock!(aws_sdk_dynamodb::Client::put_item).then_http_response(move || {
                let kind = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
                let mut body = json!({"__type": kind, "Message": "no"});
                if let Some(found) = &*unmet.found.lock().unwrap() {
                    body["Item"] = as_json(found);
                }
                http(400, &body.to_string())
            }),
        ]
    }

    /// Stores an item if the condition is met.
    fn takes(&self, put: &PutItemInput) -> bool {
        let item = put.item().unwrap();
        let mut items = self.items.lock().unwrap();
        let found = items.get(&key(item)).cloned();
        let values = put.expression_attribute_values().unwrap();
        let is_met = match put.condition_expression().unwrap() {
            "#revision = :revision" => found.as_ref().is_some_and(|found| found["revision"] == values[":revision"]),
            first => {
                assert!(first.starts_with("attribute_not_exists(#pk)"), "a condition that is not known here: {first}");
                found.is_none()
            }
        };
        let key = key(item);
        let state = item.get("state").map(|state| state.as_s().unwrap().as_str()).unwrap_or("a turn");
        self.note(format!("put {} {state}{}", key.0, if is_met { "" } else { " in vain" }));
        if is_met {
            items.insert(key, item.clone());
        }
        *self.found.lock().unwrap() = found;
        is_met
    }
}

fn key(item: &Attributes) -> Key {
    let part = |name: &str| item[name].as_s().unwrap().clone();
    (part("pk"), part("sk"))
}

fn unanswered() -> aws_smithy_runtime_api::client::orchestrator::HttpResponse {
    http(500, &json!({"__type": "com.amazonaws.dynamodb.v20120810#InternalServerError", "message": "no"}).to_string())
}

/// The items here hold texts and numbers alone.
fn as_json(item: &Attributes) -> Value {
    let value = |value: &AttributeValue| match value {
        AttributeValue::N(number) => json!({"N": number}),
        other => json!({"S": other.as_s().unwrap()}),
    };
    Value::Object(item.iter().map(|(name, found)| (name.clone(), value(found))).collect::<Map<_, _>>())
}
