//! What is read of events, and what is refused.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails, in its helpers too")]

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};
use snapferry_core::audit::EventInvalid;
use snapferry_core::event::*;
use snapferry_core::ids::{AccountId, Region};

fn share() -> Value {
    json!({"version": "0", "id": "01234567-01234-0123-0123-012345678901",
        "detail-type": "EBS Snapshot Notification", "source": "aws.ec2",
        "account": "222222222222", "time": "2026-11-22T03:00:00Z", "region": "us-east-1",
        "resources": ["arn:aws:ec2::us-east-1:snapshot/snap-01234567"],
        "detail": {"event": "shareSnapshot", "result": "succeeded", "cause": "", "request-id": "",
            "snapshot_id": "arn:aws:ec2::us-east-1:snapshot/snap-01234567", "source": "111111111111",
            "startTime": "2026-11-22T03:00:00Z", "endTime": "2026-11-22T03:00:00Z"}})
}

fn shared_snapshot(event: &Value) -> Option<String> {
    match parse(&event.to_string()) {
        Ok(Message::Share(share)) => Some(share.snapshot.to_string()),
        _ => None,
    }
}

#[test]
fn every_arn_layout_and_both_types_of_source_are_read() {
    for arn in [
        "arn:aws:ec2::us-east-1:snapshot/snap-01234567",
        "arn:aws:ec2:us-east-1::snapshot/snap-01234567",
        "arn:aws:ec2:us-east-1:111111111111:snapshot/snap-01234567",
        "arn:aws-us-gov:ec2:us-gov-west-1::snapshot/snap-01234567",
        "snap-01234567",
    ] {
        for source in [json!("011111111111"), json!(11_111_111_111_u64), json!(null)] {
            let mut event = share();
            event["detail"]["snapshot_id"] = json!(arn);
            event["detail"]["source"] = source;
            assert_eq!(shared_snapshot(&event).as_deref(), Some("snap-01234567"), "{arn}");
        }
    }
    let mut event = share();
    event["detail"].as_object_mut().unwrap().remove("snapshot_id");
    assert_eq!(shared_snapshot(&event).as_deref(), Some("snap-01234567"), "from resources");
    event["detail"].as_object_mut().unwrap().remove("startTime");
    event["detail"]["StartTime"] = json!("2026-11-22T03:00:00Z");
    assert!(shared_snapshot(&event).is_some());
}

type Change = fn(&mut Value);

#[test]
fn what_is_not_a_share_is_told_apart() {
    let reason = |change: Change| {
        let mut event = share();
        change(&mut event);
        match parse(&event.to_string()) {
            Ok(Message::Share(_)) => "share",
            Ok(Message::Copy(_)) => "copy",
            Ok(Message::Sweep { .. }) => "sweep",
            Ok(Message::Serve { .. }) => "serve",
            Ok(Message::Other(other)) => other.reason.name(),
            Err(invalid) => invalid.reason.name(),
        }
    };
    let cases: [(Change, &str); 16] = [
        (|_| {}, "share"),
        (|e| *e = json!({"sweep": "tick-1"}), "sweep"),
        (|e| *e = json!({"sweep": 7}), "sweep"),
        (|e| *e = json!({"serve": "2026-11-22T03:00:00Z"}), "serve"),
        (|e| *e = json!({"serve": {"of": [7]}}), "serve"),
        (|e| *e = json!({"serve": "both", "sweep": "more"}), "sweep"),
        (|e| e["detail"]["event"] = json!("copySnapshot"), "copy"),
        (|e| e["detail"]["event"] = json!("createSnapshot"), "other-event"),
        (|e| e["detail-type"] = json!("EBS Volume Notification"), "other-event"),
        (|e| e["source"] = json!("my.app"), "other-event"),
        (|e| e["detail"]["result"] = json!("failed"), "not-succeeded"),
        (|e| e["detail"]["result"] = json!(null), "not-succeeded"),
        (|e| *e = json!([1]), "not-an-event"),
        (|e| *e = json!({"hello": "world"}), "not-an-event"),
        (
            |e| {
                e["detail"]["snapshot_id"] = json!("arn:aws:ec2::us-east-1:snapshot/vol-01234567");
                e["resources"] = json!([]);
            },
            "no-snapshot",
        ),
        (|e| e["detail"] = json!("text"), "other-event"),
    ];
    for (change, expected) in cases {
        assert_eq!(reason(change), expected);
    }
    assert_eq!(parse("{").unwrap_err().reason, EventInvalid::NotJson);
}

fn read(change: Change) -> ShareEvent {
    let mut event = share();
    change(&mut event);
    match parse(&event.to_string()) {
        Ok(Message::Share(share)) => share,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_claims_of_an_event_are_read_or_left() {
    let claimed: [(Change, Option<&str>); 13] = [
        (|_| {}, Some("111111111111")),
        (|e| e["detail"]["source"] = json!("011111111111"), Some("011111111111")),
        (|e| e["detail"]["source"] = json!(11_111_111_111_u64), Some("011111111111")),
        (|e| e["detail"]["source"] = json!(7), Some("000000000007")),
        (|e| e["detail"]["source"] = json!("arn:aws:iam::111111111111:root"), Some("111111111111")),
        (|e| e["detail"]["source"] = json!("arn:aws:ec2::us-east-1:snapshot/snap-01234567"), None),
        (|e| e["detail"]["source"] = json!("11111111111"), None),
        (|e| e["detail"]["source"] = json!(1_111_111_111_111_u64), None),
        (|e| e["detail"]["source"] = json!(-1), None),
        (|e| e["detail"]["source"] = json!(1.5), None),
        (|e| e["detail"]["source"] = json!(null), None),
        (|e| e["detail"]["source"] = json!(["111111111111"]), None),
        (|e| _ = e["detail"].as_object_mut().unwrap().remove("source"), None),
    ];
    for (change, expected) in claimed {
        assert_eq!(read(change).claimed_owner.as_ref().map(AccountId::as_str), expected);
    }
    let named: [(Change, Option<&str>); 4] = [
        (|_| {}, Some("us-east-1")),
        (|e| e["region"] = json!("eu-west-3"), Some("eu-west-3")),
        (|e| e["region"] = json!("somewhere"), Some("us-east-1")),
        (|e| e["region"] = json!(1), Some("us-east-1")),
    ];
    for (change, expected) in named {
        assert_eq!(read(change).region.as_ref().map(Region::as_str), expected);
    }
}

#[test]
fn the_region_of_an_arn_counts_where_the_event_names_none() {
    for (named, arn, expected) in [
        (json!("eu-west-3"), "arn:aws:ec2::us-east-1:snapshot/snap-01234567", Some("eu-west-3")),
        (json!(null), "arn:aws:ec2::us-east-1:snapshot/snap-01234567", Some("us-east-1")),
        (json!(""), "arn:aws:ec2:us-east-1:111111111111:snapshot/snap-01234567", Some("us-east-1")),
        (json!(null), "snap-01234567", None),
    ] {
        let mut event = share();
        (event["region"], event["detail"]["snapshot_id"]) = (named, json!(arn));
        let Ok(Message::Share(read)) = parse(&event.to_string()) else { panic!("{event}") };
        assert_eq!(read.region.as_ref().map(Region::as_str), expected, "{event}");
    }
}

/// The EBS User Guide's own examples have `"source": 012345678901`.
#[test]
fn an_account_without_quotes_is_read_and_nothing_else_that_is_no_json() {
    let event = share().to_string();
    let account = event.replace("\"111111111111\"", "012345678901").replace("\"222222222222\"", " 098765432109 ");
    let Ok(Message::Share(read)) = parse(&account) else { panic!("{:?}", parse(&account)) };
    assert_eq!(read.claimed_owner.as_ref().map(AccountId::as_str), Some("012345678901"));
    assert_eq!((read.snapshot.as_str(), read.oddities.as_slice()), ("snap-01234567", &[Oddity::BareAccount][..]));
    for bare in ["01234567890", "0123456789012", "0123456789.1", "01234567890e", "-012345678901", "snap", "1e", "0x"] {
        let event = event.replace("\"111111111111\"", bare);
        assert_eq!(parse(&event).unwrap_err().reason, EventInvalid::NotJson, "{bare}");
    }
    let within = event.replace("\"cause\":\"\"", r#""cause":"a \" 012345678901 \\""#);
    assert_ne!(within, event);
    for (text, expected) in [(within.as_str(), vec![]), (account.as_str(), vec![Oddity::BareAccount])] {
        let Ok(Message::Share(read)) = parse(text) else { panic!("{text}") };
        assert_eq!(read.oddities, expected, "{text}");
    }
}

#[test]
fn what_others_put_around_an_event_is_taken_off() {
    let event = share();
    let bare = event.to_string().replace("\"111111111111\"", "012345678901");
    let sns = |text: &str| json!({"Type": "Notification", "MessageId": "m", "TopicArn": "t", "Message": text});
    let bus = |detail: &Value| json!({"id": "outer", "source": "my.bus", "detail-type": "Forwarded", "detail": detail});
    let twice = json!(event.to_string());
    use Oddity::{BareAccount, EncodedTwice, Forwarded, Notification};
    let cases = [
        (event.clone(), vec![]),
        (sns(&event.to_string()), vec![Notification]),
        (bus(&event), vec![Forwarded]),
        (twice.clone(), vec![EncodedTwice]),
        (json!(twice.to_string()), vec![EncodedTwice]),
        (sns(&bare), vec![Notification, BareAccount]),
        (sns(&bus(&event).to_string()), vec![Notification, Forwarded]),
    ];
    for (body, expected) in cases {
        for read in [parse(&body.to_string()), parse_input(&body)] {
            let Ok(Message::Share(read)) = read else { panic!("{body}: {read:?}") };
            assert_eq!((read.id.as_str(), read.oddities), (event["id"].as_str().unwrap(), expected.clone()), "{body}");
        }
    }
    assert!(matches!(parse(&sns(r#"{"sweep": "t"}"#).to_string()), Ok(Message::Sweep { id }) if id == "t"));
    let deep = (0..20).fold(event, |inner, _| bus(&inner));
    assert!(matches!(parse(&deep.to_string()), Ok(Message::Other(_))), "layers have an end");
    for (prose, reason) in [(sns("You have chosen"), EventInvalid::NotJson), (json!("x"), EventInvalid::NotJson)] {
        assert_eq!(parse(&prose.to_string()).unwrap_err().reason, reason, "{prose}");
    }
}

#[test]
fn what_is_of_another_region_is_never_promised_a_copy() {
    let (home, other) = (Region::parse("us-east-1").unwrap(), Region::parse("eu-west-3").unwrap());
    let now: Timestamp = "2026-11-22T03:00:30Z".parse().unwrap();
    let changes: [(Change, &str); 3] = [
        (|e| e["detail"]["event"] = json!("createSnapshot"), "other-event"),
        (|e| e["detail"]["result"] = json!("failed"), "not-succeeded"),
        (|e| (e["detail"]["snapshot_id"], e["resources"]) = (json!(""), json!([])), "no-snapshot"),
    ];
    for (change, at_home) in changes {
        let mut event = share();
        change(&mut event);
        for (of, expected) in [(&home, at_home), (&other, "other-region")] {
            event["region"] = json!(of.as_str());
            let record = match parse(&event.to_string()) {
                Ok(Message::Other(read)) => read.record(&home, now),
                Err(invalid) => invalid.record(true, &home, now),
                Ok(read) => panic!("{read:?}"),
            };
            assert_eq!(record.reason.name(), expected, "{event}");
            assert!(record.source.is_none_or(|source| source.region == of.as_str()), "{event}");
            let message = record.message.unwrap();
            assert!(of == &home || (message.contains("eu-west-3") && !message.contains("next sweep")), "{message}");
        }
    }
}

#[test]
fn a_snapshot_is_wanted_since_its_event_but_not_since_the_future() {
    let now: Timestamp = "2026-11-22T03:00:30Z".parse().unwrap();
    let cases: [(Change, &str); 4] = [
        (|_| {}, "2026-11-22T03:00:00Z"),
        (|e| e["time"] = json!("2099-01-01T00:00:00Z"), "2026-11-22T03:00:30Z"),
        (|e| e["time"] = json!("yesterday"), "2026-11-22T03:00:30Z"),
        (|e| e["time"] = json!(1_795_230_000), "2026-11-22T03:00:30Z"),
    ];
    for (change, expected) in cases {
        assert_eq!(read(change).wanted_at(now).to_string(), expected);
    }
}

#[test]
fn an_unreadable_body_is_kept_bounded_and_harmless() {
    let body = format!("\u{1b}[2J{}", "x".repeat(100_000));
    let kept = parse(&body).unwrap_err().body;
    assert!(kept.starts_with("\\u{1b}[2Jxxx") && kept.chars().count() < BODY_LIMIT + 16, "{kept}");
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        Just(json!("shareSnapshot")),
        Just(json!("succeeded")),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        let key =
            prop_oneof![Just("detail".to_owned()), Just("event".to_owned()), Just("resources".to_owned()), ".{0,8}"];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map(key, inner, 0..6).prop_map(Value::from_iter),
        ]
    })
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(body in ".{0,300}") {
        let _ = parse(&body);
    }

    #[test]
    fn no_json_makes_the_parser_panic(value in any_json()) {
        let _ = parse(&value.to_string());
        let _ = parse_input(&value);
    }

    #[test]
    fn a_mutated_event_is_read_or_refused(member in 0usize..11, value in any_json()) {
        let mut event = share();
        let keys = ["version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"];
        match keys.get(member) {
            Some(key) => event[*key] = value,
            None => event["detail"][["snapshot_id", "result"][member - keys.len()]] = value,
        }
        match parse(&event.to_string()) {
            Ok(Message::Share(read)) => prop_assert_eq!(read.snapshot.as_str(), "snap-01234567"),
            Ok(_) => {}
            Err(invalid) => prop_assert!(!invalid.problem.is_empty()),
        }
    }
}
