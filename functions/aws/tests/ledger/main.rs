//! The ledger's table against mocked DynamoDB: what is asked, what its answers mean, and what is read of edited items.
#![allow(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing)]

#[path = "../common/mod.rs"]
mod common;
mod edits;
mod pages;
mod world;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::operation::delete_item::DeleteItemOutput;
use aws_sdk_dynamodb::operation::put_item::{PutItemInput, PutItemOutput};
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use aws_smithy_mocks::{Rule, mock};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use snapferry_core::ids::SnapshotId;
use snapferry_core::ledger::{By, End, Hint, Identity, Obligation, Round, Shard, State, Turn, place};
use snapferry_core::rds::CopyRequest;
use snapferry_flow::{Item, Written};

use crate::common::{http, ledger, region};
use crate::world::*;

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

/// What stands for a snapshot of a database is longer, and is kept and found as a volume's.
#[tokio::test]
async fn obligations_of_databases_are_read_again() {
    let stored = Stored::default();
    let (put, [get, query]) = (keeps(&stored), gives(&stored));
    let ledger = ledger(&[&put, &get, &query]);
    let (policy, shared) = (common::rds::policy("eu-west-1"), common::rds::shared(common::rds::ARN));
    let request = CopyRequest { policy: &policy.name, source: &shared, target: &policy.targets[0], attempt: 1 };
    let (source, copy) = (shared.fact(), SnapshotId::of_any_kind(request.name().as_str()).unwrap());
    let identity = Identity { policy: policy.name.clone(), source: source.id.clone(), region: region("eu-west-1") };
    let owed = Obligation::new(identity, &source, source.volume.clone(), By::Sweep, now());
    for state in [State::Owed, State::Copying { copy, at: now() }] {
        let obligation = Obligation { state, ..owed.clone() };
        assert_eq!(ledger.write(&obligation).await, Ok(Written::Done));
        let item = Item { obligation: obligation.clone(), is_placed: true };
        assert_eq!(ledger.obligation(&obligation.identity).await, Ok(Some(item.clone())));
        let last = source.id.as_str().chars().last().unwrap();
        let shard = Shard(last.to_string());
        assert_eq!(ledger.obligations(&shard, 9).await, Ok(Some((vec![item], vec![]))));
        assert_eq!(stored.lock().unwrap().clone().unwrap()["pk"], AttributeValue::S(format!("O#{last}")));
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
async fn sources_of_old_have_short_ids() {
    let short = Obligation {
        identity: Identity { source: SnapshotId::parse("snap-0000000b").unwrap(), ..owed().identity },
        ..owed()
    };
    assert_eq!(read_all(items(std::slice::from_ref(&short)).await).await.0[0].obligation, short);
}
