//! Snapshots, keys and the caller in the services' own words.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::json;

use crate::world::World;

/// The account that everything is copied into.
pub(crate) const TARGET: &str = "222222222222";
const KEY: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";

/// A copy that was asked for: it is under way for as long as the world stands.
pub(crate) struct Made {
    pub(crate) id: String,
    pub(crate) at: String,
    pub(crate) description: String,
    pub(crate) tags: BTreeMap<String, String>,
}

/// Adds a shared snapshot to a page.
pub(crate) fn put_source(page: &mut String, world: &World, number: u64) {
    let (volume, owner, started) = (world.volume(number), world.owner(number), &world.started);
    _ = write!(
        page,
        "<item><snapshotId>snap-0{number:016x}</snapshotId><volumeId>vol-0{volume:016x}</volumeId>\
         <status>completed</status><startTime>{started}</startTime><progress>100%</progress><ownerId>{owner}</ownerId>\
         <volumeSize>8</volumeSize><description>Created for policy: policy-0123456789abcdef0 schedule: Default Schedule \
         {number}</description><encrypted>true</encrypted><storageTier>standard</storageTier></item>"
    );
}

/// Adds the verified copy of a snapshot to a page.
pub(crate) fn put_copy(page: &mut String, world: &World, region: &str, number: u64) {
    let World { home, started, settled, expires, .. } = world;
    let (volume, owner) = (world.volume(number), world.owner(number));
    _ = write!(
        page,
        "<item><snapshotId>snap-f{number:016x}</snapshotId><volumeId>vol-ffffffff</volumeId><status>completed</status>\
         <startTime>{started}</startTime><progress>100%</progress><ownerId>{TARGET}</ownerId><volumeSize>8</volumeSize>\
         <description>Snapferry copy of snap-0{number:016x} from {home} (account {owner})</description>\
         <encrypted>true</encrypted><storageTier>standard</storageTier><tagSet>\
         <item><key>snapferry:policy</key><value>default</value></item>\
         <item><key>snapferry:source-snapshot</key><value>snap-0{number:016x}</value></item>\
         <item><key>snapferry:source-account</key><value>{owner}</value></item>\
         <item><key>snapferry:source-region</key><value>{home}</value></item>\
         <item><key>snapferry:source-volume</key><value>vol-0{volume:016x}</value></item>\
         <item><key>snapferry:source-size-gib</key><value>8</value></item>\
         <item><key>snapferry:source-start-time</key><value>{started}</value></item>\
         <item><key>snapferry:kms-key</key><value>arn:aws:kms:{region}:{TARGET}:key/{KEY}</value></item>\
         <item><key>snapferry:expire-after</key><value>{expires}</value></item>\
         <item><key>snapferry:status</key><value>verified</value></item>\
         <item><key>snapferry:settled-at</key><value>{settled}</value></item>\
         <item><key>snapferry:copy</key><value>snap-f{number:016x}</value></item></tagSet></item>"
    );
}

/// Adds a copy that was asked for to a page.
pub(crate) fn put_made(page: &mut String, made: &Made) {
    let Made { id, at, description, tags } = made;
    _ = write!(
        page,
        "<item><snapshotId>{id}</snapshotId><volumeId>vol-ffffffff</volumeId><status>pending</status>\
         <startTime>{at}</startTime><progress>1%</progress><ownerId>{TARGET}</ownerId><volumeSize>8</volumeSize>\
         <description>{description}</description><encrypted>true</encrypted><storageTier>standard</storageTier><tagSet>"
    );
    for (key, value) in tags {
        _ = write!(page, "<item><key>{key}</key><value>{value}</value></item>");
    }
    page.push_str("</tagSet></item>");
}

/// The only key of a Region as DescribeKey shows it.
pub(crate) fn key(region: &str) -> String {
    let arn = format!("arn:aws:kms:{region}:{TARGET}:key/{KEY}");
    json!({"KeyMetadata": {
        "KeyId": KEY, "Arn": arn, "AWSAccountId": TARGET, "Enabled": true, "KeyState": "Enabled", "KeyManager": "CUSTOMER",
        "KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT", "MultiRegion": false
    }})
    .to_string()
}

/// That tags were written.
pub(crate) fn tagged() -> String {
    "<CreateTagsResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><return>true</return></CreateTagsResponse>"
        .to_owned()
}

/// Who asks.
pub(crate) fn caller() -> String {
    format!(
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
         <Arn>arn:aws:iam::{TARGET}:user/operator</Arn><UserId>operator</UserId><Account>{TARGET}</Account>\
         </GetCallerIdentityResult></GetCallerIdentityResponse>"
    )
}
