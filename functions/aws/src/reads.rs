//! Paginated reads of snapshots, each page turned into core's facts before the next one comes.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_ec2::operation::describe_snapshots::builders::DescribeSnapshotsFluentBuilder;
use aws_sdk_ec2::types::{Filter, Snapshot, SnapshotState};
use jiff::Timestamp;
use snapferry_core::facts::{CallError, ExistingCopy, RegionCopies, SourceSnapshot, State, TamperedCopy};
use snapferry_core::ids::{AccountId, PolicyName, Region, SnapshotId, VolumeId};
use snapferry_core::tags::{self, CopyTags, Lock, Status};

use crate::clients::Clients;
use crate::errors::call_error;

/// The largest page that EC2 gives (EC2 API reference, DescribeSnapshots, `MaxResults`).
const PAGE: i32 = 1000;

/// The largest number of values in one filter (EC2 API reference, "Filter").
pub const FILTER_VALUES: usize = 200;

/// Owners asked for in one read, to keep the request small; more of them are several reads.
const OWNERS: usize = 100;

/// The visible snapshots among `ids` in the home Region. By filter, so that one that vanished does not fail the rest.
///
/// # Errors
/// The first call that failed.
pub async fn named(clients: &Clients, ids: &[SnapshotId]) -> Result<Vec<SourceSnapshot>, CallError> {
    let mut found = Vec::new();
    for ids in ids.chunks(FILTER_VALUES) {
        let filter = filter("snapshot-id", ids.iter().map(SnapshotId::as_str));
        each(clients, &clients.home, |read| read.filters(filter.clone()), |s| source(s).map(|s| found.push(s))).await?;
    }
    Ok(unique(found, |snapshot| &snapshot.id))
}

/// All snapshots in the home Region that `owners` share with this account itself; public ones are not meant for it.
///
/// # Errors
/// The first call that failed.
pub async fn shared_by(clients: &Clients, owners: &[AccountId]) -> Result<Vec<SourceSnapshot>, CallError> {
    let mut found = Vec::new();
    for owners in owners.chunks(OWNERS) {
        let owners: Vec<String> = owners.iter().map(ToString::to_string).collect();
        let ask = |read: DescribeSnapshotsFluentBuilder| {
            read.set_owner_ids(Some(owners.clone())).restorable_by_user_ids("self")
        };
        each(clients, &clients.home, ask, |s| source(s).map(|s| found.push(s))).await?;
    }
    Ok(unique(found, |snapshot| &snapshot.id))
}

/// Our copies in `region`: those of `sources`, or all.
///
/// # Errors
/// The first call that failed.
pub async fn copies(
    clients: &Clients,
    region: &Region,
    sources: Option<&[SnapshotId]>,
) -> Result<RegionCopies, CallError> {
    let mut found = RegionCopies::default();
    let filters: Vec<Filter> = match sources {
        Some(sources) => sources
            .chunks(FILTER_VALUES)
            .map(|ids| filter(&format!("tag:{}", tags::SOURCE_SNAPSHOT), ids.iter().map(SnapshotId::as_str)))
            .collect(),
        None => vec![filter("tag-key", [tags::SOURCE_SNAPSHOT])],
    };
    for filter in filters {
        let ask = |read: DescribeSnapshotsFluentBuilder| read.owner_ids("self").filters(filter.clone());
        each(clients, region, ask, |snapshot| copy(&snapshot, &mut found)).await?;
    }
    found.copies = unique(found.copies, |copy| &copy.id);
    found.tampered = unique(found.tampered, |copy| &copy.id);
    Ok(found)
}

/// A filter of one name.
pub fn filter<'v>(name: &str, values: impl IntoIterator<Item = &'v str>) -> Filter {
    Filter::builder().name(name).set_values(Some(values.into_iter().map(str::to_owned).collect())).build()
}

/// Reads page after page and hands over each snapshot. A page token that comes twice is an error: to stop there
/// quietly, as the SDK's paginator does, would hide whatever comes behind it.
///
/// # Errors
/// The first call that failed, or that gave something unreadable.
pub async fn each(
    clients: &Clients,
    region: &Region,
    ask: impl Fn(DescribeSnapshotsFluentBuilder) -> DescribeSnapshotsFluentBuilder,
    mut take: impl FnMut(Snapshot) -> Result<(), CallError>,
) -> Result<(), CallError> {
    let mut token: Option<String> = None;
    loop {
        let read = ask(clients.ec2(region).describe_snapshots().max_results(PAGE)).set_next_token(token.clone());
        let page = read.send().await.map_err(|error| call_error(&error))?;
        let next = page.next_token.filter(|next| !next.is_empty());
        for snapshot in page.snapshots.unwrap_or_default() {
            take(snapshot)?;
        }
        if next.is_some() && next == token {
            return Err(unreadable("DescribeSnapshots gave the same page token twice".to_owned()));
        }
        match next {
            Some(next) => token = Some(next),
            None => return Ok(()),
        }
    }
}

/// The answer of `read` if it is done within `time`; a read that is not counts as failed.
pub(crate) async fn within<T>(
    time: Duration,
    read: impl Future<Output = Result<T, CallError>>,
) -> Result<T, CallError> {
    tokio::time::timeout(time, read).await.unwrap_or_else(|_| {
        let message = format!("reading all pages took longer than the {} s there were for it", time.as_secs());
        Err(CallError { code: "Timeout".to_owned(), message, request_id: None })
    })
}

/// EC2 may show a snapshot on two pages when others come and go meanwhile.
fn unique<T>(mut items: Vec<T>, id: impl Fn(&T) -> &SnapshotId) -> Vec<T> {
    items.sort_unstable_by(|a, b| id(a).cmp(id(b)));
    items.dedup_by(|a, b| id(a) == id(b));
    items
}

pub(crate) fn unreadable(message: String) -> CallError {
    CallError { code: "UnreadableAnswer".to_owned(), message, request_id: None }
}

/// EC2's state in core's words.
#[must_use]
pub fn state(snapshot: &Snapshot) -> State {
    match snapshot.state() {
        Some(SnapshotState::Pending) => State::Pending,
        Some(SnapshotState::Completed) => State::Completed,
        Some(SnapshotState::Error) => State::Error,
        _ => State::Other,
    }
}

/// When EC2 says that the snapshot was started.
///
/// # Errors
/// When it says nothing readable.
pub fn start_time(snapshot: &Snapshot) -> Result<Timestamp, CallError> {
    let time =
        snapshot.start_time().and_then(|time| Timestamp::new(time.secs(), time.subsec_nanos().cast_signed()).ok());
    time.ok_or_else(|| unreadable(format!("no start time for {}", snapshot.snapshot_id().unwrap_or("a snapshot"))))
}

/// The snapshot's ID.
///
/// # Errors
/// When EC2 gave none.
pub fn id(snapshot: &Snapshot) -> Result<SnapshotId, CallError> {
    SnapshotId::parse(snapshot.snapshot_id().unwrap_or_default()).map_err(|problem| unreadable(problem.to_string()))
}

fn source(snapshot: Snapshot) -> Result<SourceSnapshot, CallError> {
    let id = id(&snapshot)?;
    let owner = AccountId::parse(snapshot.owner_id().unwrap_or_default())
        .map_err(|problem| unreadable(format!("owner of {id}: {problem}")))?;
    // Snapshots made of no volume (EBS direct APIs) and copies carry this placeholder; EC2 gives no other odd value.
    let volume = snapshot.volume_id().and_then(|volume| VolumeId::parse(volume).ok());
    let volume = volume.or_else(|| VolumeId::parse("vol-ffffffff").ok());
    Ok(SourceSnapshot {
        owner,
        volume: volume.ok_or_else(|| unreadable(format!("volume of {id}")))?,
        size_gib: snapshot.volume_size().and_then(|size| u32::try_from(size).ok()).unwrap_or_default(),
        state: state(&snapshot),
        start_time: start_time(&snapshot)?,
        encrypted: snapshot.encrypted().unwrap_or_default(),
        description: snapshot.description.unwrap_or_default().into_boxed_str(),
        id,
    })
}

/// The tags that a snapshot carries, by key.
#[must_use]
pub fn tags_of(snapshot: &Snapshot) -> HashMap<&str, &str> {
    snapshot.tags().iter().filter_map(|tag| Some((tag.key()?, tag.value().unwrap_or_default()))).collect()
}

fn copy(snapshot: &Snapshot, found: &mut RegionCopies) -> Result<(), CallError> {
    let id = id(snapshot)?;
    let tags = tags_of(snapshot);
    if let Err(problems) = CopyTags::parse(&id, tags.iter().map(|(key, value)| (*key, *value))) {
        found.tampered.push(TamperedCopy { id, problems });
    }
    found.copies.extend(existing(snapshot, &tags)?);
    Ok(())
}

/// A copy of ours by its tags; none when they do not say whose copy it is, or are another snapshot's. A copy counts by its identity even when
/// somebody edited its other tags: better no copy than a second one.
///
/// # Errors
/// When EC2 leaves out what every snapshot has.
pub fn existing(snapshot: &Snapshot, tags: &HashMap<&str, &str>) -> Result<Option<ExistingCopy>, CallError> {
    let id = id(snapshot)?;
    let read = |key| tags.get(key).copied().unwrap_or_default();
    if SnapshotId::parse(read(tags::COPY)).is_ok_and(|named| named != id) {
        return Ok(None);
    }
    let (Ok(policy), Ok(source)) =
        (PolicyName::parse(read(tags::POLICY)), SnapshotId::parse(read(tags::SOURCE_SNAPSHOT)))
    else {
        return Ok(None);
    };
    let account = AccountId::parse(read(tags::SOURCE_ACCOUNT)).ok();
    Ok(Some(ExistingCopy {
        id,
        policy,
        source,
        origin: account.zip(VolumeId::parse(read(tags::SOURCE_VOLUME)).ok()),
        state: state(snapshot),
        status: Status::parse(read(tags::STATUS)),
        lock_pending: Lock::parse(read(tags::LOCK)) == Some(Lock::Pending),
        start_time: start_time(snapshot)?,
    }))
}
