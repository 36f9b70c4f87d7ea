//! What the function was called for: a look at all that waits, or at the copies whose end was told of.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use snapferry_core::event::{self, CopyEvent, Message};
use snapferry_core::ids::{Region, SnapshotId};

/// The input, sorted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Input {
    /// Look at everything. The scheduled run's ID, if it has one.
    All(Option<String>),
    /// Look at the copies that these events name and at no others; at none if there are none.
    Named(Vec<CopyEvent>),
}

/// The copies that events name, by Region.
pub(crate) fn by_region(events: &[CopyEvent]) -> BTreeMap<Region, Vec<SnapshotId>> {
    let mut copies: BTreeMap<Region, Vec<SnapshotId>> = BTreeMap::new();
    for event in events {
        copies.entry(event.region.clone()).or_default().push(event.copy.clone());
    }
    copies
}

/// Sorts the function's input. Whoever starts the function himself means all, whatever he says; of a queue's messages a schedule's
/// `{"run": id}` does, and includes what the others ask for. In Regions that are not among `regions` there is nothing to look at.
pub(crate) fn sort(input: &Value, regions: &BTreeSet<Region>) -> Input {
    let is_looked_at = |ended: &CopyEvent| regions.contains(&ended.region);
    let Some(messages) = input.get("Records").and_then(Value::as_array) else {
        return match event::parse_input(input) {
            Ok(Message::Copy(ended)) => Input::Named(Some(ended).into_iter().filter(is_looked_at).collect()),
            _ => Input::All(run(input)),
        };
    };
    let bodies = || messages.iter().filter_map(|message| message.get("body").and_then(Value::as_str));
    let mut ticks = bodies().filter_map(|body| serde_json::from_str(body).ok());
    if let Some(tick) = ticks.find(|body: &Value| body.get("run").is_some()) {
        return Input::All(run(&tick));
    }
    Input::Named(bodies().filter_map(ended).filter(is_looked_at).collect())
}

fn run(tick: &Value) -> Option<String> {
    tick.get("run").and_then(Value::as_str).map(str::to_owned)
}

/// What names no copy is left: the next run looks at all.
fn ended(body: &str) -> Option<CopyEvent> {
    match event::parse(body) {
        Ok(Message::Copy(ended)) => Some(ended),
        Ok(message) => {
            tracing::warn!(?message, "a message that names no copy that ended");
            None
        }
        Err(invalid) => {
            tracing::warn!(invalid.problem, "a message that cannot be read");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const AWAY: &str = "eu-west-1";

    fn copied(copy: &str, region: &str) -> Value {
        json!({"id": "e", "source": "aws.ec2", "detail-type": "EBS Snapshot Notification",
            "detail": {"event": "copySnapshot", "snapshot_id": format!("arn:aws:ec2::{region}:snapshot/{copy}")}})
    }

    fn batch(bodies: &[String]) -> Value {
        let messages: Vec<Value> = bodies.iter().map(|body| json!({"messageId": "m", "body": body})).collect();
        json!({"Records": messages})
    }

    fn sorted(input: &Value) -> Input {
        sort(input, &[Region::parse(AWAY).unwrap()].into())
    }

    fn these(copies: &[&str]) -> Input {
        let region = Region::parse(AWAY).unwrap();
        let event = |id| CopyEvent { id: "e".to_owned(), copy: SnapshotId::parse(id).unwrap(), region: region.clone() };
        Input::Named(copies.iter().map(|id| event(*id)).collect())
    }

    #[test]
    fn whoever_starts_it_himself_means_all() {
        assert_eq!(sorted(&json!({"run": "r-1"})), Input::All(Some("r-1".to_owned())));
        for input in [json!({}), json!({"run": 7}), json!({"Records": "none"}), json!([]), json!("x"), json!(null)] {
            assert_eq!(sorted(&input), Input::All(None), "{input}");
        }
        assert_eq!(sorted(&copied("snap-00000001", AWAY)), these(&["snap-00000001"]));
        assert_eq!(sorted(&copied("snap-00000001", "sa-east-1")), these(&[]));
    }

    #[test]
    fn events_name_copies_in_the_regions_that_are_looked_at() {
        let bodies = [
            copied("snap-00000001", AWAY).to_string(),
            copied("snap-00000002", "sa-east-1").to_string(),
            copied("snap-00000003", AWAY).to_string(),
            copied("snap-00000001", AWAY).to_string(),
        ];
        assert_eq!(sorted(&batch(&bodies)), these(&["snap-00000001", "snap-00000003", "snap-00000001"]));
    }

    #[test]
    fn a_tick_among_events_means_all() {
        let bodies = [copied("snap-00000001", AWAY).to_string(), json!({"run": "r-2"}).to_string()];
        assert_eq!(sorted(&batch(&bodies)), Input::All(Some("r-2".to_owned())));
    }

    #[test]
    fn what_names_no_copy_makes_it_look_at_nothing() {
        let share = copied("snap-00000001", AWAY).to_string().replace("copySnapshot", "shareSnapshot");
        for body in ["garbage", "{}", "[]", "7", "null", r#"{"sweep": "s"}"#, r#"{"Records": []}"#, share.as_str()] {
            assert_eq!(sorted(&batch(&[body.to_owned()])), these(&[]), "{body}");
        }
        assert_eq!(sorted(&json!({"Records": [1, {}, {"body": 7}, {"body": null}]})), these(&[]));
        assert_eq!(sorted(&json!({"Records": []})), these(&[]));
    }
}
