use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::key_policy::statements::statements;

fn ours(target: &str) -> Vec<Value> {
    let principal = format!("arn:aws:iam::{target}:root");
    statements(&principal).iter().map(|statement| serde_json::to_value(statement).unwrap()).collect()
}

fn done(merged: &Merged) -> Vec<Done> {
    merged.changes.iter().map(|change| change.done).collect()
}

const GOVERNED: &str = r#"{"Sid":"Enable IAM","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::1:root"},"Action":"kms:*","Resource":"*"}"#;

#[test]
fn every_layout_is_taken() {
    for document in [
        format!(r#"{{"Version":"2012-10-17","Statement":[{GOVERNED}]}}"#),
        format!(r#"{{"Statement":{GOVERNED},"Version":"2012-10-17"}}"#),
        format!("{{\r\n  \"Statement\" : [\r\n    {GOVERNED}\r\n  ] , \"Id\":\"ä\"\r\n}}"),
        r#"{"Statement":[]}"#.to_owned(),
        r#"{"Statement": [ ] }"#.to_owned(),
    ] {
        let merged = merge(&document, &ours("222222222222")).unwrap();
        assert_eq!(done(&merged), [Done::Added, Done::Added], "{document}");
        assert_eq!(merged.document.contains("Enable IAM"), document.contains("Enable IAM"));
        let again = merge(&merged.document, &ours("222222222222")).unwrap();
        assert_eq!((done(&again), again.document), (vec![Done::Kept, Done::Kept], merged.document));
    }
}

#[test]
fn what_means_the_same_is_kept() {
    let mut same = ours("222222222222");
    same[0]["Action"].as_array_mut().unwrap().reverse();
    same[0]["Principal"]["AWS"] = json!([same[0]["Principal"]["AWS"]]);
    same[1]["Resource"] = json!(["*"]);
    let document = json!({ "Statement": same }).to_string();
    let merged = merge(&document, &ours("222222222222")).unwrap();
    assert_eq!((done(&merged), merged.document), (vec![Done::Kept, Done::Kept], document));
}

#[test]
fn what_is_outdated_is_replaced_in_its_place() {
    let mut outdated = ours("222222222222");
    outdated[1].as_object_mut().unwrap().remove("Condition");
    let document = format!(r#"{{"Statement":[{}, {GOVERNED},{}]}}"#, outdated[1], outdated[0]);
    let merged = merge(&document, &ours("222222222222")).unwrap();
    assert_eq!(done(&merged), [Done::Kept, Done::Replaced]);
    assert!(merged.changes.iter().all(|change| change.no_longer_named.is_empty()));
    let sids: Vec<_> = statements_of(&merged.document).unwrap().iter().map(|s| s["Sid"].clone()).collect();
    assert_eq!(sids, ["GrantsByTheTargetAccount", "Enable IAM", "UseByTheTargetAccount"]);
    assert!(merged.document.contains(&format!(", {GOVERNED},")));
}

#[test]
fn who_loses_access_is_named() {
    let document = json!({ "Statement": ours("333333333333") }).to_string();
    let merged = merge(&document, &ours("222222222222")).unwrap();
    assert_eq!(merged.changes[0].no_longer_named, ["arn:aws:iam::333333333333:root"]);
}

#[test]
fn what_is_no_key_policy_is_refused() {
    let first = &ours("222222222222")[0];
    for (document, why) in [
        ("", "not JSON"),
        ("[]", "no JSON object"),
        ("{}", "no Statement"),
        (r#"{"Statement": "x"}"#, "no Statement"),
        (r#"{"Statement": [1]}"#, "no Effect"),
        (r#"{"PolicyDetails": {}, "Statement": []}"#, "which no key policy has"),
        (r#"{"Statement": [{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]}"#, "no Principal"),
        (r#"{"Statement": [{"Effect": "Allow", "Principal": "*"}]}"#, "no Action"),
        (&json!({ "Statement": [first, first] }).to_string(), "two statements have the Sid"),
        (&format!(r#"{{"Statement": [], "Statement": [{GOVERNED}]}}"#), "in doubt"),
    ] {
        let error = merge(document, &ours("222222222222")).map(|merged| merged.document);
        let text = format!("{:#}", error.expect_err(document));
        assert!(text.contains(why), "{document}: {text}");
    }
}

#[test]
fn both_forms_of_the_answer_are_read() {
    let policy = format!("{{\n  \"Statement\" : [ {GOVERNED} ]\n}}");
    let answer = json!({ "Policy": policy, "PolicyName": "default" });
    for printed in [policy.clone(), format!("{policy}\r\n"), answer.to_string(), format!("\u{feff}{answer:#}")] {
        assert_eq!(unwrapped(&printed).unwrap(), policy);
    }
}

/// Statements of others, with texts that editing by bytes could stumble over.
fn others() -> impl Strategy<Value = Vec<Value>> {
    let text = || prop_oneof![any::<String>(), Just("\"]},{[\\".to_owned()), Just("ä\r\n€😀".to_owned())];
    let other = (text(), text(), any::<i64>()).prop_map(|(sid, principal, number)| {
        json!({ "Sid": format!("other {sid}"), "Effect": "Deny", "Principal": { "AWS": [principal] },
                "NotAction": "kms:Decrypt", "Resource": "*", "Condition": { "NumericEquals": { "x": number } } })
    });
    prop::collection::vec(other, 0..5)
}

/// One of the ways to write it down.
fn written(value: &Value, way: u8) -> String {
    match way % 3 {
        0 => value.to_string(),
        1 => format!("{value:#}"),
        _ => format!("{value:#}").replace('\n', "\r\n"),
    }
}

proptest! {
    #[test]
    fn merging_keeps_the_others_and_is_idempotent(
        others in others(), id in any::<Option<String>>(), way in any::<u8>(), mine in 0..4_usize, at in 0..5_usize,
    ) {
        // Of our two: none, the first as it should be, the first outdated, both outdated and for another account.
        let mut statements = others.clone();
        let mut there = match mine {
            0 => vec![],
            1 => ours("222222222222")[..1].to_vec(),
            2 => vec![json!({ "Sid": "UseByTheTargetAccount", "Effect": "Allow", "Principal": "*", "Action": "kms:*" })],
            _ => ours("333333333333"),
        };
        for statement in there.drain(..) {
            statements.insert(at.min(statements.len()), statement);
        }
        let mut value = json!({ "Version": "2012-10-17", "Statement": statements });
        if let Some(id) = id {
            value["Id"] = id.into();
        }
        let document = written(&value, way);
        let once = merge(&document, &ours("222222222222")).unwrap();
        let found = statements_of(&once.document).unwrap();
        let is_ours = |s: &&Value| ours("222222222222").contains(s);
        prop_assert_eq!(found.iter().filter(|s| !is_ours(s)).cloned().collect::<Vec<_>>(), others);
        prop_assert_eq!(found.iter().filter(is_ours).count(), 2);
        prop_assert_eq!(rest(&once.document), rest(&document));
        let twice = merge(&once.document, &ours("222222222222")).unwrap();
        prop_assert_eq!(twice.document, once.document);
    }

    #[test]
    fn nothing_makes_it_panic(document in "[\\[\\]{}\",:a-zS ]{0,60}|\\{\"Statement\":.{0,40}\\}") {
        let _ = merge(&document, &ours("222222222222"));
    }
}
