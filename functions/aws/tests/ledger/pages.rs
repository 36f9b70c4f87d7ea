//! What is read page by page: shards, lines, and where reading ends.

use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::operation::query::{QueryInput, QueryOutput};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_mocks::mock;
use jiff::Timestamp;
use snapferry_core::ledger::{Identity, Obligation, Shard, State, place};

use crate::common::{http, ledger, snapshot_id};
use crate::world::*;

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
