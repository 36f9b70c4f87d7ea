//! Reads what coverage stands on, all Regions at the same time, or says which could not be read.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use aws_sdk_ec2::types::{LockState, LockedSnapshotsInfo, Snapshot};
use futures_util::future::join_all;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use jiff::Timestamp;
use snapferry_aws::clients::Clients;
use snapferry_aws::copying::owners;
use snapferry_aws::errors::call_error;
use snapferry_aws::reads;
use snapferry_core::coverage::{Copies, Copy, Facts, Held};
use snapferry_core::facts::CallError;
use snapferry_core::ids::{Region, SnapshotId};
use snapferry_core::policy::{LockMode, Policy};
use snapferry_core::tags::{self, ReadTags};

use crate::account::connection::Account;

/// Locks in one answer (EC2 API reference, DescribeLockedSnapshots, `MaxResults`).
const LOCKS: i32 = 1000;

/// Reads everything. One Region that cannot be read is an error: what is not read must not look like coverage.
pub(super) async fn gather(account: &Account, policies: &[Policy], since: Option<Timestamp>) -> anyhow::Result<Facts> {
    let regions: BTreeSet<Region> =
        policies.iter().flat_map(|policy| &policy.targets).map(|target| target.region.clone()).collect();
    let clients = account.clients(regions.clone());
    let owners = owners(policies);
    // Draws nothing unless standard error is a terminal.
    let progress = MultiProgress::new();
    let shared = bar(&progress, format!("{}: shared snapshots", account.home));
    let (snapshots, copies) = tokio::join!(
        async {
            let read = reads::shared_by(&clients, &owners).await;
            shared.finish();
            read
        },
        join_all(regions.iter().map(|region| {
            let bar = bar(&progress, format!("{region}: copies"));
            read(&clients, region, bar)
        })),
    );
    // Nobody needs them once the result is there.
    let _ = progress.clear();
    let mut unread = Vec::new();
    let snapshots = snapshots.unwrap_or_else(|error| {
        unread.push(unread_line(&format!("the shared snapshots in {}", account.home), &error));
        Vec::new()
    });
    let mut found = std::collections::BTreeMap::new();
    for (region, copies) in regions.into_iter().zip(copies) {
        match copies {
            Ok(copies) => drop(found.insert(region, copies)),
            Err(error) => unread.push(unread_line(&format!("the copies in {region}"), &error)),
        }
    }
    if !unread.is_empty() {
        let unread = unread.join("\n");
        bail!("nothing is known about coverage: {} could not read everything\n{unread}", account.arn);
    }
    Ok(Facts { account: account.id.clone(), since, snapshots, regions: found })
}

fn unread_line(what: &str, error: &CallError) -> String {
    let request = error.request_id.as_ref().map(|id| format!(" (request {id})")).unwrap_or_default();
    let message = snapferry_core::text::printable(&error.message, 500);
    format!("    {what}: {}: {message}{request}", snapferry_core::text::printable(&error.code, 100))
}

fn bar(progress: &MultiProgress, what: String) -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {msg} {human_pos} {elapsed}");
    let bar = progress.add(ProgressBar::no_length()).with_message(what);
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

async fn read(clients: &Clients, region: &Region, bar: ProgressBar) -> Result<Copies, CallError> {
    // The same tag that the copier looks for; all values, as with it.
    let ours = reads::filter("tag-key", [tags::SOURCE_SNAPSHOT]);
    let found = RefCell::new((Vec::new(), 0));
    let mut keys = HashSet::new();
    let done = reads::each(
        clients,
        region,
        |read| read.owner_ids("self").filters(ours.clone()),
        |snapshot| {
            let (copies, tampered) = &mut *found.borrow_mut();
            bar.inc(1);
            copy(&snapshot, &mut keys, tampered).map(|copy| copies.extend(copy))
        },
    )
    .await;
    done?;
    let (copies, tampered) = found.into_inner();
    let mut copies = Copies::new(copies, tampered);
    if copies.all().iter().any(|copy| copy.lock.is_some()) {
        hold(clients, region, &mut copies).await?;
    }
    bar.finish();
    Ok(copies)
}

fn copy(snapshot: &Snapshot, keys: &mut HashSet<Arc<str>>, tampered: &mut usize) -> Result<Option<Copy>, CallError> {
    let tags = reads::tags_of(snapshot);
    let read = ReadTags::read(&reads::id(snapshot)?, tags.iter().map(|(key, value)| (*key, *value)));
    *tampered += usize::from(!read.problems.is_empty());
    let Some(copy) = reads::existing(snapshot, &tags)? else { return Ok(None) };
    let key = snapshot.kms_key_id().map(|key| {
        keys.get(key).cloned().unwrap_or_else(|| {
            let key: Arc<str> = Arc::from(key);
            keys.insert(Arc::clone(&key));
            key
        })
    });
    Ok(Some(Copy {
        copy,
        source_start_time: read.source_start_time,
        settled_at: read.settled_at,
        expire_after: read.expire_after,
        lock: read.lock,
        held: None,
        key,
        is_tampered: !read.problems.is_empty(),
    }))
}

/// Adds the locks that EC2 holds.
async fn hold(clients: &Clients, region: &Region, copies: &mut Copies) -> Result<(), CallError> {
    let mut held: HashMap<SnapshotId, Held> = HashMap::new();
    let mut token: Option<String> = None;
    loop {
        let read = clients.ec2(region).describe_locked_snapshots().max_results(LOCKS).set_next_token(token.clone());
        let page = read.send().await.map_err(|error| call_error(&error))?;
        for lock in page.snapshots.unwrap_or_default() {
            let id = lock.snapshot_id().and_then(|id| SnapshotId::parse(id).ok());
            held.extend(id.zip(lock_of(&lock)));
        }
        match page.next_token.filter(|next| !next.is_empty()) {
            Some(next) if token.as_ref() == Some(&next) => {
                let message = "DescribeLockedSnapshots gave the same page token twice".to_owned();
                return Err(CallError { code: "UnreadableAnswer".to_owned(), message, request_id: None });
            }
            Some(next) => token = Some(next),
            None => break,
        }
    }
    for copy in copies.all_mut() {
        copy.held = held.get(&copy.copy.id).copied();
    }
    Ok(())
}

/// EC2's lock; none once it has expired.
fn lock_of(lock: &LockedSnapshotsInfo) -> Option<Held> {
    let mode = match lock.lock_state()? {
        LockState::Governance => LockMode::Governance,
        LockState::Compliance | LockState::ComplianceCooloff => LockMode::Compliance,
        _ => return None,
    };
    let until = lock.lock_expires_on();
    let until = until.and_then(|at| Timestamp::new(at.secs(), at.subsec_nanos().cast_signed()).ok());
    Some(Held { mode, until })
}
