//! Copies as the verifier finds them, and what it writes to their tags.

use aws_sdk_ec2::operation::create_tags::CreateTagsInput;
use aws_sdk_ec2::operation::describe_snapshots::DescribeSnapshotsOutput;
use aws_sdk_ec2::types::{Snapshot, SnapshotState, Tag};
use aws_sdk_kms::operation::describe_key::DescribeKeyOutput;
use aws_sdk_kms::types::{KeyMetadata, KeyState};
use aws_smithy_mocks::{Rule, mock};
use aws_smithy_types::DateTime;
use jiff::Timestamp;
use snapferry_aws::clients::Clients;
use snapferry_core::ids::Region;

use super::{KEY, kms};

/// A finished copy of ours, started an hour ago.
pub fn copy(number: u32, status: &str, lock: Option<&str>) -> Snapshot {
    let started = DateTime::from_secs(Timestamp::now().as_second() - 3600);
    let mut tags = vec![
        ("snapferry:policy", "default"),
        ("snapferry:source-snapshot", "snap-00000001"),
        ("snapferry:source-account", "111111111111"),
        ("snapferry:source-region", "us-east-1"),
        ("snapferry:source-volume", "vol-00000001"),
        ("snapferry:source-size-gib", "8"),
        ("snapferry:source-start-time", "2026-01-31T11:00:00Z"),
        ("snapferry:kms-key", KEY),
        ("snapferry:status", status),
    ];
    let id = format!("snap-{number:08x}");
    tags.extend((status == "verified").then_some(("snapferry:copy", id.as_str())));
    tags.extend(lock.map(|lock| ("snapferry:lock", lock)));
    Snapshot::builder()
        .snapshot_id(&id)
        .owner_id("222222222222")
        .state(SnapshotState::Completed)
        .encrypted(true)
        .kms_key_id(KEY)
        .volume_size(8)
        .description("Snapferry copy of snap-00000001 from us-east-1 (account 111111111111)")
        .start_time(started)
        .set_tags(Some(tags.into_iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()))
        .build()
}

/// Clients that find the copies' key alive.
pub fn clients(ec2: impl IntoIterator<Item = (Region, aws_sdk_ec2::Client)>) -> Clients {
    clients_under(KeyState::Enabled, ec2)
}

pub fn clients_under(key: KeyState, ec2: impl IntoIterator<Item = (Region, aws_sdk_ec2::Client)>) -> Clients {
    let metadata = KeyMetadata::builder().key_id("k").arn(KEY).key_state(key).build().unwrap();
    let described = mock!(aws_sdk_kms::Client::describe_key)
        .match_requests(|request| request.key_id() == Some(KEY))
        .then_output(move || DescribeKeyOutput::builder().key_metadata(metadata.clone()).build());
    super::clients(ec2, [kms("eu-west-1", &[&described])])
}

/// What limits each read to this home's copies.
pub const HOME: (&str, &str) = ("tag:snapferry:source-region", "us-east-1");

/// The two reads: copies without a verdict, and verified ones without their lock.
pub fn reads(copying: Vec<Snapshot>, unlocked: Vec<Snapshot>) -> [Rule; 2] {
    let asks = |filters: &'static [(&'static str, &'static str)]| {
        move |request: &aws_sdk_ec2::operation::describe_snapshots::DescribeSnapshotsInput| {
            let asked = request.filters().iter().map(|f| (f.name().unwrap(), f.values()[0].as_str()));
            request.owner_ids() == ["self"] && asked.eq(filters.iter().copied())
        }
    };
    let page = |snapshots: Vec<Snapshot>| {
        move || DescribeSnapshotsOutput::builder().set_snapshots(Some(snapshots.clone())).build()
    };
    [
        mock!(aws_sdk_ec2::Client::describe_snapshots)
            .match_requests(asks(&[("tag:snapferry:status", "copying"), HOME]))
            .then_output(page(copying)),
        mock!(aws_sdk_ec2::Client::describe_snapshots)
            .match_requests(asks(&[("tag:snapferry:status", "verified"), ("tag:snapferry:lock", "pending"), HOME]))
            .then_output(page(unlocked)),
    ]
}

/// CreateTags with exactly these tags; a value of `…` may be any time, and `snapferry:copy` is the copy's own ID.
pub fn tagging(id: &'static str, tags: &'static [(&'static str, &'static str)]) -> impl Fn(&CreateTagsInput) -> bool {
    move |request| {
        let fits = |(tag, (key, value)): (&Tag, &(&str, &str))| {
            let found = tag.value().unwrap();
            let is_so = match *key {
                "snapferry:copy" => found == id,
                _ => found == *value || *value == "…" && found.parse::<Timestamp>().is_ok(),
            };
            tag.key() == Some(*key) && is_so
        };
        request.resources() == [id] && request.tags().len() == tags.len() && request.tags().iter().zip(tags).all(fits)
    }
}

pub const VERIFIED: &[(&str, &str)] =
    &[("snapferry:status", "verified"), ("snapferry:settled-at", "…"), ("snapferry:copy", "its own ID")];
