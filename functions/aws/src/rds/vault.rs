//! Copies of databases' snapshots as the runs of the verifier and of the expirer see them.

use std::collections::BTreeSet;

use futures_util::future::try_join_all;
use snapferry_core::expiring::DeleteFailure;
use snapferry_core::facts::{CallError, Copies, Copy, DescribedCopy, Inventory};
use snapferry_core::homes::is_anothers;
use snapferry_core::ids::{Region, SnapshotId};
use snapferry_core::rds::{Kind, SnapshotArn};
use snapferry_core::tags::Status;
use snapferry_core::verifying::LockRequest;

use super::clients::RdsClients;
use super::read::{for_each_own, named};
use super::write;
use crate::clients::Clients;
use crate::vault::Vault;

/// Copies of instances' or of clusters' snapshots.
#[derive(Debug, Clone, Copy)]
pub struct DatabaseVault<'a> {
    /// KMS, and whose copies are this stack's own.
    pub clients: &'a Clients,
    /// RDS. The calls of a run are counted by these.
    pub rds: &'a RdsClients,
    /// Of which snapshots.
    pub kind: Kind,
}

impl DatabaseVault<'_> {
    /// Hands over each copy of this home and the retired ones in `region`, and each snapshot under such a name of which nobody can say
    /// whose home's it is.
    async fn for_each(&self, region: &Region, mut take: impl FnMut(DescribedCopy)) -> Result<(), CallError> {
        for_each_own(self.rds, region, self.kind, |own| {
            let ours = own.fact().filter(|copy| !is_anothers(&self.clients.homes, copy.tags.source_region.as_ref()));
            ours.into_iter().for_each(&mut take);
        })
        .await
    }
}

impl Vault for DatabaseVault<'_> {
    fn clients(&self) -> &Clients {
        self.clients
    }

    fn calls(&self) -> u64 {
        self.rds.calls()
    }

    /// RDS has no filter by tag, so all are read, and those whose verdict does not name them found at the same time. One that comes on
    /// two pages, because others came or went meanwhile, counts once.
    async fn waiting(&self, region: &Region) -> Result<Vec<DescribedCopy>, CallError> {
        let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
        self.for_each(region, |copy| {
            let is_unbound = || copy.tags.copy.is_none() && !copy.tags.are_of_another();
            let waits = match copy.tags.status {
                Some(Status::Copying) => true,
                Some(Status::Verified) => is_unbound(),
                _ => false,
            };
            if waits && seen.insert(copy.id.clone()) {
                found.push(copy);
            }
        })
        .await?;
        Ok(found)
    }

    async fn all(&self, region: &Region) -> Result<Copies, CallError> {
        let mut inventory = Inventory::default();
        self.for_each(region, |copy| inventory.add(copy)).await?;
        Ok(inventory.close())
    }

    /// Each by its name: RDS takes one at a time.
    async fn these(&self, region: &Region, ids: &[&SnapshotId]) -> Result<Copies, CallError> {
        let looks = ids.iter().map(|id| named(self.rds, region, self.kind, id.as_str()));
        let mut inventory = Inventory::default();
        for own in try_join_all(looks).await?.into_iter().flatten() {
            own.fact().into_iter().for_each(|copy| inventory.add(copy));
        }
        Ok(inventory.close())
    }

    async fn tag(
        &self,
        region: &Region,
        copy: &DescribedCopy,
        tags: &[(&'static str, String)],
    ) -> Result<(), CallError> {
        let owner = copy.owner.clone().ok_or_else(CallError::not_read)?;
        let arn = SnapshotArn::new(self.kind, region.clone(), owner, copy.id.to_string());
        write::tag(self.rds, &arn, tags).await
    }

    /// RDS has no locks, and no copy of a database is asked for with one.
    async fn lock(&self, _: &Region, _: &DescribedCopy, _: &LockRequest) -> Result<(), CallError> {
        Err(CallError {
            code: "NotSent".to_owned(),
            message: "RDS has no locks on snapshots".to_owned(),
            request_id: None,
        })
    }

    async fn delete(&self, region: &Region, copy: &Copy) -> Result<(), (DeleteFailure, CallError)> {
        write::delete(self.rds, region, self.kind, copy.id.as_str()).await
    }
}
