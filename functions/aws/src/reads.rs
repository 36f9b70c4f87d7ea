//! Paginated reads of snapshots, each page turned into core's facts before the next one comes.

use std::time::Duration;

use aws_sdk_ec2::operation::describe_snapshots::builders::DescribeSnapshotsFluentBuilder;
use aws_sdk_ec2::types::{Filter, Snapshot, SnapshotState};
use jiff::Timestamp;
use snapferry_core::facts::{CallError, Copies, DescribedCopy, Inventory, SourceSnapshot, State};
use snapferry_core::ids::{AccountId, Region, SnapshotId, VolumeId};
use snapferry_core::tags::{self, ReadTags};

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
pub async fn by_id(clients: &Clients, ids: &[SnapshotId]) -> Result<Vec<SourceSnapshot>, CallError> {
    let mut found = Vec::new();
    for ids in ids.chunks(FILTER_VALUES) {
        let filter = filter("snapshot-id", ids.iter().map(SnapshotId::as_str));
        for_each_snapshot(
            clients,
            &clients.home,
            |read| read.filters(filter.clone()),
            |s| source(s).map(|s| found.push(s)),
        )
        .await?;
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
        for_each_snapshot(clients, &clients.home, ask, |s| source(s).map(|s| found.push(s))).await?;
    }
    Ok(unique(found, |snapshot| &snapshot.id))
}

/// This stack's copies in `region`: those of `sources`, or all.
///
/// # Errors
/// The first call that failed.
pub async fn copies(clients: &Clients, region: &Region, sources: Option<&[SnapshotId]>) -> Result<Copies, CallError> {
    let filters: Vec<Filter> = match sources {
        Some(sources) => sources
            .chunks(FILTER_VALUES)
            .map(|ids| filter(&format!("tag:{}", tags::SOURCE_SNAPSHOT), ids.iter().map(SnapshotId::as_str)))
            .collect(),
        None => vec![filter("tag-key", [tags::SOURCE_SNAPSHOT])],
    };
    let mut inventory = Inventory::default();
    for filter in filters {
        for_each_own_copy(clients, region, vec![filter], |copy| inventory.add(copy)).await?;
    }
    Ok(inventory.close())
}

/// Hands over each copy of this home and the retired ones in `region` that passes `filters`; other homes' have a stack of
/// their own.
///
/// # Errors
/// The first call that failed, or that gave something unreadable.
pub async fn for_each_own_copy(
    clients: &Clients,
    region: &Region,
    mut filters: Vec<Filter>,
    take: impl FnMut(DescribedCopy),
) -> Result<(), CallError> {
    filters.push(filter(&format!("tag:{}", tags::SOURCE_REGION), clients.homes.iter().map(Region::as_str)));
    for_each_copy(clients, region, filters, take).await
}

/// Hands over each snapshot of our own in `region` that passes `filters`.
///
/// # Errors
/// The first call that failed, or that gave something unreadable.
pub async fn for_each_copy(
    clients: &Clients,
    region: &Region,
    filters: Vec<Filter>,
    mut take: impl FnMut(DescribedCopy),
) -> Result<(), CallError> {
    let ask = |read: DescribeSnapshotsFluentBuilder| read.owner_ids("self").set_filters(Some(filters.clone()));
    for_each_snapshot(clients, region, ask, |snapshot| copy(&snapshot).map(&mut take)).await
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
pub async fn for_each_snapshot(
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
pub(crate) async fn with_timeout<T>(
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

fn unreadable(message: String) -> CallError {
    CallError { code: "UnreadableAnswer".to_owned(), message, request_id: None }
}

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
fn id(snapshot: &Snapshot) -> Result<SnapshotId, CallError> {
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
        size_gib: size_gib(&snapshot),
        state: state(&snapshot),
        start_time: start_time(&snapshot)?,
        encrypted: snapshot.encrypted().unwrap_or_default(),
        description: snapshot.description.unwrap_or_default().into_boxed_str(),
        id,
    })
}

/// A snapshot of our own as EC2 describes it, with Snapferry's tags on it. The one reader of a copy.
fn copy(snapshot: &Snapshot) -> Result<DescribedCopy, CallError> {
    let (id, description) = (id(snapshot)?, snapshot.description().unwrap_or_default());
    let tags = snapshot.tags().iter().filter_map(|tag| Some((tag.key()?, tag.value().unwrap_or_default())));
    Ok(DescribedCopy {
        owner: AccountId::parse(snapshot.owner_id().unwrap_or_default()).ok(),
        state: state(snapshot),
        state_message: snapshot.state_message().unwrap_or_default().to_owned(),
        encrypted: snapshot.encrypted().unwrap_or_default(),
        kms_key: snapshot.kms_key_id().map(str::to_owned),
        size_gib: size_gib(snapshot),
        start_time: start_time(snapshot)?,
        tags: ReadTags::read(&id, tags),
        lock: None,
        description: description.into(),
        id,
    })
}

fn size_gib(snapshot: &Snapshot) -> u32 {
    snapshot.volume_size().and_then(|size| u32::try_from(size).ok()).unwrap_or_default()
}
