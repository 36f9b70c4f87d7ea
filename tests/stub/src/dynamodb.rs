//! DynamoDB, as far as the ledger asks for it: `functions/aws/src/ledger`. Its expressions are known by heart; others are
//! unexpected.

use std::collections::BTreeMap;
use std::ops::Bound;

use serde_json::{Value, json};

use crate::http::Answer;
use crate::shared::Shared;
use crate::table::{Key, Query, text};

/// The answer, and how many seconds it takes; nothing where this is no request that can be understood.
pub(crate) fn answer(operation: &str, body: &str, shared: &Shared) -> Option<(Answer, f64)> {
    let request: Value = serde_json::from_str(body).ok()?;
    let answer = match operation {
        "GetItem" => {
            let item = shared.table().get(&key(request.get("Key")?)?);
            Answer::json(&item.map_or_else(|| json!({}), |item| json!({"Item": item})))
        }
        "PutItem" => {
            let (item, mut table) = (request.get("Item")?, shared.table());
            let (key, condition) = (key(item)?, condition(&request)?);
            match table.get(&key) {
                stands if is_met(&condition, stands.as_ref())? => {
                    table.put(key, item);
                    Answer::json(&json!({}))
                }
                stands => Answer::condition_failed(stands),
            }
        }
        "DeleteItem" => {
            let (key, condition, mut table) = (key(request.get("Key")?)?, condition(&request)?, shared.table());
            match table.get(&key) {
                stands if is_met(&condition, stands.as_ref())? => {
                    table.remove(&key);
                    Answer::json(&json!({}))
                }
                stands => Answer::condition_failed(stands),
            }
        }
        "Query" => Answer::ok(page(&query(&request)?, shared)),
        _ => return None,
    };
    Some((answer, shared.world().table_seconds))
}

fn key(item: &Value) -> Option<Key> {
    Some((text(item, "pk")?, text(item, "sk")?))
}

/// A condition: its expression with the attributes' own names, and its values.
struct Condition {
    expression: String,
    values: BTreeMap<String, Value>,
}

fn condition(request: &Value) -> Option<Condition> {
    Some(Condition { expression: expression_of(request, "ConditionExpression")?, values: values(request) })
}

/// An expression in which the attributes stand by their names.
/// The only filter that this knows.
const OPEN: &str =
    "attribute_exists(lpk) OR attribute_not_exists(state) OR state <> :ended OR (why = :withdrawn AND by = :event)";

fn expression_of(request: &Value, member: &str) -> Option<String> {
    let names = request.get("ExpressionAttributeNames").and_then(Value::as_object)?;
    let expression = request.get(member)?.as_str()?.to_owned();
    Some(names.iter().fold(expression, |expression, (name, attribute)| {
        expression.replace(name, attribute.as_str().unwrap_or_default())
    }))
}

fn values(request: &Value) -> BTreeMap<String, Value> {
    let values = request.get("ExpressionAttributeValues").and_then(Value::as_object);
    values.into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Whether a condition holds for what stands there; nothing where it is an unknown one.
fn is_met(condition: &Condition, stands: Option<&Value>) -> Option<bool> {
    let attribute = |name: &str| stands.and_then(|stands| stands.get(name));
    let is = |name: &str, value: &str| attribute(name).is_some_and(|found| condition.values.get(value) == Some(found));
    Some(match condition.expression.as_str() {
        "attribute_not_exists(pk)" => stands.is_none(),
        "attribute_not_exists(pk) OR (state = :ended AND ttl < :now)" => {
            let seconds = |value: Option<&Value>| value?.get("N")?.as_str()?.parse::<i64>().ok();
            let is_over = seconds(attribute("ttl")) < seconds(condition.values.get(":now"));
            stands.is_none() || is("state", ":ended") && attribute("ttl").is_some() && is_over
        }
        "attribute_not_exists(revision)" => attribute("revision").is_none(),
        "revision = :revision" => is("revision", ":revision"),
        "revision = :edited" => is("revision", ":edited"),
        _ => return None,
    })
}

fn query(request: &Value) -> Option<Query> {
    let is_of_line = match request.get("IndexName").map(Value::as_str) {
        None => false,
        Some(Some("line")) => true,
        Some(_) => return None,
    };
    let expression = expression_of(request, "KeyConditionExpression")?;
    let values = values(request);
    let value = |name: &str| values.get(name)?.get("S")?.as_str().map(str::to_owned);
    let included = |name| value(name).map(Bound::Included);
    let excluded = |name| value(name).map(Bound::Excluded);
    let (from, to, begins) = match expression.as_str() {
        "pk = :pk" | "lpk = :lpk" => (Bound::Unbounded, Bound::Unbounded, String::new()),
        "pk = :pk AND begins_with(sk, :begins)" => (Bound::Unbounded, Bound::Unbounded, value(":begins")?),
        "lpk = :lpk AND lsk > :after" => (excluded(":after")?, Bound::Unbounded, String::new()),
        "lpk = :lpk AND lsk < :before" => (Bound::Unbounded, excluded(":before")?, String::new()),
        "lpk = :lpk AND lsk BETWEEN :after AND :before" => (included(":after")?, included(":before")?, String::new()),
        _ => return None,
    };
    let after = match request.get("ExclusiveStartKey") {
        Some(start) => Some((text(start, "lpk").zip(text(start, "lsk")), key(start)?)),
        None => None,
    };
    let limit = request.get("Limit").map_or(Some(u64::MAX), Value::as_u64)?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let partition = value(if is_of_line { ":lpk" } else { ":pk" })?;
    let is_of_open = match expression_of(request, "FilterExpression").as_deref() {
        None => false,
        Some(OPEN) => true,
        Some(_) => return None,
    };
    Some(Query { is_of_line, partition, from, to, begins, limit, is_of_open, after })
}

fn page(query: &Query, shared: &Shared) -> String {
    let table = shared.table();
    let found = table.query(query);
    let (count, looked_at) = (found.items.len(), found.looked_at);
    let mut page = format!("{{\"Count\":{count},\"ScannedCount\":{looked_at},\"Items\":[{}]", found.items.join(","));
    if let Some((place, (pk, sk))) = found.last {
        let mut key = json!({"pk": {"S": pk}, "sk": {"S": sk}});
        if let (Some((lpk, lsk)), Some(key)) = (place, key.as_object_mut()) {
            key.insert("lpk".to_owned(), json!({"S": lpk}));
            key.insert("lsk".to_owned(), json!({"S": lsk}));
        }
        page.push_str(&format!(",\"LastEvaluatedKey\":{key}"));
    }
    page.push('}');
    drop(table);
    shared.count("dynamodb", "(items read)", &shared.world().home, looked_at);
    page
}
