//! A snapshot as EC2 describes it, in core's facts.

use aws_sdk_ec2::types::{Snapshot, SnapshotState, StorageTier};
use jiff::Timestamp;
use snapferry_core::facts::{CallError, DescribedCopy, SourceKind, SourceSnapshot, State, Storage};
use snapferry_core::ids::{AccountId, Region, SnapshotId, VolumeId};
use snapferry_core::tags::ReadTags;

use super::pages::unreadable;

/// EC2's state in core's words.
fn state(snapshot: &Snapshot) -> State {
    match snapshot.state() {
        Some(SnapshotState::Pending) => State::Pending,
        Some(SnapshotState::Completed) => State::Completed,
        Some(SnapshotState::Error) => State::Error,
        _ => State::Other,
    }
}

/// When EC2 says that the snapshot was started.
fn start_time(snapshot: &Snapshot) -> Result<Timestamp, CallError> {
    let time =
        snapshot.start_time().and_then(|time| Timestamp::new(time.secs(), time.subsec_nanos().cast_signed()).ok());
    time.ok_or_else(|| unreadable(format!("no start time for {}", snapshot.snapshot_id().unwrap_or("a snapshot"))))
}

/// The snapshot's ID.
pub(super) fn id(snapshot: &Snapshot) -> Result<SnapshotId, CallError> {
    SnapshotId::parse(snapshot.snapshot_id().unwrap_or_default()).map_err(|problem| unreadable(problem.to_string()))
}

/// A snapshot that others share in `home`, as EC2 describes it.
///
/// # Errors
/// What cannot be read, and of which snapshot.
pub(super) fn source(snapshot: Snapshot, home: &Region) -> Result<SourceSnapshot, CallError> {
    let id = id(&snapshot)?;
    let owner = AccountId::parse(snapshot.owner_id().unwrap_or_default())
        .map_err(|problem| unreadable(format!("owner of {id}: {problem}")))?;
    // Snapshots made of no volume (EBS direct APIs) and copies carry this placeholder; EC2 gives no other odd value.
    let volume = snapshot.volume_id().and_then(|volume| VolumeId::parse(volume).ok());
    let volume = volume.or_else(|| VolumeId::parse("vol-ffffffff").ok());
    Ok(SourceSnapshot {
        kind: SourceKind::Volume,
        owner,
        volume: volume.ok_or_else(|| unreadable(format!("volume of {id}")))?,
        size_gib: size_gib(&snapshot),
        state: state(&snapshot),
        storage: Storage::read(
            home,
            snapshot.storage_tier() == Some(&StorageTier::Archive),
            snapshot.outpost_arn(),
            snapshot.availability_zone(),
        ),
        start_time: start_time(&snapshot)?,
        encrypted: snapshot.encrypted().unwrap_or_default(),
        description: snapshot.description.unwrap_or_default().into_boxed_str(),
        id,
    })
}

/// A snapshot of our own as EC2 describes it, with Snapferry's tags on it. The one reader of a copy.
///
/// # Errors
/// What cannot be read, and of which snapshot.
pub(super) fn copy(snapshot: &Snapshot) -> Result<DescribedCopy, CallError> {
    let started = start_time(snapshot)?;
    // A verdict on a completed one goes by these, and must not be one on what EC2 did not say.
    let is_judged = state(snapshot) == State::Completed;
    let name = || snapshot.snapshot_id().unwrap_or("a snapshot");
    if is_judged && snapshot.encrypted().is_none() {
        return Err(unreadable(format!("nothing says whether {} is encrypted", name())));
    }
    if is_judged && snapshot.volume_size().is_none() {
        return Err(unreadable(format!("no size for {}", name())));
    }
    copy_started(snapshot, started)
}

/// The same, whatever EC2 says of when it was started.
///
/// # Errors
/// When EC2 gives no ID.
pub(super) fn copy_started(snapshot: &Snapshot, start_time: Timestamp) -> Result<DescribedCopy, CallError> {
    let (id, description) = (id(snapshot)?, snapshot.description().unwrap_or_default());
    let tags = snapshot.tags().iter().filter_map(|tag| Some((tag.key()?, tag.value().unwrap_or_default())));
    Ok(DescribedCopy {
        owner: AccountId::parse(snapshot.owner_id().unwrap_or_default()).ok(),
        state: state(snapshot),
        state_message: snapshot.state_message().unwrap_or_default().to_owned(),
        encrypted: snapshot.encrypted().unwrap_or_default(),
        kms_key: snapshot.kms_key_id().map(str::to_owned),
        size_gib: size_gib(snapshot),
        start_time,
        tags: ReadTags::read(&id, tags),
        lock: None,
        description: description.into(),
        database: None,
        id,
    })
}

fn size_gib(snapshot: &Snapshot) -> u32 {
    snapshot.volume_size().and_then(|size| u32::try_from(size).ok()).unwrap_or_default()
}
