//! What the function was called with: an SQS batch, or one event or tick by itself.

use serde_json::Value;
use snapferry_core::event::{self, InvalidEvent, Message, OtherEvent};
use snapferry_flow::Work;

/// The input, sorted.
#[derive(Debug, Default)]
pub(crate) struct Input {
    /// What there is to do: the share events, at most one for each snapshot, the ends of copies, and the ticks.
    pub(crate) work: Work,
    /// The IDs of the messages that hold share events, for putting them back.
    pub(crate) shares: Vec<String>,
    /// Readable events that ask for nothing.
    pub(crate) others: Vec<OtherEvent>,
    /// What cannot be read.
    pub(crate) invalid: Vec<InvalidEvent>,
    /// Whether it came through the queue, where a record in the audit is an unreadable message's grave.
    pub(crate) batch: bool,
}

/// Sorts the function's input.
pub(crate) fn sort(input: &Value) -> Input {
    let mut sorted = Input::default();
    let Some(records) = input.get("Records").and_then(Value::as_array) else {
        sorted.add(event::parse_input(input), None);
        return sorted;
    };
    sorted.batch = true;
    for record in records {
        let message = record.get("messageId").and_then(Value::as_str).filter(|id| !id.is_empty());
        // What does not have the form of SQS's messages is kept as an unreadable body.
        match record.get("body").and_then(Value::as_str) {
            Some(body) => sorted.add(event::parse(body), message),
            None => sorted.add(event::parse(&record.to_string()), message),
        }
    }
    sorted
}

impl Input {
    fn add(&mut self, read: Result<Message, InvalidEvent>, message: Option<&str>) {
        match read {
            Ok(Message::Sweep { id }) => self.work.sweeps.push(id),
            Ok(Message::Serve { id }) => self.work.serves.push(id),
            Ok(Message::Copy(ended)) => self.work.ended.push(ended),
            Ok(Message::Share(share)) => {
                self.shares.extend(message.map(str::to_owned));
                if self.work.events.iter().all(|known| known.snapshot != share.snapshot) {
                    self.work.events.push(share);
                }
            }
            Ok(Message::Other(other)) => self.others.push(other),
            Err(invalid) => self.invalid.push(invalid),
        }
    }

    /// Whether there is anything to do but to tell of what came in.
    pub(crate) fn has_work(&self) -> bool {
        let Work { events, ended, sweeps, serves } = &self.work;
        !(events.is_empty() && ended.is_empty() && sweeps.is_empty() && serves.is_empty())
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
        let bodies = [
            share("snap-00000001"),
            json!({"serve": "s"}).to_string(),
            share("snap-00000001"),
            "garbage".to_owned(),
            json!({"sweep": "t"}).to_string(),
        ];
        let records: Vec<Value> =
            (0..).zip(&bodies).map(|(id, body)| json!({"messageId": format!("m{id}"), "body": body})).collect();
        let sorted = sort(&json!({"Records": records}));
        assert!(sorted.batch && sorted.has_work());
        assert_eq!((sorted.work.events.len(), sorted.invalid.len()), (1, 1));
        assert_eq!((sorted.work.sweeps, sorted.work.serves), (vec!["t".to_owned()], vec!["s".to_owned()]));
        assert_eq!(sorted.shares, ["m0", "m2"], "both go back, if one does");
    }

    #[test]
    fn a_copy_that_ended_is_work_and_never_goes_back_to_the_queue() {
        let ended = share("arn:aws:ec2::eu-west-1:snapshot/snap-00000002").replace("shareSnapshot", "copySnapshot");
        let sorted = sort(&json!({"Records": [{"messageId": "m1", "body": ended}]}));
        assert!(sorted.has_work() && sorted.shares.is_empty() && sorted.invalid.is_empty());
        let [ended] = sorted.work.ended.as_slice() else { panic!("{sorted:?}") };
        assert_eq!((ended.copy.as_str(), ended.region.as_str()), ("snap-00000002", "eu-west-1"));
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
        assert!(matches!(sort(&event), Input { batch: false, work, .. } if work.events.len() == 1));
        assert!(matches!(sort(&json!({"sweep": "t"})), Input { batch: false, work, .. } if work.sweeps == ["t"]));
        assert!(matches!(sort(&json!({"serve": "t"})), Input { batch: false, work, .. } if work.serves == ["t"]));
        let nothing = sort(&json!("x"));
        assert!(!nothing.batch && !nothing.has_work() && nothing.invalid.len() == 1);
    }
}
