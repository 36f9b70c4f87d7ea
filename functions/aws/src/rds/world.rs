//! AWS as the copier's steps see it, for databases: the ledger, the keys and the line are those of volumes, the snapshots RDS's.
//!
//! There is one for each kind, with a ledger of its own: RDS makes 20 copies of instances' snapshots at a time and 5 of clusters', and a
//! line that waits for these must not hold up those.
//!
//! RDS filters neither by owner nor by tag, so what is shared and what is kept is read in full, a page at a time, and what is not
//! asked for is let go. No event tells of a share: sweeps come upon all of it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::try_join_all;
use jiff::Timestamp;
use snapferry_core::audit::{CopyFailed, Record};
use snapferry_core::copying::{CopyError, CopyFailure, CopyRequest};
use snapferry_core::ebs::errors::is_throttling;
use snapferry_core::facts::{CallError, Copies, Copy, Inventory, KeyFact, Lineage, SourceSnapshot, State};
use snapferry_core::homes::is_anothers;
use snapferry_core::ids::{AccountId, KeyArn, Region, SnapshotId};
use snapferry_core::ledger::{Hint, Identity, Obligation, Round, Shard, Turn};
use snapferry_core::policy::SourceType;
use snapferry_core::rds::{self, Attempts, Kind, Shared};
use snapferry_flow::{CopiesIn, Item, Items, Page, Shown, World, Written};
use tokio::time::Instant;

use super::clients::RdsClients;
use super::copy::copy;
use super::read;
use crate::ledger::Table;
use crate::world::Aws;

/// For so long what was read of a source holds. A copy call names its source by its ARN, which belongs to another snapshot once an
/// owner deletes the source and makes one under its name; RDS takes longer than this to make one.
const FRESH: Duration = Duration::from_secs(30);

/// AWS during one invocation, for snapshots of instances or of clusters.
#[derive(Debug)]
pub struct Databases<'a> {
    /// The ledger, the keys and the audit.
    aws: Aws<'a>,
    clients: &'a RdsClients,
    kind: Kind,
    /// The ledgers of the other kinds of snapshots, volumes' among them.
    others: Vec<(SourceType, &'a Table)>,
    /// What was read of shared snapshots, and when: a request names more of its source than the steps know.
    seen: RefCell<BTreeMap<SnapshotId, (Shared, Instant)>>,
    attempts: RefCell<Attempts>,
}

impl<'a> Databases<'a> {
    /// The same world as `aws`, with RDS's snapshots of a kind; its ledger is that kind's alone, and `others` are those of all other kinds.
    #[must_use]
    pub fn new(aws: Aws<'a>, clients: &'a RdsClients, kind: Kind, others: Vec<(SourceType, &'a Table)>) -> Self {
        Self { aws, clients, kind, others, seen: RefCell::default(), attempts: RefCell::default() }
    }

    async fn page(&self, marker: Option<&str>) -> Result<read::Page<Shared>, CallError> {
        read::shared(self.clients, self.kind, marker).await
    }

    fn remember(&self, shared: Shared) -> SnapshotId {
        let id = shared.source.id();
        self.seen.borrow_mut().insert(id.clone(), (shared, Instant::now()));
        id
    }

    /// What is shared now of those that are wanted, and what cannot be read; no further than to `last`, if that is given.
    async fn read_sources(
        &self,
        is_wanted: impl Fn(&SnapshotId) -> bool,
        last: Option<&SnapshotId>,
    ) -> Result<(Vec<SourceSnapshot>, Vec<String>), CallError> {
        let read = async {
            let (mut shown, mut unreadable, mut next) = (Vec::new(), Vec::new(), None::<String>);
            loop {
                let page = self.page(next.as_deref()).await?;
                unreadable.extend(page.unreadable);
                let mut is_last = page.next.is_none();
                for shared in page.snapshots.into_iter().filter(|shared| is_wanted(&shared.source.id())) {
                    shown.push(shared.fact());
                    let id = self.remember(shared);
                    is_last |= last == Some(&id);
                }
                if is_last {
                    return Ok((shown, unreadable));
                }
                next = page.next;
            }
        };
        self.aws.in_time(read).await
    }

    fn seen(&self, source: &SnapshotId) -> Option<Shared> {
        let seen = self.seen.borrow();
        let (shared, at) = seen.get(source)?;
        (at.elapsed() < FRESH).then(|| shared.clone())
    }

    /// The source as it is shared now, as far as a request can rest on it.
    async fn source(&self, id: &SnapshotId) -> Result<Shared, CopyError> {
        if let Some(shared) = self.seen(id) {
            return Ok(shared);
        }
        let known: BTreeSet<SnapshotId> = self.seen.borrow().keys().chain([id]).cloned().collect();
        // All pages may take longer than what the first of them say holds.
        if let Err(error) = self.read_sources(|source| known.contains(source), Some(id)).await {
            let failure = if is_throttling(&error.code) { CopyFailure::Throttled } else { CopyFailure::Ambiguous };
            return Err(CopyError { failure, error });
        }
        self.seen(id).ok_or_else(gone)
    }

    /// The copies of this home and the retired ones in `region` that pass `wanted`, with what KMS says of their keys; nothing where
    /// there are more than `most`.
    async fn copies(
        &self,
        region: &Region,
        most: usize,
        wanted: impl Fn(&Copy) -> bool,
    ) -> Result<Option<Copies>, CallError> {
        let (mut inventory, mut attempt_of) = (Inventory::default(), BTreeMap::new());
        read::for_each_own(self.clients, region, self.kind, |own| {
            let Some(copy) = own.fact() else { return };
            if let Some(name) = own.copy_name().filter(|_| own.came_to_nothing()) {
                self.attempts.borrow_mut().note_dead(&name);
            }
            if is_anothers(&self.aws.clients.homes, copy.tags.source_region.as_ref()) {
                return;
            }
            attempt_of.extend(own.attempt().map(|attempt| (copy.id.clone(), attempt)));
            inventory.add(copy);
        })
        .await?;
        let mut copies = inventory.close();
        copies.copies.retain(|copy| wanted(copy));
        if copies.copies.len() > most {
            return Ok(None);
        }
        self.aws.keys.note(self.aws.clients, region, &mut copies).await;
        self.attempts.borrow_mut().note(region, &copies, &attempt_of);
        Ok(Some(copies))
    }

    async fn all_copies(&self, region: &Region, wanted: impl Fn(&Copy) -> bool) -> Result<Copies, CallError> {
        let read = async { Ok(self.copies(region, usize::MAX, wanted).await?.unwrap_or_default()) };
        self.aws.in_time(read).await
    }
}

impl World for Databases<'_> {
    fn now(&self) -> Timestamp {
        self.aws.now()
    }

    fn left(&self) -> Duration {
        self.aws.left()
    }

    fn random(&self) -> f64 {
        self.aws.random()
    }

    async fn sleep(&self, time: Duration) {
        self.aws.sleep(time).await;
    }

    fn say(&self, record: &Record) {
        self.aws.say(record);
    }

    fn calls(&self) -> u64 {
        self.aws.calls().saturating_add(self.clients.calls())
    }

    async fn sources(&self, ids: &[SnapshotId]) -> Result<Shown, CallError> {
        let (mut snapshots, unreadable) = self.read_sources(|id| ids.contains(id), None).await?;
        snapshots.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        snapshots.dedup_by(|a, b| a.id == b.id);
        // What cannot be read does not say which of its owner's it is: it may be any that is not found. A stranger's is none of them.
        let owners = self.aws.policies.iter().flat_map(|policy| &policy.owners);
        let owners: BTreeSet<String> = owners.map(|owner| format!(":{owner}:")).collect();
        let is_owners = |what: &String| owners.iter().any(|owner| what.contains(owner.as_str()));
        let unreadable: Vec<String> = unreadable.into_iter().filter(is_owners).collect();
        let missing = ids.iter().filter(|id| !unreadable.is_empty() && !snapshots.iter().any(|shown| shown.id == **id));
        let unreadable = missing.map(|id| (id.clone(), unreadable.join("; "))).collect();
        Ok(Shown { snapshots, unreadable })
    }

    async fn shared(&self, owners: &[AccountId], shard: &Shard, next: Option<&str>) -> Result<Page, CallError> {
        let read = async {
            let found = self.page(next).await?;
            let mut page = Page { snapshots: Vec::new(), next: found.next, unreadable: found.unreadable };
            for shared in found.snapshots.into_iter().filter(|shared| owners.contains(&shared.source.arn.account)) {
                let fact = shared.fact();
                if shard.contains(&fact.id) {
                    page.snapshots.push(fact);
                    self.remember(shared);
                }
            }
            Ok(page)
        };
        self.aws.in_time(read).await
    }

    async fn copies_of(&self, region: &Region, sources: &[SnapshotId]) -> Result<Copies, CallError> {
        self.all_copies(region, |copy| copy.state == State::Pending || sources.contains(&copy.source)).await
    }

    async fn copies_in(&self, region: &Region, shard: &Shard, most: usize) -> Result<CopiesIn, CallError> {
        let read = self.copies(region, most, |copy| shard.contains(&copy.source));
        Ok(self.aws.in_time(read).await?.map_or(CopiesIn::TooMany, CopiesIn::All))
    }

    async fn copies_of_lineages(&self, region: &Region, lineages: &[Lineage]) -> Result<Copies, CallError> {
        self.all_copies(region, |copy| copy.lineage.as_ref().is_some_and(|lineage| lineages.contains(lineage))).await
    }

    async fn copies_by_id(&self, region: &Region, ids: &[SnapshotId]) -> Result<Copies, CallError> {
        self.all_copies(region, |copy| ids.contains(&copy.id)).await
    }

    async fn keys(&self) -> BTreeMap<KeyArn, KeyFact> {
        self.aws.keys().await
    }

    async fn copy(&self, request: &CopyRequest<'_>, at: Timestamp) -> Result<SnapshotId, CopyError> {
        let source = self.source(&request.source.id).await?;
        let of =
            |attempt| rds::CopyRequest { policy: request.policy, source: &source, target: request.target, attempt };
        let attempt = self.attempts.borrow().next(&request.identity(), |attempt| of(attempt).name());
        let request = of(attempt);
        copy(self.clients, &request, at).await
    }

    async fn obligation(&self, identity: &Identity) -> Result<Option<Item>, CallError> {
        self.aws.obligation(identity).await
    }

    async fn obligations(&self, shard: &Shard, most: usize) -> Result<Option<Items>, CallError> {
        self.aws.obligations(shard, most).await
    }

    async fn line(
        &self,
        line: &str,
        after: Option<&str>,
        before: Option<&str>,
        most: usize,
    ) -> Result<Vec<Obligation>, CallError> {
        self.aws.line(line, after, before, most).await
    }

    async fn write(&self, obligation: &Obligation) -> Result<Written, CallError> {
        // Each request leaves under an intent that was written here.
        self.attempts.borrow_mut().note_intent(obligation);
        self.aws.write(obligation).await
    }

    async fn turns(&self, region: &Region) -> Result<Vec<Turn>, CallError> {
        self.aws.turns(region).await
    }

    async fn write_turn(&self, region: &Region, turn: &Turn) -> Result<Written, CallError> {
        self.aws.write_turn(region, turn).await
    }

    async fn remove_turn(&self, region: &Region, turn: &Turn) -> Result<Written, CallError> {
        self.aws.remove_turn(region, turn).await
    }

    async fn hints(&self) -> Result<Vec<Hint>, CallError> {
        self.aws.hints().await
    }

    async fn write_hint(&self, hint: &Hint) -> Result<Written, CallError> {
        self.aws.write_hint(hint).await
    }

    async fn remove_hint(&self, hint: &Hint) -> Result<Written, CallError> {
        self.aws.remove_hint(hint).await
    }

    async fn round(&self) -> Result<Option<Round>, CallError> {
        self.aws.round().await
    }

    async fn other_rounds(&self) -> Result<BTreeMap<SourceType, Round>, CallError> {
        let read = async |(kind, ledger): &(SourceType, &Table)| Ok(Some(*kind).zip(ledger.round().await?));
        let read = try_join_all(self.others.iter().map(read)).await?;
        Ok(read.into_iter().flatten().collect())
    }

    async fn write_round(&self, round: &Round) -> Result<Written, CallError> {
        self.aws.write_round(round).await
    }
}

fn gone() -> CopyError {
    CopyError {
        failure: CopyFailure::Refused {
            reason: CopyFailed::SourceNotFound,
            remedy: "The source was deleted, is no longer shared, or was made again under its name, after it was looked at; nothing was \
                     asked for. One that was made again is copied as another snapshot. Else share it again from the source account.",
        },
        error: CallError {
            code: "SourceNotShared".to_owned(),
            message: "RDS does not show it any more".to_owned(),
            request_id: None,
        },
    }
}
