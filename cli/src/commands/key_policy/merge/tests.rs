use std::sync::OnceLock;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::commands::key_policy::statements::statements;

const TARGET: &str = "222222222222";

fn statements_for(target: &str) -> Vec<Statement> {
    let read = |target| statements("aws", &AccountId::parse(target).unwrap(), None).unwrap();
    // To read the template takes longer than all else here.
    static READ: OnceLock<[(&str, Vec<Statement>); 2]> = OnceLock::new();
    let found = READ.get_or_init(|| [TARGET, "333333333333"].map(|target| (target, read(target))));
    found.iter().find(|(account, _)| *account == target).unwrap().1.clone()
}

fn ours(target: &str) -> Vec<Value> {
    statements_for(target).iter().map(|statement| serde_json::to_value(statement).unwrap()).collect()
}

fn merged(document: &str, target: &str) -> anyhow::Result<Merged> {
    merge(document, &statements_for(target), target)
}

fn sids(document: &str) -> Vec<Value> {
    statements_of(document).unwrap().iter().map(|statement| statement["Sid"].clone()).collect()
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
        let once = merged(&document, TARGET).unwrap();
        assert_eq!(done(&once), [Done::Added, Done::Added], "{document}");
        assert_eq!(once.document.contains("Enable IAM"), document.contains("Enable IAM"));
        let again = merged(&once.document, TARGET).unwrap();
        assert_eq!((done(&again), again.document), (vec![Done::Kept, Done::Kept], once.document));
    }
}

#[test]
fn what_means_the_same_is_kept() {
    let mut same = ours(TARGET);
    same[0]["Action"].as_array_mut().unwrap().reverse();
    same[0]["Principal"]["AWS"] = json!([same[0]["Principal"]["AWS"]]);
    same[1]["Resource"] = json!(["*"]);
    let document = json!({ "Statement": same }).to_string();
    let once = merged(&document, TARGET).unwrap();
    assert_eq!((done(&once), once.document), (vec![Done::Kept, Done::Kept], document));
}

#[test]
fn what_is_outdated_is_replaced_in_its_place() {
    let mut outdated = ours(TARGET);
    outdated[1]["Condition"].as_object_mut().unwrap().remove("Bool");
    let document = format!(r#"{{"Statement":[{}, {GOVERNED},{}]}}"#, outdated[1], outdated[0]);
    let once = merged(&document, TARGET).unwrap();
    assert_eq!(done(&once), [Done::Kept, Done::Replaced]);
    assert!(once.changes.iter().all(|change| change.no_longer_named.is_empty()));
    let sids: Vec<_> = statements_of(&once.document).unwrap().iter().map(|s| s["Sid"].clone()).collect();
    assert_eq!(sids, ["GrantsByTheTargetAccount", "Enable IAM", "UseByTheTargetAccount"]);
    assert!(once.document.contains(&format!(", {GOVERNED},")));
}

#[test]
fn who_loses_access_is_named() {
    let role = "arn:aws:iam::222222222222:role/copier";
    let first = merged(r#"{"Statement": []}"#, TARGET).unwrap().document;
    let narrower = statements("aws", &AccountId::parse(TARGET).unwrap(), Some(role)).unwrap();
    let once = merge(&first, &narrower, TARGET).unwrap();
    assert_eq!(done(&once), [Done::Replaced, Done::Replaced]);
    assert_eq!(once.changes[0].no_longer_named, ["arn:aws:iam::222222222222:role/snapferry/*"]);
    // What an earlier version said, for the whole account or for its one role.
    for (named, lost) in [
        ("arn:aws:iam::222222222222:root", vec!["arn:aws:iam::222222222222:root"]),
        (role, vec![role]),
        ("arn:aws:iam::222222222222:role/snapferry/copier", vec![]),
    ] {
        let mut earlier = ours(TARGET);
        earlier[0]["Principal"]["AWS"] = json!(named);
        earlier[0].as_object_mut().unwrap().remove("Condition");
        let once = merged(&json!({ "Statement": earlier }).to_string(), TARGET).unwrap();
        assert_eq!(done(&once), [Done::Replaced, Done::Kept], "{named}");
        assert_eq!(once.changes[0].no_longer_named, lost);
    }
}

#[test]
fn what_another_target_account_needs_stays() {
    let first = merged(&format!(r#"{{"Statement":[{GOVERNED}]}}"#), "333333333333").unwrap().document;
    let once = merged(&first, TARGET).unwrap();
    assert_eq!(done(&once), [Done::Added, Done::Added]);
    assert_eq!(once.changes[0].sid, "UseByTheTargetAccount222222222222");
    let found = statements_of(&once.document).unwrap();
    assert!(ours("333333333333").iter().all(|theirs| found.contains(theirs)), "{}", once.document);
    assert_eq!(found.len(), 5);
    for (target, document) in [(TARGET, &once.document), ("333333333333", &once.document)] {
        let again = merged(document, target).unwrap();
        assert_eq!((done(&again), &again.document), (vec![Done::Kept, Done::Kept], document), "{target}");
    }
    // What is outdated is replaced in its place, and the other's still stays.
    let outdated = once.document.replacen("kms:RevokeGrant", "kms:*", 2);
    let repaired = merged(&outdated, TARGET).unwrap();
    assert_eq!(done(&repaired), [Done::Kept, Done::Replaced]);
    assert_eq!(sids(&repaired.document), sids(&once.document));
    // Without the other's, the one with the account behind its Sid is still the one.
    let mut alone: Value = serde_json::from_str(&once.document).unwrap();
    alone["Statement"].as_array_mut().unwrap().drain(1..3);
    assert_eq!(done(&merged(&alone.to_string(), TARGET).unwrap()), [Done::Kept, Done::Kept]);
}

#[test]
fn a_statement_for_several_accounts_is_enough_or_stays() {
    let mut both = ours(TARGET);
    for statement in &mut both {
        statement["Principal"]["AWS"] = json!(["arn:aws:iam::333333333333:root", "arn:aws:iam::222222222222:root"]);
    }
    let document = json!({ "Statement": both }).to_string();
    assert_eq!(done(&merged(&document, TARGET).unwrap()), [Done::Kept, Done::Kept]);
    both[0]["Action"] = json!("kms:Decrypt");
    let document = json!({ "Statement": both }).to_string();
    let once = merged(&document, TARGET).unwrap();
    assert_eq!(done(&once), [Done::Added, Done::Kept]);
    assert!(statements_of(&once.document).unwrap().contains(&both[0]));
}

#[test]
fn what_is_added_reads_as_what_is_printed() {
    let once = merged(r#"{"Statement":[]}"#, TARGET).unwrap().document;
    let places = ["Sid", "Effect", "Principal", "Action", "Resource"].map(|name| once.find(&format!("\"{name}\"")));
    assert!(places.is_sorted() && places[0].is_some(), "{once}");
}

#[test]
fn what_is_no_key_policy_is_refused() {
    let first = &ours(TARGET)[0];
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
        (
            &format!(r#"{{"Statement": [{}]}}"#, GOVERNED.replace("Allow", r#"Deny","Effect":"Allow"#)),
            "\"Effect\" stands there twice",
        ),
        (
            &format!(
                r#"{{"Statement": [{}]}}"#,
                GOVERNED.replace("Enable IAM", "UseByTheTargetAccount").replace("Allow", "Deny")
            ),
            "its statement UseByTheTargetAccount allows nothing",
        ),
    ] {
        let error = merged(document, TARGET).map(|merged| merged.document);
        let text = format!("{:#}", error.expect_err(document));
        assert!(text.contains(why), "{document}: {text}");
    }
}

#[test]
fn both_forms_of_the_answer_are_read() {
    let policy = format!("{{\n  \"Statement\" : [ {GOVERNED} ]\n}}");
    let answer = json!({ "Policy": policy, "PolicyName": "default" });
    // As text with its name behind it, where the answer has one.
    let [text, named] = [format!("{policy}\r\n"), format!("{policy}\tdefault\n")];
    for printed in [policy.clone(), text, named, answer.to_string(), format!("{answer:#}")] {
        assert_eq!(unwrapped(&printed).unwrap(), policy);
    }
    for printed in ["default".to_owned(), format!("{policy} other"), format!("{policy}default default")] {
        assert!(unwrapped(&printed).is_err(), "{printed}");
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
        // Of our two: none, the first as it should be, the first outdated, both for another account.
        let mut statements = others.clone();
        let mut there = match mine {
            0 => vec![],
            1 => ours(TARGET)[..1].to_vec(),
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
        let once = merged(&document, TARGET).unwrap();
        let found = statements_of(&once.document).unwrap();
        let is_ours = |s: &&Value| s["Effect"] == "Allow" && s["Principal"] == ours(TARGET)[0]["Principal"];
        let is_theirs = |s: &&Value| ours("333333333333").contains(s);
        let rest_of = |s: &&Value| !is_ours(s) && !is_theirs(s);
        prop_assert_eq!(found.iter().filter(rest_of).cloned().collect::<Vec<_>>(), others);
        prop_assert_eq!(found.iter().filter(is_theirs).count(), if mine == 3 { 2 } else { 0 });
        prop_assert_eq!(found.iter().filter(is_ours).count(), 2);
        prop_assert_eq!(rest(&once.document), rest(&document));
        let twice = merged(&once.document, TARGET).unwrap();
        prop_assert_eq!(twice.document, once.document);
    }

    #[test]
    fn nothing_makes_it_panic(document in "[\\[\\]{}\",:a-zS ]{0,60}|\\{\"Statement\":.{0,40}\\}") {
        let _ = merged(&document, TARGET);
    }
}
