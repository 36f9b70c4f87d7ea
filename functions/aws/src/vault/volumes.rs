//! Copies of volumes: EC2's own filters find a handful among a hundred thousand.

use std::collections::BTreeSet;

use snapferry_core::expiring::DeleteFailure;
use snapferry_core::facts::{CallError, Copies, Copy, DescribedCopy, Inventory, State};
use snapferry_core::ids::{Region, SnapshotId};
use snapferry_core::tags::{self, Lock, Status};
use snapferry_core::verifying::LockRequest;

use super::Vault;
use crate::clients::Clients;
use crate::errors::call_error;
use crate::locks::held_lock;
use crate::reads::{filter, for_each_copy, for_each_own_copy};
use crate::writes;

/// Snapshots named in one DescribeLockedSnapshots.
const LOCKS: usize = 100;

impl Vault for Clients {
    fn clients(&self) -> &Clients {
        self
    }

    fn calls(&self) -> u64 {
        self.calls()
    }

    /// Copies without a verdict, then verified ones without their lock. A copy that is settled between the two reads may
    /// come twice: its first reading counts.
    async fn waiting(&self, region: &Region) -> Result<Vec<DescribedCopy>, CallError> {
        let status = |status: Status| filter(&format!("tag:{}", tags::STATUS), [status.as_str()]);
        let unlocked = filter(&format!("tag:{}", tags::LOCK), [Lock::Pending.as_str()]);
        let (mut found, mut unlocked_ones) = (Vec::new(), Vec::new());
        for_each_own_copy(self, region, vec![status(Status::Copying)], |copy| found.push(copy)).await?;
        for_each_own_copy(self, region, vec![status(Status::Verified), unlocked], |copy| unlocked_ones.push(copy))
            .await?;
        locks(self, region, &mut unlocked_ones).await;
        found.extend(unlocked_ones);
        let mut seen = BTreeSet::new();
        found.retain(|copy| seen.insert(copy.id.clone()));
        Ok(found)
    }

    async fn all(&self, region: &Region) -> Result<Copies, CallError> {
        // Either tag gives a copy away: one that lost the other is reported, not overlooked.
        let ours = filter("tag-key", [tags::POLICY, tags::SOURCE_SNAPSHOT]);
        let mut inventory = Inventory::default();
        for_each_own_copy(self, region, vec![ours], |copy| inventory.add(copy)).await?;
        Ok(inventory.close())
    }

    async fn these(&self, region: &Region, ids: &[&SnapshotId]) -> Result<Copies, CallError> {
        // By filter, because one ID that is gone would fail a call that names it; and by no other, because a copy whose tags
        // were edited meanwhile is not gone.
        let filter = filter("snapshot-id", ids.iter().map(|id| id.as_str()));
        let mut inventory = Inventory::default();
        for_each_copy(self, region, vec![filter], |copy| inventory.add(copy)).await?;
        Ok(inventory.close())
    }

    async fn tag(
        &self,
        region: &Region,
        copy: &DescribedCopy,
        tags: &[(&'static str, String)],
    ) -> Result<(), CallError> {
        writes::tag(self, region, &copy.id, tags).await
    }

    async fn lock(&self, region: &Region, copy: &DescribedCopy, lock: &LockRequest) -> Result<(), CallError> {
        writes::lock(self, region, &copy.id, lock).await
    }

    async fn delete(&self, region: &Region, copy: &Copy) -> Result<(), (DeleteFailure, CallError)> {
        writes::delete(self, region, &copy.id).await
    }
}

/// Adds the locks that EC2 holds already. When it does not say, LockSnapshot is asked for, and EC2 decides.
pub(crate) async fn locks(clients: &Clients, region: &Region, copies: &mut [DescribedCopy]) {
    let lockable = |copy: &&DescribedCopy| copy.state == State::Completed;
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
                copy.lock = held_lock(lock);
            }
        }
    }
}
