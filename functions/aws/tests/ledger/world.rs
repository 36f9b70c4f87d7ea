//! What the ledger holds, and DynamoDB as it takes and gives it.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
use aws_sdk_dynamodb::operation::put_item::PutItemOutput;
use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_mocks::{Rule, mock};
use jiff::Timestamp;
use serde_json::{Value, json};
use snapferry_core::copying::Tally;
use snapferry_core::ids::AccountId;
use snapferry_core::ledger::{By, End, Hint, Identity, LAST_REVISION, Obligation, Round, Shard, State, Stretch, Turn};
use snapferry_flow::Item;

use crate::common::{http, ledger, name, region, snapshot_id, source};

pub(crate) type Attributes = HashMap<String, AttributeValue>;

/// What was written last.
pub(crate) type Stored = Arc<Mutex<Option<Attributes>>>;

/// When the tests began, in whole seconds: the same for what is written and what is expected.
pub(crate) fn now() -> Timestamp {
    static NOW: LazyLock<Timestamp> = LazyLock::new(|| Timestamp::from_second(Timestamp::now().as_second()).unwrap());
    *NOW
}

pub(crate) fn owed() -> Obligation {
    let source = source(0xab);
    let identity = Identity { policy: name("nightly"), source: source.id.clone(), region: region("eu-west-1") };
    Obligation::new(identity, &source, source.volume.clone(), By::Sweep, now())
}

pub(crate) fn turn() -> Turn {
    Turn {
        account: AccountId::parse("111111111111").unwrap(),
        tried: Some(now()),
        lineage: Some("vol-0123456789abcdef0".to_owned()),
        added: now(),
        revision: 7,
    }
}

pub(crate) fn hint() -> Hint {
    let event = "e".to_owned();
    Hint { source: snapshot_id(1), event, wanted: now(), since: now(), looked: now(), revision: 2 }
}

pub(crate) fn round() -> Round {
    let totals = Tally { shared: 3, ..Tally::default() };
    let left = vec![Shard("a".to_owned()), Shard("0b".to_owned())];
    let (shards, owed) = (16, [(region("eu-west-1"), 5)].into());
    let next = Some("AAMA".to_owned());
    let walk = Some(vec![Stretch { owner: AccountId::parse("111111111111").unwrap(), next }]);
    Round {
        id: "tick".to_owned(),
        began: now(),
        shards,
        left,
        walk,
        owed,
        totals,
        heard: Some([AccountId::parse("111111111111").unwrap()].into()),
        calls: 9,
        took_ms: 1200,
        revision: 4,
    }
}

/// An obligation in every state that it may have.
pub(crate) fn all_states() -> Vec<Obligation> {
    let (at, copy) = (now(), snapshot_id(0xc0));
    let ended = |why, copy| State::Ended { at, why, copy };
    [
        State::Owed,
        State::Delayed { since: at },
        State::Asked { at },
        State::Copying { copy: copy.clone(), at },
        ended(End::Protected, Some(copy)),
        ended(End::Missed, None),
        ended(End::Withdrawn, None),
    ]
    .into_iter()
    .map(|state| Obligation {
        state,
        by: By::Event,
        generation: 3,
        refused: 4,
        put_off: 5,
        arn: Some("arn:aws:rds:us-east-1:111111111111:snapshot:night".into()),
        failed: u32::MAX,
        gone: Some("round".to_owned()),
        ending: Some(now()),
        revision: LAST_REVISION,
        ..owed()
    })
    .collect()
}

/// Takes what is put.
pub(crate) fn keeps(stored: &Stored) -> Rule {
    let stored = Arc::clone(stored);
    mock!(aws_sdk_dynamodb::Client::put_item)
        .match_requests(move |put| {
            *stored.lock().unwrap() = put.item().cloned();
            put.table_name() == Some("ledger")
        })
        .then_output(|| PutItemOutput::builder().build())
}

/// Gives what was put, by its key and by a query.
pub(crate) fn gives(stored: &Stored) -> [Rule; 2] {
    let (one, all) = (Arc::clone(stored), Arc::clone(stored));
    let is_of = move |key: &Attributes| {
        let stored = one.lock().unwrap();
        key.iter().all(|(name, value)| stored.as_ref().unwrap().get(name) == Some(value))
    };
    let one = Arc::clone(stored);
    let get = mock!(aws_sdk_dynamodb::Client::get_item)
        .match_requests(move |get| get.consistent_read() == Some(true) && is_of(get.key().unwrap()))
        .then_output(move || GetItemOutput::builder().set_item(one.lock().unwrap().clone()).build());
    let query = mock!(aws_sdk_dynamodb::Client::query)
        .match_requests(|query| query.consistent_read() == Some(true))
        .then_output(move || QueryOutput::builder().items(all.lock().unwrap().clone().unwrap()).build());
    [get, query]
}

/// DynamoDB's form of an unmet condition.
pub(crate) fn unmet(found: Option<Value>) -> aws_smithy_runtime_api::client::orchestrator::HttpResponse {
    let mut body =
        json!({"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException", "Message": "no"});
    if let Some(found) = found {
        body["Item"] = found;
    }
    http(400, &body.to_string())
}

/// Items as a query gives them.
pub(crate) async fn items(obligations: &[Obligation]) -> Vec<Attributes> {
    let stored = Stored::default();
    let put = keeps(&stored);
    let ledger = ledger(&[&put]);
    let mut items = Vec::new();
    for obligation in obligations {
        ledger.write(obligation).await.unwrap();
        items.push(stored.lock().unwrap().clone().unwrap());
    }
    items
}

/// What is read of such items.
pub(crate) async fn read_all(items: Vec<Attributes>) -> (Vec<Item>, Vec<String>) {
    let query = mock!(aws_sdk_dynamodb::Client::query)
        .then_output(move || QueryOutput::builder().set_items(Some(items.clone())).build());
    ledger(&[&query]).obligations(&Shard("b".to_owned()), 100_000).await.unwrap().unwrap()
}
