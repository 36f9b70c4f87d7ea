//! CloudFormation templates.

use serde_json::{Map, Value, json};

use crate::recovery::restore::{LONGEST, Restore};

/// The most resources in one template (CloudFormation User Guide, "Quotas").
pub const MAX_RESOURCES: usize = 500;
/// The longest template that is made, in bytes; CloudFormation takes 1 MB, from S3 (the same).
pub const MAX_BYTES: usize = 900_000;

/// The templates that make all the volumes, as many as they take. Zone, type and key are parameters. The volumes outlive their stack:
/// to delete one is a decision of its own.
#[must_use]
pub fn templates(restores: &[Restore<'_>]) -> Vec<Value> {
    let mut parts: Vec<Map<String, Value>> = vec![Map::new()];
    let mut bytes = 0;
    for restore in restores {
        let (name, resource) = (name(restore), resource(restore));
        let size = resource.to_string().len() + name.len();
        let is_full = |part: &Map<String, Value>| part.len() >= MAX_RESOURCES || bytes + size > MAX_BYTES;
        if parts.last().is_none_or(is_full) {
            parts.push(Map::new());
            bytes = 0;
        }
        bytes += size;
        if let Some(part) = parts.last_mut() {
            part.insert(name, resource);
        }
    }
    let of = parts.len();
    (1..).zip(parts).map(|(number, resources)| template(resources, number, of)).collect()
}

fn template(resources: Map<String, Value>, number: usize, of: usize) -> Value {
    json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": format!("Volumes restored from Snapferry's copies, part {number} of {of}"),
        "Parameters": {
            "Zone": {"Type": "AWS::EC2::AvailabilityZone::Name", "Description": "Where the volumes are made"},
            "VolumeType": {"Type": "String", "Default": "gp3", "AllowedValues": ["gp3", "gp2", "st1", "sc1"]},
            "KmsKeyId": {
                "Type": "String",
                "Default": "",
                "Description": "The key that encrypts the volumes; without one EC2 chooses: the copy's own key in the account that has \
                                the copies, else the account's default key for EBS",
            },
        },
        "Conditions": {"HasKey": {"Fn::Not": [{"Fn::Equals": [{"Ref": "KmsKeyId"}, ""]}]}},
        "Resources": resources,
    })
}

fn name(restore: &Restore<'_>) -> String {
    let id = restore.snapshot.as_str();
    format!("Volume{}", id.strip_prefix("snap-").unwrap_or(id))
}

fn resource(restore: &Restore<'_>) -> Value {
    let where_key = |value: Value| json!({"Fn::If": ["HasKey", value, {"Ref": "AWS::NoValue"}]});
    let tags: Vec<Value> =
        restore.tags.iter().map(|(key, value)| json!({"Key": key, "Value": without_references(value)})).collect();
    json!({
        "Type": "AWS::EC2::Volume",
        "DeletionPolicy": "RetainExceptOnCreate",
        "UpdateReplacePolicy": "Retain",
        "Properties": {
            "AvailabilityZone": {"Ref": "Zone"},
            "SnapshotId": restore.snapshot.as_str(),
            "VolumeType": {"Ref": "VolumeType"},
            "Encrypted": where_key(Value::Bool(true)),
            "KmsKeyId": where_key(json!({"Ref": "KmsKeyId"})),
            "Tags": tags,
        },
    })
}

/// A value in which CloudFormation finds no dynamic reference: a volume's name is somebody else's text, and would have it put a secret
/// into a tag (CloudFormation User Guide, "Get values stored in other services using dynamic references").
fn without_references(value: &str) -> String {
    let mut value = value.to_owned();
    while value.contains("{{") {
        value = value.replace("{{", "{ {");
    }
    value.chars().take(LONGEST).collect()
}
