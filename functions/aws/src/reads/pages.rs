//! Pages of DescribeSnapshots, each handed over before the next one comes.

use std::time::Duration;

use aws_sdk_ec2::operation::describe_snapshots::builders::DescribeSnapshotsFluentBuilder;
use aws_sdk_ec2::types::{Filter, Snapshot};
use snapferry_core::facts::CallError;
use snapferry_core::ids::Region;

use crate::clients::Clients;
use crate::errors::call_error;

/// The largest page that EC2 gives (EC2 API reference, DescribeSnapshots, `MaxResults`).
pub(super) const PAGE: i32 = 1000;

/// The largest number of values in one filter (EC2 API reference, "Filter"), and as many IDs are asked for in one call.
pub const FILTER_VALUES: usize = 200;

/// A filter of one name.
pub fn filter<'v>(name: &str, values: impl IntoIterator<Item = &'v str>) -> Filter {
    Filter::builder().name(name).set_values(Some(values.into_iter().map(str::to_owned).collect())).build()
}

/// Reads pages of 1000 and hands over each snapshot, as [`for_each_found`] does. With a page's size EC2 may cut pages before it
/// filters: few hits, many pages. So it is for reads of much, and selective ones do without.
///
/// # Errors
/// The first call that failed, or that gave something unreadable.
pub async fn for_each_snapshot(
    clients: &Clients,
    region: &Region,
    ask: impl Fn(DescribeSnapshotsFluentBuilder) -> DescribeSnapshotsFluentBuilder,
    take: impl FnMut(Snapshot) -> Result<(), CallError>,
) -> Result<(), CallError> {
    for_each_found(clients, region, |read| ask(read).max_results(PAGE), take).await
}

/// Reads page after page and hands over each snapshot. A page token that comes twice is an error: to stop there
/// quietly, as the SDK's paginator does, would hide whatever comes behind it.
///
/// # Errors
/// The first call that failed, or that gave something unreadable.
pub(super) async fn for_each_found(
    clients: &Clients,
    region: &Region,
    ask: impl Fn(DescribeSnapshotsFluentBuilder) -> DescribeSnapshotsFluentBuilder,
    mut take: impl FnMut(Snapshot) -> Result<(), CallError>,
) -> Result<(), CallError> {
    let mut token: Option<String> = None;
    loop {
        let read = ask(clients.ec2(region).describe_snapshots());
        let (snapshots, next) = page(read, token.as_deref()).await?;
        for snapshot in snapshots {
            take(snapshot)?;
        }
        match next {
            Some(next) => token = Some(next),
            None => return Ok(()),
        }
    }
}

/// One page, and where the next begins.
///
/// # Errors
/// The call's, or that the next page would begin where this one did.
pub(super) async fn page(
    read: DescribeSnapshotsFluentBuilder,
    token: Option<&str>,
) -> Result<(Vec<Snapshot>, Option<String>), CallError> {
    let read = read.set_next_token(token.map(str::to_owned));
    let page = read.send().await.map_err(|error| call_error(&error))?;
    let next = page.next_token.filter(|next| !next.is_empty());
    if next.is_some() && next.as_deref() == token {
        return Err(unreadable("DescribeSnapshots gave the same page token twice".to_owned()));
    }
    Ok((page.snapshots.unwrap_or_default(), next))
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

/// An answer of EC2's that cannot be read.
pub(super) fn unreadable(message: String) -> CallError {
    CallError { code: "UnreadableAnswer".to_owned(), message, request_id: None }
}
