//! Where copies are kept, as the runs of the verifier and of the expirer see it: EC2's snapshots, or RDS's of a kind.

mod volumes;

use snapferry_core::expiring::DeleteFailure;
use snapferry_core::facts::{CallError, Copies, Copy, DescribedCopy};
use snapferry_core::ids::{Region, SnapshotId};
use snapferry_core::verifying::LockRequest;

use crate::clients::Clients;

pub(crate) use self::volumes::locks;

/// Copies of one kind in all Regions. What a function does not ask for is not in its package.
#[allow(async_fn_in_trait, reason = "a function handles one invocation at a time, on one thread")]
pub trait Vault {
    /// KMS's clients, and whose copies are this stack's own.
    fn clients(&self) -> &Clients;

    /// Calls made so far, retries not counted.
    fn calls(&self) -> u64;

    /// The copies in `region` that wait for a verdict or a lock.
    ///
    /// # Errors
    /// The first call that failed.
    async fn waiting(&self, region: &Region) -> Result<Vec<DescribedCopy>, CallError>;

    /// All copies in `region`.
    ///
    /// # Errors
    /// The first call that failed.
    async fn all(&self, region: &Region) -> Result<Copies, CallError>;

    /// These copies in `region`, read afresh; those that are gone are not among them.
    ///
    /// # Errors
    /// The first call that failed.
    async fn these(&self, region: &Region, ids: &[&SnapshotId]) -> Result<Copies, CallError>;

    /// Sets `tags` on a copy.
    ///
    /// # Errors
    /// When AWS refused, or did not say that they are set.
    async fn tag(
        &self,
        region: &Region,
        copy: &DescribedCopy,
        tags: &[(&'static str, String)],
    ) -> Result<(), CallError>;

    /// Locks a copy.
    ///
    /// # Errors
    /// When AWS refused, or did not say that it is locked.
    async fn lock(&self, region: &Region, copy: &DescribedCopy, lock: &LockRequest) -> Result<(), CallError>;

    /// Deletes a copy.
    ///
    /// # Errors
    /// What it means, and AWS's words, when AWS refused, or did not say that it is gone.
    async fn delete(&self, region: &Region, copy: &Copy) -> Result<(), (DeleteFailure, CallError)>;
}
