//! The ledger's table against mocked DynamoDB: what is asked, what its answers mean, and what is read of edited items.
#![allow(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::operation::delete_item::DeleteItemOutput;
use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
use aws_sdk_dynamodb::operation::put_item::{PutItemInput, PutItemOutput};
use aws_sdk_dynamodb::operation::query::{QueryInput, QueryOutput};
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use aws_smithy_mocks::{Rule, mock};
use common::{http, ledger, name, region, snapshot_id, source};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use snapferry_core::copying::Tally;
use snapferry_core::ids::{AccountId, SnapshotId};
use snapferry_core::ledger::{
    By, End, HOLD, Hint, Identity, LAST_REVISION, Obligation, Round, Shard, State, Stretch, Turn, place,
};
use snapferry_flow::{Item, Written};

type Attributes = HashMap<String, AttributeValue>;

/// What was written last.
type Stored = Arc<Mutex<Option<Attributes>>>;

fn now() -> Timestamp {
    Timestamp::from_second(Timestamp::now().as_second()).unwrap()
}

fn owed() -> Obligation {
    let source = source(0xab);
    let identity = Identity { policy: name("nightly"), source: source.id.clone(), region: region("eu-west-1") };
    Obligation::new(identity, &source, source.volume.clone(), By::Sweep, now())
}

fn turn() -> Turn {
    Turn {
        account: AccountId::parse("111111111111").unwrap(),
        tried: Some(now()),
        lineage: Some("vol-0123456789abcdef0".to_owned()),
        added: now(),
        revision: 7,
    }
}

fn hint() -> Hint {
    let event = "e".to_owned();
    Hint { source: snapshot_id(1), event, wanted: now(), since: now(), looked: now(), revision: 2 }
}

fn round() -> Round {
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
        calls: 9,
        took_ms: 1200,
        revision: 4,
    }
}

/// An obligation in every state that it may have.
fn all_states() -> Vec<Obligation> {
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
        failed: u32::MAX,
        gone: Some("round".to_owned()),
        revision: LAST_REVISION,
        ..owed()
    })
    .collect()
}

/// Takes what is put.
fn keeps(stored: &Stored) -> Rule {
    let stored = Arc::clone(stored);
    mock!(aws_sdk_dynamodb::Client::put_item)
        .match_requests(move |put| {
            *stored.lock().unwrap() = put.item().cloned();
            put.table_name() == Some("ledger")
        })
        .then_output(|| PutItemOutput::builder().build())
}

/// Gives what was put, by its key and by a query.
fn gives(stored: &Stored) -> [Rule; 2] {
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
fn unmet(found: Option<Value>) -> aws_smithy_runtime_api::client::orchestrator::HttpResponse {
    let mut body =
        json!({"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException", "Message": "no"});
    if let Some(found) = found {
        body["Item"] = found;
    }
    http(400, &body.to_string())
}

fn fails(found: Option<Value>) -> Rule {
    mock!(aws_sdk_dynamodb::Client::put_item).then_http_response(move || unmet(found.clone()))
}

fn names(of: Option<&HashMap<String, String>>) -> Vec<(String, String)> {
    let mut names: Vec<_> = of.into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())).collect();
    names.sort();
    names
}

fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[tokio::test]
async fn all_that_is_written_is_read_again() {
    let stored = Stored::default();
    let (put, [get, query]) = (keeps(&stored), gives(&stored));
    let ledger = ledger(&[&put, &get, &query]);
    for obligation in all_states() {
        assert_eq!(ledger.write(&obligation).await, Ok(Written::Done));
        let item = Item { obligation: obligation.clone(), is_placed: true };
        assert_eq!(ledger.obligation(&obligation.identity).await, Ok(Some(item.clone())));
        let shard = Shard("ab".to_owned());
        assert_eq!(ledger.obligations(&shard, 9).await, Ok(Some((vec![item], vec![]))));
        let item = stored.lock().unwrap().clone().unwrap();
        assert_eq!(item["pk"], AttributeValue::S("O#b".to_owned()));
        assert_eq!(item["sk"], AttributeValue::S("ba000000-pans#eu-west-1#nightly".to_owned()));
        assert_eq!(item.contains_key("lpk"), place(&obligation).is_some());
        assert_eq!(item.contains_key("ttl"), obligation.has_ended(), "only what is over goes by itself");
    }
    for turn in [turn(), Turn { tried: None, lineage: None, ..turn() }] {
        assert_eq!(ledger.write_turn(&region("eu-west-1"), &turn).await, Ok(Written::Done));
        assert_eq!(ledger.turns(&region("eu-west-1")).await, Ok(vec![turn]));
    }
    // DynamoDB takes no key of more than 1024 bytes: as a part of one it would end every query of the account's line.
    let edited = Turn { lineage: Some("v".repeat(1500)), ..turn() };
    assert_eq!(ledger.write_turn(&region("eu-west-1"), &edited).await, Ok(Written::Done));
    assert_eq!(ledger.turns(&region("eu-west-1")).await, Ok(vec![Turn { lineage: None, ..turn() }]));
    assert_eq!(ledger.write_hint(&hint()).await, Ok(Written::Done));
    assert_eq!(ledger.hints().await, Ok(vec![hint()]));
    for left in [vec![], vec![Shard::all()], round().left] {
        let round = Round { left, ..round() };
        assert_eq!(ledger.write_round(&round).await, Ok(Written::Done));
        assert_eq!(ledger.round().await, Ok(Some(round)));
    }
}

#[tokio::test]
async fn each_write_is_conditional_on_the_revision_before() {
    let is_conditional = |put: &PutItemInput| {
        put.condition_expression() == Some("#revision = :revision")
            && names(put.expression_attribute_names()) == pairs(&[("#revision", "revision")])
            && put.expression_attribute_values().unwrap()[":revision"] == AttributeValue::N("4".to_owned())
            && put.return_values_on_condition_check_failure() == Some(&ReturnValuesOnConditionCheckFailure::AllOld)
            && put.item().unwrap()["revision"] == AttributeValue::N("5".to_owned())
            && put.item().unwrap()["token"].as_s().unwrap().len() == 32
    };
    let put = mock!(aws_sdk_dynamodb::Client::put_item)
        .match_requests(is_conditional)
        .then_output(|| PutItemOutput::builder().build());
    let ledger = ledger(&[&put]);
    let done = Ok(Written::Done);
    assert_eq!(ledger.write(&Obligation { revision: 5, ..owed() }).await, done);
    assert_eq!(ledger.write_turn(&region("eu-west-1"), &Turn { revision: 5, ..turn() }).await, done);
    assert_eq!(ledger.write_hint(&Hint { revision: 5, ..hint() }).await, done);
    assert_eq!(ledger.write_round(&Round { revision: 5, ..round() }).await, done);
    assert_eq!(put.num_calls(), 4);
}

#[tokio::test]
async fn a_first_write_wants_none_there_or_one_that_is_long_over() {
    let put = mock!(aws_sdk_dynamodb::Client::put_item)
        .match_requests(|put| {
            let values = put.expression_attribute_values().unwrap();
            let now: i64 = values[":now"].as_n().unwrap().parse().unwrap();
            put.condition_expression() == Some("attribute_not_exists(#pk) OR (#state = :ended AND #ttl < :now)")
                && names(put.expression_attribute_names())
                    == pairs(&[("#pk", "pk"), ("#state", "state"), ("#ttl", "ttl")])
                && values[":ended"] == AttributeValue::S("ended".to_owned())
                && (Timestamp::now().as_second() - now).abs() < 60
        })
        .then_output(|| PutItemOutput::builder().build());
    assert_eq!(ledger(&[&put]).write(&owed()).await, Ok(Written::Done));
}

#[tokio::test]
async fn removal_is_conditional_and_what_is_gone_is_removed() {
    let delete = || {
        mock!(aws_sdk_dynamodb::Client::delete_item).match_requests(|delete| {
            delete.condition_expression() == Some("#revision = :revision")
                && names(delete.expression_attribute_names()) == pairs(&[("#revision", "revision")])
                && delete.return_values_on_condition_check_failure()
                    == Some(&ReturnValuesOnConditionCheckFailure::AllOld)
        })
    };
    let (turn, hint, there) = (turn(), hint(), region("eu-west-1"));
    let done = delete().then_output(|| DeleteItemOutput::builder().build());
    assert_eq!(ledger(&[&done]).remove_turn(&there, &turn).await, Ok(Written::Done));
    let gone = delete().then_http_response(|| unmet(None));
    assert_eq!(ledger(&[&gone]).remove_turn(&there, &turn).await, Ok(Written::Done));
    let anothers = delete().then_http_response(|| unmet(Some(json!({"revision": {"N": "9"}}))));
    assert_eq!(ledger(&[&anothers]).remove_hint(&hint).await, Ok(Written::Stale));
}

#[tokio::test]
async fn a_write_that_meets_itself_is_done_and_one_that_meets_anothers_is_stale() {
    let token = Arc::new(Mutex::new(Value::Null));
    let sent = Arc::clone(&token);
    let own = mock!(aws_sdk_dynamodb::Client::put_item)
        .match_requests(move |put| {
            *sent.lock().unwrap() = json!({"S": put.item().unwrap()["token"].as_s().unwrap()});
            true
        })
        .then_http_response(move || {
            unmet(Some(json!({"revision": {"N": "5"}, "token": token.lock().unwrap().clone()})))
        });
    assert_eq!(ledger(&[&own]).write(&Obligation { revision: 5, ..owed() }).await, Ok(Written::Done));
    for found in
        [None, Some(json!({"revision": {"N": "5"}})), Some(json!({"revision": {"N": "5"}, "token": {"S": "x"}}))]
    {
        let anothers = fails(found);
        let ledger = ledger(&[&anothers]);
        assert_eq!(ledger.write(&Obligation { revision: 5, ..owed() }).await, Ok(Written::Stale));
        assert_eq!(ledger.write_turn(&region("eu-west-1"), &turn()).await, Ok(Written::Stale));
        assert_eq!(anothers.num_calls(), 2, "nothing is written over it");
    }
}

#[tokio::test]
async fn a_table_that_does_not_answer_is_an_error_in_its_own_words() {
    for (status, code) in
        [(400, "AccessDeniedException"), (400, "ResourceNotFoundException"), (500, "InternalServerError")]
    {
        let body = json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{code}"), "message": "no"}).to_string();
        let answer = move || http(status, &body);
        let put = mock!(aws_sdk_dynamodb::Client::put_item).then_http_response(answer.clone());
        let get = mock!(aws_sdk_dynamodb::Client::get_item).then_http_response(answer.clone());
        let query = mock!(aws_sdk_dynamodb::Client::query).then_http_response(answer.clone());
        let delete = mock!(aws_sdk_dynamodb::Client::delete_item).then_http_response(answer);
        let ledger = ledger(&[&put, &get, &query, &delete]);
        let there = region("eu-west-1");
        let codes = [
            ledger.write(&owed()).await.unwrap_err().code,
            ledger.obligation(&owed().identity).await.unwrap_err().code,
            ledger.obligations(&Shard::all(), 9).await.unwrap_err().code,
            ledger.line("L#eu-west-1", None, None, 5).await.unwrap_err().code,
            ledger.remove_turn(&there, &turn()).await.unwrap_err().code,
            ledger.round().await.unwrap_err().code,
        ];
        assert_eq!(codes, [code; 6]);
    }
}

/// The keys of a query, and up to how many items it wants.
fn asked(query: &QueryInput) -> (String, Vec<String>, Option<i32>) {
    let values = query.expression_attribute_values().unwrap();
    let mut values: Vec<String> =
        values.iter().map(|(name, value)| format!("{name} {}", value.as_s().unwrap())).collect();
    values.sort();
    (query.key_condition_expression().unwrap().to_owned(), values, query.limit())
}

#[tokio::test]
async fn a_shard_is_a_prefix_in_one_partition_and_all_are_all_sixteen() {
    for (shard, partitions, begins) in [("", 16, None), ("b", 1, Some("b")), ("ab", 1, Some("ba"))] {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&seen);
        let query = mock!(aws_sdk_dynamodb::Client::query)
            .match_requests(move |query| {
                noted.lock().unwrap().push(asked(query));
                // What is over is not handed over, unless an edit left it in a line.
                let open = "attribute_exists(#lpk) OR attribute_not_exists(#state) OR #state <> :ended \
                            OR (#why = :withdrawn AND #by = :event)";
                query.consistent_read() == Some(true)
                    && query.index_name().is_none()
                    && query.filter_expression() == Some(open)
            })
            .then_output(|| QueryOutput::builder().build());
        assert_eq!(ledger(&[&query]).obligations(&Shard(shard.to_owned()), 0).await, Ok(Some((vec![], vec![]))));
        let seen = seen.lock().unwrap();
        assert_eq!(seen.len(), partitions, "{shard}");
        let (condition, values, page) = &seen[seen.len() - 1];
        let (expected, keys) = match begins {
            None => ("#pk = :pk", vec![":pk O#f".to_owned()]),
            Some(begins) => {
                ("#pk = :pk AND begins_with(#sk, :begins)", vec![format!(":begins {begins}"), ":pk O#b".to_owned()])
            }
        };
        let filtered = [":ended ended", ":event event", ":withdrawn withdrawn"].map(str::to_owned);
        let mut keys: Vec<String> = filtered.into_iter().chain(keys).collect();
        keys.sort();
        assert_eq!((condition.as_str(), values, *page), (expected, &keys, Some(1000)));
    }
}

#[tokio::test]
async fn a_look_hands_over_what_is_over_too_and_names_what_cannot_be_read() {
    let open_and_over = items(&all_states()).await;
    let mut unreadable = open_and_over[0].clone();
    unreadable.remove("revision");
    let all: Vec<Attributes> = open_and_over.into_iter().chain([unreadable]).collect();
    let query = mock!(aws_sdk_dynamodb::Client::query)
        .match_requests(|query| {
            let (condition, values, _) = asked(query);
            let is_of_one = values == [":begins ba000000".to_owned(), ":pk O#b".to_owned()];
            is_of_one && condition == "#pk = :pk AND begins_with(#sk, :begins)" && query.filter_expression().is_none()
        })
        .then_output(move || QueryOutput::builder().set_items(Some(all.clone())).build());
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    let take = |each| match each {
        Ok(obligation) => found.push(obligation),
        Err(problem) => problems.push(problem),
    };
    ledger(&[&query]).look(&Shard::of(&snapshot_id(0xab)), take).await.unwrap();
    assert_eq!(found, all_states());
    assert_eq!(problems.len(), 1, "{problems:?}");
    let silent = mock!(aws_sdk_dynamodb::Client::query).then_http_response(|| http(500, "{}"));
    let looked = ledger(&[&silent]).look(&Shard::all(), |each| panic!("{each:?}")).await;
    assert_eq!(looked.unwrap_err().code, "Http500");
}

#[tokio::test]
async fn no_page_is_read_behind_what_is_too_much() {
    let found = items(&[owed(), owed()]).await;
    let again = AttributeValue::S("next".to_owned());
    let page = QueryOutput::builder().set_items(Some(found)).last_evaluated_key("pk", again).build();
    let query = mock!(aws_sdk_dynamodb::Client::query).then_output(move || page.clone());
    assert_eq!(ledger(&[&query]).obligations(&Shard("b".to_owned()), 1).await, Ok(None));
    assert_eq!(query.num_calls(), 1);
}

/// Items as a query gives them.
async fn items(obligations: &[Obligation]) -> Vec<Attributes> {
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

fn key(item: &Attributes) -> Attributes {
    ["pk", "sk", "lpk", "lsk"].map(|name| (name.to_owned(), item[name].clone())).into()
}

#[tokio::test]
async fn a_line_is_read_page_after_page_within_its_bounds() {
    let obligations: Vec<Obligation> = (1..=6)
        .map(|number| {
            let identity = Identity { source: snapshot_id(number), ..owed().identity };
            Obligation {
                identity,
                state: State::Delayed { since: Timestamp::from_second(number.into()).unwrap() },
                ..owed()
            }
        })
        .collect();
    let found = items(&obligations).await;
    let order = |index: usize| place(&obligations[index]).unwrap().order;
    let line = place(&obligations[0]).unwrap().line;
    let cases = [
        (None, None, 9, "#lpk = :lpk", vec![0, 1, 2, 3, 4, 5]),
        (None, None, 2, "#lpk = :lpk", vec![0, 1]),
        (Some(0), None, 2, "#lpk = :lpk AND #lsk > :after", vec![1, 2]),
        (None, Some(2), 9, "#lpk = :lpk AND #lsk < :before", vec![0, 1]),
        (Some(1), Some(4), 9, "#lpk = :lpk AND #lsk BETWEEN :after AND :before", vec![2, 3]),
        (Some(4), Some(1), 9, "never asked", vec![]),
        (None, None, 0, "never asked", vec![]),
    ];
    for (after, before, most, condition, expected) in cases {
        let bounds = (after.map(order), before.map(order));
        let page = |from: usize, next: bool| {
            let key = next.then(|| key(&found[from + 2]));
            let output = QueryOutput::builder().set_items(Some(found[from..from + 3].to_vec()));
            output.set_last_evaluated_key(key).build()
        };
        let limit = i32::try_from(most).unwrap();
        let rule = |start: Option<Attributes>, page: QueryOutput| {
            mock!(aws_sdk_dynamodb::Client::query)
                .match_requests(move |query| {
                    query.exclusive_start_key() == start.as_ref()
                        && query.index_name() == Some("line")
                        && query.consistent_read() != Some(true)
                        && (asked(query).0.as_str(), query.limit()) == (condition, Some(limit))
                })
                .then_output(move || page.clone())
        };
        let (first, second) = (rule(None, page(0, true)), rule(Some(key(&found[2])), page(3, false)));
        let ledger = ledger(&[&first, &second]);
        let read = ledger.line(&line, bounds.0.as_deref(), bounds.1.as_deref(), most).await.unwrap();
        let expected: Vec<_> = expected.iter().map(|index: &usize| obligations[*index].clone()).collect();
        assert_eq!(read, expected, "{condition}");
    }
}

#[tokio::test]
async fn the_same_page_again_is_an_error_and_not_the_end() {
    let again = mock!(aws_sdk_dynamodb::Client::query)
        .then_output(|| QueryOutput::builder().last_evaluated_key("pk", AttributeValue::S("x".to_owned())).build());
    let error = ledger(&[&again]).hints().await.unwrap_err();
    assert_eq!(error.message, "Query gave the same page again");
}

#[tokio::test]
async fn what_cannot_be_read_falls_back_to_what_makes_no_second_copy() {
    let text = |text: &str| Some(AttributeValue::S(text.to_owned()));
    let copying = all_states()[3].clone();
    type Edit = (&'static str, Option<AttributeValue>, fn(&Obligation) -> Obligation);
    let edits: Vec<Edit> = vec![
        ("state", text("paid"), |o| Obligation { state: State::Asked { at: Timestamp::MAX }, ..o.clone() }),
        ("state", None, |o| Obligation { state: State::Asked { at: Timestamp::MAX }, ..o.clone() }),
        ("copy", text("i-1"), |o| Obligation { state: State::Asked { at: Timestamp::MAX }, ..o.clone() }),
        ("at", text("soon"), |o| Obligation {
            state: State::Copying { copy: o.copy().unwrap().clone(), at: Timestamp::MAX },
            ..o.clone()
        }),
        ("wanted", None, |o| Obligation { wanted: Timestamp::MAX, ..o.clone() }),
        ("start", Some(AttributeValue::Bool(true)), |o| Obligation { start: Timestamp::MAX, ..o.clone() }),
        ("by", text("hand"), |o| Obligation { by: By::Event, ..o.clone() }),
        ("refused", text("4"), |o| Obligation { refused: 0, ..o.clone() }),
        ("failed", Some(AttributeValue::N("4294967296".to_owned())), |o| Obligation { failed: 0, ..o.clone() }),
        ("generation", Some(AttributeValue::N("-1".to_owned())), |o| Obligation { generation: 0, ..o.clone() }),
        ("gone", None, |o| Obligation { gone: None, ..o.clone() }),
        ("account", text("me"), |o| Obligation { account: AccountId::parse("000000000000").unwrap(), ..o.clone() }),
        ("lineage", None, |o| Obligation {
            lineage: snapferry_core::ids::VolumeId::parse("vol-ffffffff").unwrap(),
            ..o.clone()
        }),
    ];
    let whole = items(std::slice::from_ref(&copying)).await.remove(0);
    for (attribute, value, expected) in edits {
        let mut edited = whole.clone();
        edited.remove(attribute);
        edited.extend(value.map(|value| (attribute.to_owned(), value)));
        let (found, unreadable) = read_all(vec![edited]).await;
        let expected = expected(&copying);
        assert_eq!((found.len(), unreadable.len()), (1, 0), "{attribute}");
        assert_eq!(found[0].obligation, expected, "{attribute}");
        // However it was edited: nothing is asked for at once, and a hold after its repair it is.
        let repaired = expected.repaired(now()).unwrap_or(expected);
        if let State::Asked { .. } = repaired.state {
            assert_eq!(repaired.asked(now()), None, "{attribute}");
            assert!(repaired.asked(now() + HOLD + SignedDuration::from_secs(5)).is_some(), "{attribute}");
        }
    }
}

/// What is read of such items.
async fn read_all(items: Vec<Attributes>) -> (Vec<Item>, Vec<String>) {
    let query = mock!(aws_sdk_dynamodb::Client::query)
        .then_output(move || QueryOutput::builder().set_items(Some(items.clone())).build());
    ledger(&[&query]).obligations(&Shard("b".to_owned()), 100_000).await.unwrap().unwrap()
}

#[tokio::test]
async fn an_item_of_another_key_or_revision_is_named_and_none() {
    let whole = items(&[owed()]).await.remove(0);
    let edits = [
        ("pk", AttributeValue::S("O#a".to_owned())),
        ("pk", AttributeValue::S("A#eu-west-1".to_owned())),
        ("sk", AttributeValue::S("ba000000-pans#eu-west-1".to_owned())),
        ("sk", AttributeValue::S("ba000000-pans#eu-west-1#a b".to_owned())),
        ("sk", AttributeValue::S("BA000000-pans#eu-west-1#nightly".to_owned())),
        ("revision", AttributeValue::S("1".to_owned())),
        ("revision", AttributeValue::N("1.5".to_owned())),
        ("revision", AttributeValue::N("-1".to_owned())),
        ("revision", AttributeValue::N((LAST_REVISION + 1).to_string())),
    ];
    for (name, value) in edits {
        let mut edited = whole.clone();
        edited.insert(name.to_owned(), value.clone());
        let (found, unreadable) = read_all(vec![edited, whole.clone()]).await;
        assert_eq!((found.len(), unreadable.len()), (1, 1), "{name} {value:?}");
        assert!(unreadable[0].starts_with("item "), "{unreadable:?}");
    }
}

#[tokio::test]
async fn what_stands_in_the_way_of_a_first_write_waits_its_hold_if_nobody_can_read_it() {
    for (revision, condition) in [
        (Some(json!({"S": "one"})), "#revision = :edited"),
        (Some(json!({"N": "9e99"})), "#revision = :edited"),
        (None, "attribute_not_exists(#revision)"),
    ] {
        let found = match &revision {
            Some(revision) => json!({"state": {"S": "asked"}, "revision": revision}),
            None => json!({"state": {"S": "asked"}}),
        };
        let stored = Stored::default();
        let kept = Arc::clone(&stored);
        let first = mock!(aws_sdk_dynamodb::Client::put_item)
            .match_requests(|put| put.condition_expression().unwrap().starts_with("attribute_not_exists(#pk)"))
            .then_http_response(move || unmet(Some(found.clone())));
        let replaces = mock!(aws_sdk_dynamodb::Client::put_item)
            .match_requests(move |put| {
                *kept.lock().unwrap() = put.item().cloned();
                put.condition_expression() == Some(condition)
            })
            .then_output(|| PutItemOutput::builder().build());
        let ledger = ledger(&[&first, &replaces]);
        assert_eq!(ledger.write(&owed()).await, Ok(Written::Stale), "its copy may just have been asked for");
        let written = stored.lock().unwrap().clone().unwrap();
        let found = read_all(vec![written]).await.0.remove(0).obligation;
        assert!(matches!(found.state, State::Asked { at } if now().duration_since(at).as_secs() < 60), "{found:?}");
        assert_eq!((found.revision, found.identity), (0, owed().identity));
        let turn = Turn { revision: 0, ..turn() };
        assert_eq!(ledger.write_turn(&region("eu-west-1"), &turn).await, Ok(Written::Done), "no copy hangs on it");
    }
}

#[tokio::test]
async fn what_is_long_over_is_none() {
    let ended = |at| {
        let state = State::Ended { at, why: End::Missed, copy: None };
        Obligation { state, ..owed() }
    };
    let day = SignedDuration::from_hours(24);
    for (at, is_there) in [(now() - day * 6, true), (now() - day * 8, false)] {
        let stored = Stored::default();
        let (put, [get, query]) = (keeps(&stored), gives(&stored));
        let ledger = ledger(&[&put, &get, &query]);
        ledger.write(&ended(at)).await.unwrap();
        assert_eq!(ledger.obligation(&owed().identity).await.unwrap().is_some(), is_there);
        assert_eq!(
            ledger.obligations(&Shard("b".to_owned()), 9).await.unwrap().unwrap().0.len(),
            usize::from(is_there)
        );
    }
}

#[tokio::test]
async fn a_lost_or_edited_place_is_seen() {
    let whole = items(&[owed()]).await.remove(0);
    for (name, value) in [("lpk", None), ("lsk", None), ("lpk", Some("L#eu-west-2#111111111111")), ("lsk", Some("zzz"))]
    {
        let mut edited = whole.clone();
        edited.remove(name);
        edited.extend(value.map(|value| (name.to_owned(), AttributeValue::S(value.to_owned()))));
        assert!(!read_all(vec![edited]).await.0[0].is_placed, "{name} {value:?}");
    }
    let mut over = items(&[all_states().remove(5)]).await.remove(0);
    assert!(read_all(vec![over.clone()]).await.0[0].is_placed);
    over.insert("lpk".to_owned(), AttributeValue::S("L#eu-west-1#111111111111".to_owned()));
    assert!(!read_all(vec![over]).await.0[0].is_placed, "what is over stands in no line");
}

/// Any value of an attribute, often one that means something elsewhere.
fn anything(random: &mut fastrand::Rng, depth: u32) -> AttributeValue {
    let texts =
        ["", "asked", "owed", "ended", "copying", "missed", "snap-00000001", "9999-12-31T23:59:59Z", "#", "é\u{0}"];
    let numbers =
        ["0", "-1", "1.5", "1e400", "NaN", "18446744073709551615", "9007199254740993", "", "99999999999999999999"];
    match random.u32(0..if depth == 0 { 6 } else { 8 }) {
        0 | 1 => AttributeValue::S(random.choice(texts).unwrap().to_owned()),
        2 | 3 => AttributeValue::N(random.choice(numbers).unwrap().to_owned()),
        4 => AttributeValue::Bool(random.bool()),
        5 => AttributeValue::Null(true),
        6 => AttributeValue::L(vec![anything(random, depth - 1)]),
        _ => AttributeValue::M([("at".to_owned(), anything(random, depth - 1))].into()),
    }
}

#[tokio::test]
async fn no_edit_of_any_item_breaks_the_reading_or_hides_the_item() {
    const ITEMS: usize = 5000;
    let mut random = fastrand::Rng::with_seed(16);
    let whole = items(&all_states()).await;
    let edited: Vec<Attributes> = (0..ITEMS)
        .map(|_| {
            let mut item = random.choice(&whole).unwrap().clone();
            let mut names: Vec<String> = item.keys().cloned().collect();
            names.extend(["ttl", "copy", "why", "lpk", "left", "totals", "open", "tried", "added"].map(str::to_owned));
            for _ in 0..random.usize(1..4) {
                let name = random.choice(&names).unwrap().clone();
                if random.bool() {
                    item.remove(&name);
                } else {
                    item.insert(name, anything(&mut random, 2));
                }
            }
            item
        })
        .collect();
    let is_long_over = |item: &Attributes| item.get("ttl").is_some_and(|ttl| ttl.as_n().is_ok_and(|n| n.len() < 3));
    let over = edited.iter().filter(|item| is_long_over(item)).count();
    let (found, unreadable) = read_all(edited.clone()).await;
    assert!(found.len() + unreadable.len() + over >= ITEMS, "each is read or named");
    assert!(found.len() > ITEMS / 4 && unreadable.len() > ITEMS / 20, "{} {}", found.len(), unreadable.len());
    for Item { obligation, .. } in found {
        assert!(obligation.revision <= LAST_REVISION);
        _ = (place(&obligation), obligation.repaired(now()), obligation.due(), obligation.asked(now()));
    }
    let given = |items: Vec<Attributes>| {
        let one = items.clone();
        let query = mock!(aws_sdk_dynamodb::Client::query)
            .then_output(move || QueryOutput::builder().set_items(Some(items.clone())).build());
        let get = mock!(aws_sdk_dynamodb::Client::get_item)
            .then_output(move || GetItemOutput::builder().set_item(one.first().cloned()).build());
        ledger(&[&query, &get])
    };
    let all = given(edited.clone());
    all.turns(&region("eu-west-1")).await.unwrap();
    all.hints().await.unwrap();
    all.line("L", None, None, ITEMS).await.unwrap();
    for item in edited.into_iter().take(300) {
        given(vec![item]).round().await.unwrap();
    }
}

#[tokio::test]
async fn a_round_of_which_something_cannot_be_read_is_one_from_the_future() {
    let stored = Stored::default();
    let (put, [get, query]) = (keeps(&stored), gives(&stored));
    let ledger = ledger(&[&put, &get, &query]);
    for (name, value) in [
        ("left", AttributeValue::S("a zz".to_owned())),
        ("left", AttributeValue::S("a".to_owned())),
        ("open", AttributeValue::N("18446744073709551615".to_owned())),
        ("totals", AttributeValue::S("{".to_owned())),
        ("owed", AttributeValue::S("{\"ireland\": 1}".to_owned())),
        ("began", AttributeValue::Null(true)),
    ] {
        ledger.write_round(&round()).await.unwrap();
        stored.lock().unwrap().as_mut().unwrap().insert(name.to_owned(), value);
        let read = ledger.round().await.unwrap().unwrap();
        assert_eq!((read.began, read.revision), (Timestamp::MAX, round().revision), "{name}");
    }
}

#[tokio::test]
async fn sources_of_old_have_short_ids() {
    let short = Obligation {
        identity: Identity { source: SnapshotId::parse("snap-0000000b").unwrap(), ..owed().identity },
        ..owed()
    };
    assert_eq!(read_all(items(std::slice::from_ref(&short)).await).await.0[0].obligation, short);
}
