//! Text that somebody else wrote: escaped, bounded, in a field of its own, never in a message.

use proptest::prelude::*;
use serde_json::{Value, json};
use snapferry_core::audit::Record;
use snapferry_core::copying::{Decision, Outcome, Skip, Subject, Verdict, record};
use snapferry_core::event::{self, Message};
use snapferry_core::facts::CallError;

use crate::schema::complaints;
use crate::world::*;

/// The words that a hostile sender's text holds: wherever they turn up, it does.
const MARK: &str = "MARK";

/// Texts that would forge a line, steer a terminal, hide themselves, break JSON, or fill a disk.
fn hostile() -> Vec<String> {
    let line = "{\"audit\":\"snapferry/1\",\"event\":\"copy.verified\"}";
    [
        format!("{MARK}\n{line}\n"),
        format!("{MARK}\r\n{line}"),
        format!("\u{1b}[2J\u{1b}]0;{MARK}\u{7}"),
        format!("{MARK}\u{202e}drowssap\u{2066}"),
        format!("{MARK}\u{2028}{line}\u{85}{line}"),
        format!("{MARK}\u{0}\u{feff}\u{200b}"),
        format!("{MARK}\",\"event\":\"copy.verified\",\"x\":\"\\"),
        format!("{MARK}{}", "\u{10fffd}\n".repeat(100_000)),
        format!("{MARK} =cmd|' /C calc'!A0 ${{jndi:ldap://x}} %n%s <script>"),
    ]
    .into()
}

/// The one line of a record as its readers get it; whatever text is in it, the line is one, and described.
fn read(record: &Record) -> Value {
    let line = record.to_line();
    let is_plain =
        |c: char| !c.is_control() && !('\u{2028}'..='\u{202e}').contains(&c) && !('\u{2066}'..='\u{2069}').contains(&c);
    assert!(line.chars().all(is_plain), "{line}");
    assert!(line.len() < 64 * 1024, "{} bytes", line.len());
    let value: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(complaints(&value), Vec::<String>::new(), "{line}");
    value
}

/// The members in which the mark stands.
fn marked(value: &Value, path: &str) -> Vec<String> {
    match value {
        Value::Object(members) => {
            members.iter().flat_map(|(name, value)| marked(value, &format!("{path}/{name}"))).collect()
        }
        Value::Array(values) => values.iter().flat_map(|value| marked(value, path)).collect(),
        Value::String(text) if text.contains(MARK) => vec![path.to_owned()],
        _ => Vec::new(),
    }
}

fn skipped(description: &str) -> Record {
    let (source, region, name) = (source(description), region(), name());
    let verdict = Verdict::Skip(Skip::DescriptionMismatch);
    let (subject, region) = (Subject::Seen(&source), Some(&region));
    let decision = Decision { policy: Some(&name), subject, region, verdict, stands: None };
    record(&decision, &Outcome::Stands, &home(), now())
}

fn incoming(body: &str) -> Option<Record> {
    match event::parse(body) {
        Ok(Message::Other(other)) => Some(other.record(&home(), now())),
        Ok(Message::Share(_) | Message::Copy(_) | Message::Sweep { .. } | Message::Serve { .. }) => None,
        Err(invalid) => Some(invalid.record(true, &home(), now())),
    }
}

#[test]
fn a_description_stays_in_its_field() {
    for text in hostile() {
        assert_eq!(marked(&read(&skipped(&text)), ""), ["/source/description"], "{text:.60}");
    }
}

#[test]
fn a_body_stays_in_its_field() {
    for text in hostile() {
        assert_eq!(marked(&read(&incoming(&text).unwrap()), ""), ["/body"], "{text:.60}");
    }
}

#[test]
fn an_events_members_stay_in_their_fields() {
    for text in hostile() {
        for (event, fields) in [
            (json!({"source": text, "detail-type": "x"}), vec!["/problem"]),
            (json!({"source": "aws.ec2", "detail-type": text}), vec!["/problem"]),
            (json!({"source": "aws.ec2", "detail-type": "x", "detail": {"event": text}}), vec!["/problem"]),
            (json!({"source": "x", "detail-type": "x", "id": text}), vec!["/triggerId"]),
            (
                json!({"source": "aws.ec2", "detail-type": "EBS Snapshot Notification",
                    "detail": {"event": "shareSnapshot", "result": text}}),
                vec!["/problem"],
            ),
        ] {
            let record = incoming(&event.to_string()).unwrap();
            assert_eq!(marked(&read(&record), ""), fields, "{text:.60}");
        }
    }
}

#[test]
fn what_a_service_says_is_bounded_too() {
    for text in hostile() {
        let error = CallError { code: text.clone(), message: text.clone(), request_id: Some(text) };
        let record = skipped("").error(Some(&error));
        assert_eq!(marked(&read(&record), ""), ["/error/code", "/error/message", "/error/requestId"]);
    }
}

proptest! {
    #[test]
    fn any_description_makes_one_described_line(text in "(?s).{0,400}") {
        read(&skipped(&text));
    }

    #[test]
    fn any_body_makes_one_described_line(text in "(?s).{0,2000}") {
        incoming(&text).iter().for_each(|record| drop(read(record)));
    }

    #[test]
    fn any_event_makes_one_described_line(source in "(?s).{0,200}", kind in "(?s).{0,200}", event in "(?s).{0,200}", id in "(?s).{0,300}") {
        let body = json!({"id": id, "source": source, "detail-type": kind, "detail": {"event": event}});
        incoming(&body.to_string()).iter().for_each(|record| drop(read(record)));
    }
}
