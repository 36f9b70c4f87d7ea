//! Volumes made of copies: for the operator's command only, no function has leave for any of these calls.

use aws_sdk_ec2::types::{ResourceType, Tag, TagSpecification, VolumeState as Ec2State, VolumeType};
use snapferry_core::facts::CallError;
use snapferry_core::ids::{Region, SnapshotId, VolumeId};
use snapferry_core::recovery::made::{How, Name, Volume, VolumeState};
use snapferry_core::recovery::restore::{RESTORE, Restore};

use crate::clients::Clients;
use crate::errors::call_error;
use crate::reads::filter;

/// The largest page that EC2 gives (EC2 API reference, DescribeVolumes, `MaxResults`).
const PAGE: i32 = 1000;

/// Asks for a volume. Safe to repeat: the client token is that of the restore, the point and the zone.
///
/// # Errors
/// When EC2 did not say that it makes the volume.
pub async fn create(clients: &Clients, how: &How, restore: &Restore<'_>) -> Result<VolumeId, CallError> {
    let tags = how.tags(restore).into_iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    let tags = TagSpecification::builder().resource_type(ResourceType::Volume).set_tags(Some(tags.collect())).build();
    let made = clients
        .ec2(restore.region)
        .create_volume()
        .snapshot_id(restore.snapshot.as_str())
        .availability_zone(&how.zone)
        .volume_type(VolumeType::from(how.volume_type.as_str()))
        .set_encrypted(how.key.as_ref().map(|_| true))
        .set_kms_key_id(how.key.clone())
        .client_token(how.token(restore))
        .tag_specifications(tags)
        .send()
        .await
        .map_err(|error| call_error(&error))?;
    VolumeId::parse(made.volume_id().unwrap_or_default()).map_err(|problem| unreadable(problem.to_string()))
}

/// The volumes in `region` whose tags name a restore.
///
/// # Errors
/// The first call that failed, or that gave something unreadable: what was made must not look as if it were not there.
pub async fn named(clients: &Clients, region: &Region, name: &Name) -> Result<Vec<Volume>, CallError> {
    let of_name = filter(&format!("tag:{RESTORE}"), [name.as_str()]);
    let (mut found, mut token): (Vec<Volume>, Option<String>) = (Vec::new(), None);
    loop {
        let read = clients.ec2(region).describe_volumes().filters(of_name.clone()).max_results(PAGE);
        let page = read.set_next_token(token.clone()).send().await.map_err(|error| call_error(&error))?;
        for volume in page.volumes() {
            found.push(described(volume)?);
        }
        match page.next_token.filter(|next| !next.is_empty()) {
            Some(next) if token.as_ref() == Some(&next) => {
                return Err(unreadable("DescribeVolumes gave the same page token twice".to_owned()));
            }
            Some(next) => token = Some(next),
            None => return Ok(found),
        }
    }
}

/// Deletes a volume.
///
/// # Errors
/// When EC2 did not say that it does.
pub async fn delete(clients: &Clients, region: &Region, volume: &VolumeId) -> Result<(), CallError> {
    let deleted = clients.ec2(region).delete_volume().volume_id(volume.as_str()).send().await;
    deleted.map(drop).map_err(|error| call_error(&error))
}

fn described(volume: &aws_sdk_ec2::types::Volume) -> Result<Volume, CallError> {
    let id = VolumeId::parse(volume.volume_id().unwrap_or_default());
    let tags = volume.tags().iter();
    Ok(Volume {
        id: id.map_err(|problem| unreadable(problem.to_string()))?,
        state: match volume.state() {
            Some(Ec2State::Creating) => VolumeState::Creating,
            Some(Ec2State::Available) => VolumeState::Available,
            Some(Ec2State::InUse) => VolumeState::InUse,
            Some(Ec2State::Deleting | Ec2State::Deleted) => VolumeState::Deleting,
            _ => VolumeState::Error,
        },
        zone: volume.availability_zone().unwrap_or_default().to_owned(),
        snapshot: volume.snapshot_id().and_then(|id| SnapshotId::parse(id).ok()),
        size_gib: volume.size().and_then(|size| u32::try_from(size).ok()).unwrap_or_default(),
        is_attached: !volume.attachments().is_empty(),
        tags: tags
            .map(|tag| (tag.key().unwrap_or_default().to_owned(), tag.value().unwrap_or_default().to_owned()))
            .collect(),
    })
}

fn unreadable(message: String) -> CallError {
    CallError { code: "UnreadableAnswer".to_owned(), message, request_id: None }
}
