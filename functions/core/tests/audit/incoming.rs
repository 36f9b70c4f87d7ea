//! Everything that comes in and is not acted on, and all that the policy's reader warns of.

use serde_json::{Value, json};
use snapferry_core::audit::Record;
use snapferry_core::event::{self, Message};
use snapferry_core::policy;

use crate::world::*;

pub(crate) fn records() -> Vec<Record> {
    let notification = |event: &str, result: &str| {
        let detail = json!({"event": event, "result": result, "snapshot_id": "snap-00000001"});
        json!({"id": "e-1", "source": "aws.ec2", "detail-type": "EBS Snapshot Notification", "detail": detail})
            .to_string()
    };
    // Written out: the order of members in a `Value` depends on which crates are built along.
    let no_snapshot = r#"{"detail":{"event":"shareSnapshot","result":"succeeded"},"detail-type":"EBS Snapshot Notification","id":"e-2","source":"aws.ec2"}"#;
    let bodies = [
        "garbage".to_owned(),
        "[]".to_owned(),
        no_snapshot.to_owned(),
        notification("createSnapshot", "succeeded"),
        notification("shareSnapshot", "failed"),
        r#"{"id": "e-3", "source": "aws.ec2", "detail-type": "EBS Snapshot Notification", "region": "sa-east-1"}"#
            .to_owned(),
    ];
    let read = bodies.iter().map(|body| match event::parse(body) {
        Ok(Message::Other(other)) => other.record(&home(), now()),
        Err(invalid) => invalid.record(true, &home(), now()),
        Ok(message) => panic!("{message:?}"),
    });
    read.chain(warnings()).collect()
}

/// A document with everything that is accepted and deserves a look; the test of the whole table tells when one is added.
fn warnings() -> Vec<Record> {
    let mut odd = document();
    let details = &mut odd["Policy"]["PolicyDetails"];
    details["EventSource"]["Parameters"]["SnapshotOwner"] = json!([]);
    details["EventSource"]["Parameters"]["DescriptionRegex"] = json!("");
    let target = &mut details["Actions"][0]["CrossRegionCopy"][0];
    target["Target"] = json!("eu-central-9");
    target["EncryptionConfiguration"] = json!({"Encrypted": false});
    target["RetainRule"]["KeepAtLeast"] = json!(0);
    odd["Policy"]["State"] = json!("ERROR");
    let mut empty = document();
    let details = &mut empty["Policy"]["PolicyDetails"];
    details["EventSource"]["Parameters"].as_object_mut().unwrap().remove("DescriptionRegex");
    details["Actions"][0]["CrossRegionCopy"] = json!([]);
    let mut of_source = document();
    let configuration =
        &mut of_source["Policy"]["PolicyDetails"]["Actions"][0]["CrossRegionCopy"][0]["EncryptionConfiguration"];
    configuration["CmkArn"] = json!(KEY.replace(OURS, SOURCE));
    let warned = |document: &Value| policy::parse(&document.to_string()).unwrap().warnings;
    [warned(&odd), warned(&empty), warned(&of_source)].concat().iter().map(|warning| warning.record(now())).collect()
}
