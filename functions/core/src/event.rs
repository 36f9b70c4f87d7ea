//! What comes in: EBS's events of shares and of copies that ended, and ticks. They are read leniently, because a refused event
//! is a missed backup, and believed in nothing but the snapshot's ID and Region, because anybody may have written them: what else an
//! event claims can exclude, never include.

mod body;
mod ended;
mod region;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use self::body::Body;
pub use self::body::Oddity;
pub use self::ended::CopyEvent;
use self::region::region_of;
use crate::audit::{CopySkipped, EventInvalid, Record, Source};
use crate::ids::{AccountId, Region, SnapshotId};
use crate::text::printable;

/// How much of an unreadable body its audit record keeps, in characters.
pub const BODY_LIMIT: usize = 1024;

/// One thing to do, or to leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// A snapshot was shared with this account.
    Share(ShareEvent),
    /// A copy of this account's ended, well or not.
    Copy(CopyEvent),
    /// `{"sweep": id}`: look at everything.
    Sweep {
        /// The tick's ID, any text.
        id: String,
    },
    /// `{"serve": id}`: take from the line what fits.
    Serve {
        /// The tick's ID, any text.
        id: String,
    },
    /// A readable event that asks for nothing.
    Other(OtherEvent),
}

/// A shareSnapshot event (EBS User Guide, "EventBridge events for Amazon EBS").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShareEvent {
    /// EventBridge's ID of the event.
    pub id: String,
    /// The snapshot. All else is asked from EC2.
    pub snapshot: SnapshotId,
    /// The Region that the event, or else its snapshot's ARN, claims to be of; none where neither names one that can be read.
    pub region: Option<Region>,
    /// When EventBridge took it, if it says so; see [`wanted_at`](Self::wanted_at).
    pub time: Option<Timestamp>,
    /// The account that the event claims to share the snapshot; none where it names none that can be read.
    pub claimed_owner: Option<AccountId>,
    /// In what it differed from an event as EventBridge delivers it.
    pub oddities: Vec<Oddity>,
}

impl ShareEvent {
    /// An event that names a snapshot and claims nothing.
    #[must_use]
    pub fn naming(id: impl Into<String>, snapshot: SnapshotId) -> Self {
        Self { id: id.into(), snapshot, region: None, time: None, claimed_owner: None, oddities: Vec::new() }
    }

    /// Since when its snapshot is wanted: the event's time. One in the future, or none, counts as `now`.
    #[must_use]
    pub fn wanted_at(&self, now: Timestamp) -> Timestamp {
        self.time.map_or(now, |time| time.min(now))
    }
}

/// An event that Snapferry does not act on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherEvent {
    /// EventBridge's ID of the event.
    pub id: String,
    /// The snapshot it is about, if it names one.
    pub snapshot: Option<SnapshotId>,
    /// The Region that it claims to be of, if it names one.
    pub region: Option<Region>,
    /// Why it asks for no copy.
    pub reason: CopySkipped,
    /// Which event it is, in words that quote it, escaped and bounded.
    pub problem: String,
}

/// An event that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct InvalidEvent {
    /// Why it cannot be read.
    pub reason: EventInvalid,
    /// What is wrong, in words.
    pub problem: String,
    /// The Region that it claims to be of, if that much can be read.
    pub region: Option<Region>,
    /// The body, escaped and cut to [`BODY_LIMIT`] characters.
    pub body: String,
}

/// Reads one SQS message's body: an event or a tick, also within what SNS or another bus puts around it.
///
/// # Errors
/// [`InvalidEvent`] when it is neither an EventBridge event nor a tick.
pub fn parse(body: &str) -> Result<Message, InvalidEvent> {
    understood(Body::of_text(body), || body.to_owned())
}

/// Reads an event that came as the function's input itself.
///
/// # Errors
/// [`InvalidEvent`] when it is neither an EventBridge event nor a tick.
pub fn parse_input(value: &Value) -> Result<Message, InvalidEvent> {
    understood(Body::of_value(value.clone()), || value.to_string())
}

fn understood(read: Result<Body, serde_json::Error>, body: impl Fn() -> String) -> Result<Message, InvalidEvent> {
    let invalid = |reason, problem, region| {
        let body = printable(&body(), BODY_LIMIT);
        InvalidEvent { reason, problem, region, body }
    };
    let Body { value, oddities } =
        read.map_err(|error| invalid(EventInvalid::NotJson, format!("the body is not JSON: {error}"), None))?;
    match parse_value(&value) {
        Ok(Message::Share(share)) => Ok(Message::Share(ShareEvent { oddities, ..share })),
        Ok(message) => Ok(message),
        Err((reason, problem)) => Err(invalid(reason, problem, region_of(&value, None))),
    }
}

/// The members that matter.
#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    id: Value,
    #[serde(default)]
    source: Value,
    #[serde(default, rename = "detail-type")]
    detail_type: Value,
    #[serde(default)]
    time: Value,
    #[serde(default)]
    resources: Value,
    #[serde(default)]
    detail: Value,
}

fn parse_value(value: &Value) -> Result<Message, (EventInvalid, String)> {
    let object = value.as_object().ok_or((EventInvalid::NotAnEvent, "the body is not a JSON object".to_owned()))?;
    if let Some(id) = object.get("sweep") {
        return Ok(Message::Sweep { id: tick(id) });
    }
    if let Some(id) = object.get("serve") {
        return Ok(Message::Serve { id: tick(id) });
    }
    let envelope: Envelope =
        serde_json::from_value(value.clone()).map_err(|error| (EventInvalid::NotAnEvent, error.to_string()))?;
    let id = envelope.id.as_str().map_or_else(String::new, |id| printable(id, 128));
    let named = snapshot_named(&envelope);
    let region = region_of(value, named.as_ref().map(|(_, arn)| *arn));
    let snapshot = named.map(|(snapshot, _)| snapshot);
    let (Some(source), Some(detail_type)) = (envelope.source.as_str(), envelope.detail_type.as_str()) else {
        return Err((EventInvalid::NotAnEvent, "an EventBridge event has a source and a detail-type".to_owned()));
    };
    let other = |reason, problem| {
        let (id, snapshot, region) = (id.clone(), snapshot.clone(), region.clone());
        Ok(Message::Other(OtherEvent { id, snapshot, region, reason, problem }))
    };
    let event = envelope.detail.get("event").and_then(Value::as_str).unwrap_or_default();
    let is_of_ebs = source == "aws.ec2" && detail_type == "EBS Snapshot Notification";
    if is_of_ebs && event == "copySnapshot" {
        return ended::copy_event(id, snapshot_named(&envelope), region).map(Message::Copy);
    }
    if !is_of_ebs || event != "shareSnapshot" {
        let (source, detail_type, event) = (printable(source, 64), printable(detail_type, 64), printable(event, 64));
        return other(
            CopySkipped::OtherEvent,
            format!("event {event:?} ({detail_type:?} from {source:?}) asks for no copy"),
        );
    }
    match envelope.detail.get("result").and_then(Value::as_str) {
        Some("succeeded") => {}
        result => {
            let result = printable(result.unwrap_or("nothing"), 64);
            return other(
                CopySkipped::NotSucceeded,
                format!("the share event's result is {result:?}, not \"succeeded\""),
            );
        }
    }
    let Some(snapshot) = snapshot else {
        return Err((EventInvalid::NoSnapshot, "neither detail.snapshot_id nor resources names a snapshot".to_owned()));
    };
    let time = envelope.time.as_str().and_then(|time| time.parse().ok());
    let claimed_owner = envelope.detail.get("source").and_then(owner_claimed);
    Ok(Message::Share(ShareEvent { region, time, claimed_owner, ..ShareEvent::naming(id, snapshot) }))
}

fn tick(id: &Value) -> String {
    let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
    printable(&id, 128)
}

/// `detail.source` names the owner as twelve digits, or in an ARN; as a number it has lost its leading zeros.
fn owner_claimed(source: &Value) -> Option<AccountId> {
    match source {
        Value::String(text) if text.starts_with("arn:") => AccountId::of_arn(text),
        Value::String(text) => AccountId::parse(text).ok(),
        Value::Number(number) => AccountId::parse(&format!("{:012}", number.as_u64()?)).ok(),
        _ => None,
    }
}

/// The snapshot, and the ARN that names it. The ID is what follows the last `/`, in every ARN layout that AWS has used.
fn snapshot_named(envelope: &Envelope) -> Option<(SnapshotId, &str)> {
    let detail = ["snapshot_id", "snapshotId"].into_iter().filter_map(|member| envelope.detail.get(member));
    let resources = envelope.resources.as_array().into_iter().flatten();
    detail.chain(resources).filter_map(Value::as_str).find_map(|arn| {
        let snapshot = SnapshotId::parse(arn.rsplit('/').next().unwrap_or(arn)).ok()?;
        Some((snapshot, arn))
    })
}

impl InvalidEvent {
    /// The record of an event that cannot be read, received in `home`; `queued` when it came through the queue and is now off
    /// it. One of another Region asks for nothing here, whatever else it says.
    #[must_use]
    pub fn record(&self, queued: bool, home: &Region, now: Timestamp) -> Record {
        let mut record = match &self.region {
            Some(of) if of != home => other_region(of, home, now),
            _ => {
                let fate = if queued {
                    "It was taken off the queue: this record is all that is left of it. If it was a share event, the next \
                     sweep copies its snapshot."
                } else {
                    "Nothing was done."
                };
                Record::new(self.reason, now).message(format!("An input cannot be read. {fate}"))
            }
        };
        record.trigger = Some("event");
        record.problem = Some(self.problem.clone());
        record.body = Some(self.body.clone());
        record
    }
}

impl OtherEvent {
    /// The record of an event that asks for no copy, received in `home`.
    #[must_use]
    pub fn record(&self, home: &Region, now: Timestamp) -> Record {
        let region = self.region.as_ref().unwrap_or(home);
        let mut record = if region == home {
            Record::new(self.reason, now).message("An event that asks for no copy; problem says which.".to_owned())
        } else {
            other_region(region, home, now)
        };
        record.trigger = Some("event");
        record.trigger_id = Some(self.id.clone());
        record.problem = Some(self.problem.clone());
        record.source = self.snapshot.as_ref().map(|snapshot| Source {
            snapshot: snapshot.to_string(),
            region: region.to_string(),
            ..Source::default()
        });
        record
    }
}

fn other_region(of: &Region, home: &Region, now: Timestamp) -> Record {
    Record::new(CopySkipped::OtherRegion, now).message(of_other_region(of, home))
}

/// Why an event of another Region than the home asks for nothing.
pub(crate) fn of_other_region(of: &Region, home: &Region) -> String {
    format!("The event is of {of}. This stack copies what is shared in {home}.")
}
