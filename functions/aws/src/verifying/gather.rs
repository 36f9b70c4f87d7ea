//! Reads the copies that wait for a verdict or a lock, by EC2's own tag filters: a handful among a hundred thousand.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::{Filter, LockState, LockedSnapshotsInfo, Snapshot};
use futures_util::future::join_all;
use jiff::Timestamp;
use snapferry_core::facts::{CallError, State};
use snapferry_core::ids::{AccountId, Region, SnapshotId};
use snapferry_core::policy::LockMode;
use snapferry_core::tags::{self, Lock, ReadTags, Status};
use snapferry_core::verifying::{Candidate, Facts, HeldLock};

use crate::clients::Clients;
use crate::deadline::Deadline;
use crate::errors::call_error;
use crate::reads::{each, filter, id, start_time, state, tags_of, within};

/// Snapshots named in one DescribeLockedSnapshots.
const LOCKS: usize = 100;

/// Reads the candidates of all `regions` at the same time. A Region that is not read in time counts as unread.
pub async fn gather(
    clients: &Clients,
    regions: &BTreeSet<Region>,
    account: Option<AccountId>,
    deadline: Deadline,
) -> Facts {
    let time = deadline.reading_time();
    let reads = regions.iter().map(async |region| (region.clone(), within(time, candidates(clients, region)).await));
    Facts { account, regions: join_all(reads).await.into_iter().collect() }
}

/// Reads the verified copies of `regions` whose verdict does not name them, each Region whole: EC2's filters know no absent
/// tags. A Region that is not read in time is not in the answer, and holds up no other work.
pub async fn unbound(
    clients: &Clients,
    regions: &BTreeSet<Region>,
    account: Option<AccountId>,
    deadline: Deadline,
) -> Facts {
    let time = deadline.reading_time();
    let verified = vec![filter(&format!("tag:{}", tags::STATUS), [Status::Verified.as_str()])];
    let reads = regions.iter().map(async |region| {
        let mut found = Vec::new();
        let keep = |copy: &Candidate| copy.tags.copy.is_none() && !copy.tags.are_of_another();
        let done = within(time, read(clients, region, verified.clone(), keep, &mut found)).await;
        if let Err(error) = &done {
            tracing::warn!(%region, code = error.code, message = error.message, "the verified copies could not be read");
        }
        done.ok().map(|()| (region.clone(), Ok(found)))
    });
    Facts { account, regions: join_all(reads).await.into_iter().flatten().collect() }
}

/// Copies without a verdict, then verified ones without their lock. A copy that is settled between the two reads may
/// come twice: its first reading counts.
async fn candidates(clients: &Clients, region: &Region) -> Result<Vec<Candidate>, CallError> {
    let status = |status: Status| filter(&format!("tag:{}", tags::STATUS), [status.as_str()]);
    let unlocked = filter(&format!("tag:{}", tags::LOCK), [Lock::Pending.as_str()]);
    let mut found = Vec::new();
    read(clients, region, vec![status(Status::Copying)], |_| true, &mut found).await?;
    let mut unlocked_ones = Vec::new();
    read(clients, region, vec![status(Status::Verified), unlocked], |_| true, &mut unlocked_ones).await?;
    locks(clients, region, &mut unlocked_ones).await;
    found.extend(unlocked_ones);
    let mut seen = BTreeSet::new();
    found.retain(|copy| seen.insert(copy.id.clone()));
    Ok(found)
}

async fn read(
    clients: &Clients,
    region: &Region,
    filters: Vec<Filter>,
    keep: impl Fn(&Candidate) -> bool,
    found: &mut Vec<Candidate>,
) -> Result<(), CallError> {
    each(
        clients,
        region,
        |read| read.owner_ids("self").set_filters(Some(filters.clone())),
        |snapshot| candidate(&snapshot).map(|copy| found.extend(Some(copy).filter(&keep))),
    )
    .await
}

fn candidate(snapshot: &Snapshot) -> Result<Candidate, CallError> {
    let id = id(snapshot)?;
    Ok(Candidate {
        owner: AccountId::parse(snapshot.owner_id().unwrap_or_default()).ok(),
        state: state(snapshot),
        state_message: snapshot.state_message().unwrap_or_default().to_owned(),
        encrypted: snapshot.encrypted().unwrap_or_default(),
        kms_key: snapshot.kms_key_id().map(str::to_owned),
        size_gib: snapshot.volume_size().and_then(|size| u32::try_from(size).ok()).unwrap_or_default(),
        start_time: start_time(snapshot)?,
        tags: ReadTags::read(&id, tags_of(snapshot)),
        lock: None,
        id,
    })
}

/// Adds the locks that EC2 holds already. When it does not say, LockSnapshot is asked for, and EC2 decides.
async fn locks(clients: &Clients, region: &Region, copies: &mut [Candidate]) {
    let lockable = |copy: &&Candidate| copy.state == State::Completed;
    let ids: Vec<SnapshotId> = copies.iter().filter(lockable).map(|copy| copy.id.clone()).collect();
    for ids in ids.chunks(LOCKS) {
        let ids = ids.iter().map(ToString::to_string).collect();
        let answer = clients.ec2(region).describe_locked_snapshots().set_snapshot_ids(Some(ids)).send().await;
        let locked = match answer {
            Ok(answer) => answer.snapshots.unwrap_or_default(),
            Err(error) => {
                let error = call_error(&error);
                tracing::warn!(%region, code = error.code, message = error.message, "the locks could not be read");
                continue;
            }
        };
        for lock in &locked {
            if let Some(copy) = copies.iter_mut().find(|copy| lock.snapshot_id() == Some(copy.id.as_str())) {
                copy.lock = held(lock);
            }
        }
    }
}

/// EC2's lock in core's words; none once it has expired.
fn held(lock: &LockedSnapshotsInfo) -> Option<HeldLock> {
    let mode = match lock.lock_state()? {
        LockState::Governance => LockMode::Governance,
        LockState::Compliance | LockState::ComplianceCooloff => LockMode::Compliance,
        _ => return None,
    };
    let since = lock.lock_created_on()?;
    Some(HeldLock {
        mode,
        days: lock.lock_duration().and_then(|days| u32::try_from(days).ok())?,
        since: Timestamp::new(since.secs(), since.subsec_nanos().cast_signed()).ok()?,
    })
}
