//! The records of what comes in and is not acted on. What a sender wrote stands in `problem` and `body`, never in the
//! message.

use jiff::Timestamp;

use super::{Event, Record, Source};
use crate::event::{InvalidEvent, OtherEvent};
use crate::ids::Region;
use crate::policy::Warning;

impl InvalidEvent {
    /// The record of an event that cannot be read; `queued` when it came through the queue and is now off it.
    #[must_use]
    pub fn record(&self, queued: bool, now: Timestamp) -> Record {
        let fate = if queued {
            "It was taken off the queue: this record is all that is left of it. If it was a share event, the next sweep \
             copies its snapshot."
        } else {
            "Nothing was done."
        };
        let mut record =
            Record::new(Event::EventInvalid, self.reason, now).message(format!("An input cannot be read. {fate}"));
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
        let mut record = Record::new(Event::CopySkipped, self.reason, now)
            .message("An event that asks for no copy; problem says which.".to_owned());
        record.trigger = Some("event");
        record.trigger_id = Some(self.id.clone());
        record.problem = Some(self.problem.clone());
        record.source = self.snapshot.as_ref().map(|snapshot| Source {
            snapshot: snapshot.to_string(),
            region: home.to_string(),
            ..Source::default()
        });
        record
    }
}

impl Warning {
    /// The record of something remarkable in a policy.
    #[must_use]
    pub fn record(&self, now: Timestamp) -> Record {
        let mut record =
            Record::new(Event::PolicyWarning, self.code, now).message(format!("{}: {}", self.path, self.message));
        record.policy = Some(self.policy.to_string());
        record
    }
}
