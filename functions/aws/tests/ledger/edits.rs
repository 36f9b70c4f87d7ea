//! What is read of items that something else has edited.

use std::sync::Arc;

use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
use aws_sdk_dynamodb::operation::put_item::PutItemOutput;
use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_mocks::mock;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use snapferry_core::ids::AccountId;
use snapferry_core::ledger::{By, HOLD, LAST_REVISION, Obligation, State, Turn, place};
use snapferry_flow::{Item, Written};

use crate::common::{ledger, region};
use crate::world::*;

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
        // Items of earlier versions have none.
        ("put_off", None, |o| Obligation { put_off: 0, ..o.clone() }),
        ("arn", None, |o| Obligation { arn: None, ..o.clone() }),
        ("failed", Some(AttributeValue::N("4294967296".to_owned())), |o| Obligation { failed: 0, ..o.clone() }),
        ("generation", Some(AttributeValue::N("-1".to_owned())), |o| Obligation { generation: 0, ..o.clone() }),
        ("ending", text("soon"), |o| Obligation { ending: None, ..o.clone() }),
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
