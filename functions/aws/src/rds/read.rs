//! Reads of snapshots, a page at a time: none holds more than that, however many are shared or kept.

use snapferry_core::facts::CallError;
use snapferry_core::ids::Region;
use snapferry_core::rds::errors::is_not_found;
use snapferry_core::rds::{Kind, Own, Shared, Usage};

use super::clients::RdsClients;
use super::described::{Described, unreadable};
use crate::errors::call_error;

/// The largest page that RDS gives (RDS API reference, DescribeDBSnapshots, `MaxRecords`).
const PAGE: i32 = 100;

/// A page of snapshots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// Those that can be read.
    pub snapshots: Vec<T>,
    /// What cannot be read, and why: it spoils nothing else.
    pub unreadable: Vec<String>,
    /// Where the next page begins.
    pub next: Option<String>,
}

/// A page of the snapshots that others share with this account in the home Region. RDS has no filter by owner.
///
/// # Errors
/// When RDS did not give the page.
pub async fn shared(clients: &RdsClients, kind: Kind, marker: Option<&str>) -> Result<Page<Shared>, CallError> {
    let wanted = Wanted { of_type: Some("shared"), named: None, marker };
    Ok(sorted(describe(clients, &clients.home, kind, wanted).await?, Described::shared))
}

/// A page of this account's own manual snapshots in `region`, Snapferry's among them. RDS has no filter by tag.
///
/// # Errors
/// When RDS did not give the page.
pub async fn own(
    clients: &RdsClients,
    region: &Region,
    kind: Kind,
    marker: Option<&str>,
) -> Result<Page<Own>, CallError> {
    let wanted = Wanted { of_type: Some("manual"), named: None, marker };
    Ok(sorted(describe(clients, region, kind, wanted).await?, Described::own))
}

/// Hands over each of this account's own manual snapshots in `region`. One that cannot be read is left out: nothing is done to it,
/// and it is no reason to do anything to another.
///
/// # Errors
/// The first page that RDS did not give.
pub(super) async fn for_each_own(
    clients: &RdsClients,
    region: &Region,
    kind: Kind,
    mut take: impl FnMut(Own),
) -> Result<(), CallError> {
    let mut marker: Option<String> = None;
    loop {
        let page = own(clients, region, kind, marker.as_deref()).await?;
        page.snapshots.into_iter().for_each(&mut take);
        for problem in page.unreadable {
            tracing::warn!(%region, problem, "a snapshot of a database cannot be read");
        }
        marker = page.next;
        if marker.is_none() {
            return Ok(());
        }
    }
}

/// This account's own snapshot of a name in `region`, if there is one.
///
/// # Errors
/// When RDS did not say whether there is, or what it shows cannot be read.
pub async fn named(clients: &RdsClients, region: &Region, kind: Kind, name: &str) -> Result<Option<Own>, CallError> {
    let wanted = Wanted { of_type: None, named: Some(name), marker: None };
    match describe(clients, region, kind, wanted).await {
        Ok((found, _)) => found.into_iter().next().map(Described::own).transpose(),
        Err(error) if is_not_found(&error.code) => Ok(None),
        Err(error) => Err(error),
    }
}

/// How many manual snapshots of a kind this account has in `region`, and may have.
///
/// # Errors
/// When RDS did not say.
pub async fn usage(clients: &RdsClients, region: &Region, kind: Kind) -> Result<Usage, CallError> {
    let answer = clients.rds(region).describe_account_attributes().send().await.map_err(|error| call_error(&error))?;
    let mut quotas = answer.account_quotas().iter();
    let quota = quotas.find(|quota| quota.account_quota_name() == Some(kind.quota_name()));
    let count = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok());
    let usage = quota.and_then(|quota| Some(Usage { used: count(quota.used())?, max: count(quota.max())? }));
    usage.ok_or_else(|| unreadable(format!("no quota {} in {region}", kind.quota_name())))
}

/// What a read asks for.
#[derive(Debug, Clone, Copy)]
struct Wanted<'w> {
    of_type: Option<&'w str>,
    named: Option<&'w str>,
    marker: Option<&'w str>,
}

/// One page, and where the next begins. One that would begin where this one did is an error: to stop there quietly would hide
/// whatever comes behind it.
async fn describe(
    clients: &RdsClients,
    region: &Region,
    kind: Kind,
    wanted: Wanted<'_>,
) -> Result<(Vec<Described>, Option<String>), CallError> {
    let (client, text) = (clients.rds(region), |text: Option<&str>| text.map(str::to_owned));
    let (found, next): (Vec<Described>, _) = match kind {
        Kind::Instance => {
            let read = client.describe_db_snapshots().set_db_snapshot_identifier(text(wanted.named)).max_records(PAGE);
            let read = read.set_snapshot_type(text(wanted.of_type)).set_marker(text(wanted.marker));
            let page = read.send().await.map_err(|error| call_error(&error))?;
            (page.db_snapshots.unwrap_or_default().into_iter().map(Described::from).collect(), page.marker)
        }
        Kind::Cluster => {
            let read = client.describe_db_cluster_snapshots().max_records(PAGE);
            let read = read.set_db_cluster_snapshot_identifier(text(wanted.named));
            let read = read.set_snapshot_type(text(wanted.of_type)).set_marker(text(wanted.marker));
            let page = read.send().await.map_err(|error| call_error(&error))?;
            (page.db_cluster_snapshots.unwrap_or_default().into_iter().map(Described::from).collect(), page.marker)
        }
    };
    let next = next.filter(|next| !next.is_empty());
    if next.is_some() && next.as_deref() == wanted.marker {
        return Err(unreadable("RDS gave the same marker twice".to_owned()));
    }
    Ok((found, next))
}

fn sorted<T>(
    (found, next): (Vec<Described>, Option<String>),
    read: impl Fn(Described) -> Result<T, CallError>,
) -> Page<T> {
    let mut page = Page { snapshots: Vec::new(), unreadable: Vec::new(), next };
    for described in found {
        match read(described) {
            Ok(snapshot) => page.snapshots.push(snapshot),
            Err(problem) => page.unreadable.push(problem.message),
        }
    }
    page
}
