//! A shell script of calls of the AWS CLI.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::quoted;
use crate::recovery::restore::Restore;

const HEAD: &str = r#"#!/usr/bin/env bash
# Makes volumes of Snapferry's copies, with the AWS CLI. ZONE is where; TYPE (gp3) and KMS_KEY (EC2 chooses) may be given, too:
#     ZONE=eu-west-1a bash restore.sh
# Each call has a client token of copy, zone and type: run again within the hours that EC2 keeps tokens, it makes no volume twice.
set -euo pipefail
: "${ZONE:?names the Availability Zone}"
TYPE=${TYPE:-gp3}
key=()
if [ -n "${KMS_KEY:-}" ]; then key=(--encrypted --kms-key-id "$KMS_KEY"); fi

volume() { # REGION SNAPSHOT TAGS
    aws ec2 create-volume --region "$1" --snapshot-id "$2" --availability-zone "$ZONE" --volume-type "$TYPE" \
        ${key[@]+"${key[@]}"} --client-token "$2-$ZONE-$TYPE" --tag-specifications "$3" --query VolumeId --output text
}

"#;

/// The script that makes all the volumes, and prints their IDs.
#[must_use]
pub fn script(restores: &[Restore<'_>]) -> String {
    let mut script = HEAD.to_owned();
    for restore in restores {
        let tags: Vec<Value> = restore.tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
        let tags = json!([{"ResourceType": "volume", "Tags": tags}]).to_string();
        // Writing to a String cannot fail.
        let _ = writeln!(script, "volume {} {} {}", restore.region, restore.snapshot, quoted(&tags));
    }
    script
}
