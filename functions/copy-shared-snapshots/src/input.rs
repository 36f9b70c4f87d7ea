//! What the function was called with: an SQS batch, or one event or tick by itself.

use serde_json::Value;
use snapferry_core::event::{self, InvalidEvent, Message, OtherEvent, ShareEvent};

/// The input, sorted.
#[derive(Debug, Default)]
pub(crate) struct Work {
    /// The IDs of the sweep ticks; several of them are one sweep.
    pub(crate) ticks: Vec<String>,
    /// The share events, at most one for each snapshot.
    pub(crate) shares: Vec<ShareEvent>,
    /// Readable events that ask for nothing.
    pub(crate) others: Vec<OtherEvent>,
    /// What cannot be read.
    pub(crate) invalid: Vec<InvalidEvent>,
    /// Whether it came through the queue, where a record in the audit is an unreadable message's grave.
    pub(crate) batch: bool,
}

/// Sorts the function's input.
pub(crate) fn sort(input: &Value) -> Work {
    let mut work = Work::default();
    let Some(records) = input.get("Records").and_then(Value::as_array) else {
        work.add(event::parse_input(input));
        return work;
    };
    work.batch = true;
    for record in records {
        // What does not have the form of SQS's messages is kept as an unreadable body.
        match record.get("body").and_then(Value::as_str) {
            Some(body) => work.add(event::parse(body)),
            None => work.add(event::parse(&record.to_string())),
        }
    }
    work
}

impl Work {
    fn add(&mut self, message: Result<Message, InvalidEvent>) {
        match message {
            Ok(Message::Sweep { id }) => self.ticks.push(id),
            Ok(Message::Share(share)) if self.shares.iter().any(|known| known.snapshot == share.snapshot) => {}
            Ok(Message::Share(share)) => self.shares.push(share),
            Ok(Message::Other(other)) => self.others.push(other),
            Err(invalid) => self.invalid.push(invalid),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn share(snapshot: &str) -> String {
        json!({"id": "e", "source": "aws.ec2", "detail-type": "EBS Snapshot Notification",
            "detail": {"event": "shareSnapshot", "result": "succeeded", "snapshot_id": snapshot}})
        .to_string()
    }

    #[test]
    fn a_batch_is_sorted_and_a_redelivered_event_counts_once() {
        let bodies =
            [share("snap-00000001"), share("snap-00000001"), "garbage".to_owned(), json!({"sweep": "t"}).to_string()];
        let records: Vec<Value> = bodies.iter().map(|body| json!({"messageId": "m", "body": body})).collect();
        let work = sort(&json!({"Records": records}));
        assert!(work.batch);
        assert_eq!((work.shares.len(), work.ticks.len(), work.invalid.len()), (1, 1, 1));
    }

    #[test]
    fn records_that_are_not_messages_are_invalid_not_lost() {
        for records in [json!([1, {}, {"body": 7}]), json!([{"body": null}])] {
            let count = records.as_array().unwrap().len();
            assert_eq!(sort(&json!({"Records": records})).invalid.len(), count);
        }
    }

    #[test]
    fn a_bare_event_or_tick_is_no_batch() {
        let event: Value = serde_json::from_str(&share("snap-00000001")).unwrap();
        assert!(matches!(sort(&event), Work { batch: false, shares, .. } if shares.len() == 1));
        assert!(matches!(sort(&json!({"sweep": "t"})), Work { batch: false, ticks, .. } if ticks == ["t"]));
        assert!(matches!(sort(&json!("x")), Work { batch: false, invalid, .. } if invalid.len() == 1));
    }
}
