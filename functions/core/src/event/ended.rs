//! A copy that ended.

use serde_json::Value;

use super::region::region_of;
use crate::audit::EventInvalid;
use crate::ids::{Region, SnapshotId};

/// A copySnapshot event (EBS User Guide, "EventBridge events for Amazon EBS"). How the copy ended, and what it is a copy of,
/// is asked from EC2: all that the event is good for is to ask at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyEvent {
    /// EventBridge's ID of the event.
    pub id: String,
    /// The copy.
    pub copy: SnapshotId,
    /// The Region that it is in.
    pub region: Region,
}

/// What names the copy also names its Region, sooner than the envelope, in which a bus that sends an event on may write its own.
pub(super) fn copy_event(
    id: String,
    named: Option<(SnapshotId, &str)>,
    of: Option<Region>,
) -> Result<CopyEvent, (EventInvalid, String)> {
    let Some((copy, arn)) = named else {
        let problem = "neither detail.snapshot_id nor resources names the copy";
        return Err((EventInvalid::NoSnapshot, problem.to_owned()));
    };
    let Some(region) = region_of(&Value::Null, Some(arn)).or(of) else {
        return Err((EventInvalid::NotAnEvent, format!("nothing names the Region of the copy {copy}")));
    };
    Ok(CopyEvent { id, copy, region })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::event::{InvalidEvent, Message, parse};

    /// As the event was seen on AWS.
    fn copied() -> Value {
        json!({"version": "0", "id": "01234567-01234-0123-0123-012345678901",
            "detail-type": "EBS Snapshot Notification", "source": "aws.ec2",
            "account": "222222222222", "time": "2026-11-22T03:00:00Z", "region": "eu-west-1",
            "resources": ["arn:aws:ec2::eu-west-1:snapshot/snap-01234567"],
            "detail": {"event": "copySnapshot", "result": "succeeded", "cause": "", "request-id": "",
                "snapshot_id": "arn:aws:ec2::eu-west-1:snapshot/snap-01234567",
                "source": "arn:aws:ec2::us-east-1:snapshot/snap-76543210",
                "startTime": "2026-11-22T03:00:00Z", "endTime": "2026-11-22T03:00:00Z",
                "incremental": "true", "transferType": "standard"}})
    }

    fn read(event: &Value) -> Result<CopyEvent, InvalidEvent> {
        match parse(&event.to_string())? {
            Message::Copy(event) => Ok(event),
            message => panic!("{message:?}"),
        }
    }

    #[test]
    fn the_copy_and_its_region_are_read_and_nothing_else_is_believed() {
        let wanted = read(&copied()).unwrap();
        assert_eq!((wanted.copy.as_str(), wanted.region.as_str()), ("snap-01234567", "eu-west-1"));
        assert_eq!(wanted.id, "01234567-01234-0123-0123-012345678901");
        for member in ["result", "cause", "source", "startTime", "endTime", "incremental", "transferType", "request-id"]
        {
            for said in [json!("failed"), json!(7), json!(null), json!([{}])] {
                let mut event = copied();
                event["detail"][member] = said;
                assert_eq!(read(&event).as_ref(), Ok(&wanted), "{member}");
            }
        }
        // A bus on the way may call the event its own.
        let mut event = copied();
        event["region"] = json!("us-east-1");
        assert_eq!(read(&event).as_ref(), Ok(&wanted));
        for arn in ["arn:aws:ec2:eu-west-1::snapshot/snap-01234567", "arn:aws:ec2:eu-west-1:2:snapshot/snap-01234567"] {
            event["detail"]["snapshot_id"] = json!(arn);
            assert_eq!(read(&event).as_ref(), Ok(&wanted), "{arn}");
        }
        // An ID alone leaves the word to the envelope.
        event["detail"]["snapshot_id"] = json!("snap-01234567");
        assert_eq!(read(&event).unwrap().region.as_str(), "us-east-1");
    }

    #[test]
    fn what_names_no_copy_or_no_region_is_refused() {
        let mut event = copied();
        event["detail"]["snapshot_id"] = json!("../snap-1; rm");
        event["resources"] = json!(["arn:aws:ec2::eu-west-1:volume/vol-01234567"]);
        assert_eq!(read(&event).unwrap_err().reason, EventInvalid::NoSnapshot);
        let mut event = copied();
        event["detail"]["snapshot_id"] = json!("snap-01234567");
        event["region"] = json!("everywhere");
        assert_eq!(read(&event).unwrap_err().reason, EventInvalid::NotAnEvent);
    }
}
