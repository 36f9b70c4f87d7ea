//! AWS as the copier's steps see it.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use snapferry_core::audit::Record;
use snapferry_core::copying::{CopyError, CopyRequest};
use snapferry_core::facts::{CallError, Copies, KeyFact, Lineage};
use snapferry_core::ids::{AccountId, KeyArn, Region, SnapshotId};
use snapferry_core::ledger::{Hint, Identity, Obligation, Round, Shard, Turn};
use snapferry_core::policy::{Policy, SourceType};
use snapferry_flow::{CopiesIn, Item, Items, Page, Shown, World, Written};

use crate::audit::Audit;
use crate::clients::Clients;
use crate::copy_call::copy_snapshot;
use crate::deadline::Deadline;
use crate::keys::{KeyCache, configured};
use crate::ledger::Table;
use crate::reads::{self, with_timeout};

/// AWS during one invocation. The ledger's requests are no calls in the sense of [`World::calls`].
#[derive(Debug, Clone, Copy)]
pub struct Aws<'a> {
    /// EC2 and KMS.
    pub clients: &'a Clients,
    /// What KMS said of keys lately.
    pub keys: &'a KeyCache,
    /// The ledger.
    pub ledger: &'a Table,
    /// Where records go.
    pub audit: &'a Audit,
    /// The policies, whose keys are looked at.
    pub policies: &'a [Policy],
    /// The invocation's end.
    pub deadline: Deadline,
}

impl Aws<'_> {
    /// Copies, read in time, with what KMS says of the keys that they are under.
    async fn with_keys(
        &self,
        region: &Region,
        read: impl Future<Output = Result<Copies, CallError>>,
    ) -> Result<Copies, CallError> {
        let read = async {
            let mut copies = read.await?;
            self.keys.note(self.clients, region, &mut copies).await;
            Ok(copies)
        };
        self.in_time(read).await
    }

    pub(crate) async fn in_time<T>(&self, read: impl Future<Output = Result<T, CallError>>) -> Result<T, CallError> {
        with_timeout(self.deadline.reading_time(), read).await
    }
}

impl World for Aws<'_> {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn left(&self) -> Duration {
        self.deadline.left()
    }

    fn random(&self) -> f64 {
        fastrand::f64()
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    fn say(&self, record: &Record) {
        self.audit.write(record);
    }

    fn calls(&self) -> u64 {
        self.clients.calls()
    }

    async fn sources(&self, ids: &[SnapshotId]) -> Result<Shown, CallError> {
        self.in_time(reads::by_id(self.clients, ids)).await
    }

    async fn shared(&self, owners: &[AccountId], shard: &Shard, next: Option<&str>) -> Result<Page, CallError> {
        self.in_time(reads::shared_page(self.clients, owners, shard, next)).await
    }

    async fn copies_of(&self, region: &Region, sources: &[SnapshotId]) -> Result<Copies, CallError> {
        self.with_keys(region, reads::copies(self.clients, region, sources)).await
    }

    async fn copies_in(&self, region: &Region, shard: &Shard, most: usize) -> Result<CopiesIn, CallError> {
        let read = async {
            let mut read = reads::copies_in(self.clients, region, shard, most).await?;
            if let CopiesIn::All(copies) = &mut read {
                self.keys.note(self.clients, region, copies).await;
            }
            Ok(read)
        };
        self.in_time(read).await
    }

    async fn copies_of_lineages(&self, region: &Region, lineages: &[Lineage]) -> Result<Copies, CallError> {
        self.with_keys(region, reads::copies_of_lineages(self.clients, region, lineages)).await
    }

    async fn copies_by_id(&self, region: &Region, ids: &[SnapshotId]) -> Result<Copies, CallError> {
        self.with_keys(region, reads::copies_by_id(self.clients, region, ids)).await
    }

    async fn keys(&self) -> BTreeMap<KeyArn, KeyFact> {
        let looks = configured(self.policies).into_iter().map(async |(key, region)| {
            let fact = self.keys.look(self.clients, region, key).await;
            (key.clone(), fact)
        });
        join_all(looks).await.into_iter().collect()
    }

    async fn copy(&self, request: &CopyRequest<'_>, at: Timestamp) -> Result<SnapshotId, CopyError> {
        copy_snapshot(self.clients, request, at).await
    }

    async fn obligation(&self, identity: &Identity) -> Result<Option<Item>, CallError> {
        self.ledger.obligation(identity).await
    }

    async fn obligations(&self, shard: &Shard, most: usize) -> Result<Option<Items>, CallError> {
        self.in_time(self.ledger.obligations(shard, most)).await
    }

    async fn line(
        &self,
        line: &str,
        after: Option<&str>,
        before: Option<&str>,
        most: usize,
    ) -> Result<Vec<Obligation>, CallError> {
        self.ledger.line(line, after, before, most).await
    }

    async fn write(&self, obligation: &Obligation) -> Result<Written, CallError> {
        self.ledger.write(obligation).await
    }

    async fn turns(&self, region: &Region) -> Result<Vec<Turn>, CallError> {
        self.ledger.turns(region).await
    }

    async fn write_turn(&self, region: &Region, turn: &Turn) -> Result<Written, CallError> {
        self.ledger.write_turn(region, turn).await
    }

    async fn remove_turn(&self, region: &Region, turn: &Turn) -> Result<Written, CallError> {
        self.ledger.remove_turn(region, turn).await
    }

    async fn hints(&self) -> Result<Vec<Hint>, CallError> {
        self.ledger.hints().await
    }

    async fn write_hint(&self, hint: &Hint) -> Result<Written, CallError> {
        self.ledger.write_hint(hint).await
    }

    async fn remove_hint(&self, hint: &Hint) -> Result<Written, CallError> {
        self.ledger.remove_hint(hint).await
    }

    async fn round(&self) -> Result<Option<Round>, CallError> {
        self.ledger.round().await
    }

    /// The copier of databases holds the kinds against each other, where there is one.
    async fn other_rounds(&self) -> Result<BTreeMap<SourceType, Round>, CallError> {
        Ok(BTreeMap::new())
    }

    async fn write_round(&self, round: &Round) -> Result<Written, CallError> {
        self.ledger.write_round(round).await
    }
}
