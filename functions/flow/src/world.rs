//! What the steps ask of the world.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use snapferry_core::audit::Record;
use snapferry_core::copying::{CopyError, CopyRequest};
use snapferry_core::facts::{CallError, Copies, KeyFact, Lineage, SourceSnapshot};
use snapferry_core::ids::{AccountId, KeyArn, Region, SnapshotId};
use snapferry_core::ledger::{Hint, Identity, Obligation, Round, Shard, Turn};
use snapferry_core::policy::SourceType;

/// What became of a conditional write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// The item stands as written.
    Done,
    /// Somebody else wrote the item since it was read: nothing was written.
    Stale,
}

/// An item of the ledger as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The obligation.
    pub obligation: Obligation,
    /// Whether its place in the index is the one that follows from it: a lost or edited one is put back by writing the
    /// obligation again.
    pub is_placed: bool,
}

/// One page of what an owner shares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The snapshots.
    pub snapshots: Vec<SourceSnapshot>,
    /// Where the next page begins, if there is one.
    pub next: Option<String>,
    /// Snapshots that could not be read, each in words that name it.
    pub unreadable: Vec<String>,
}

/// Snapshots that were asked for by their IDs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shown {
    /// Those that EC2 shows, in the order of their IDs.
    pub snapshots: Vec<SourceSnapshot>,
    /// Those that EC2 shows and that cannot be read, with words that name them: they are not gone.
    pub unreadable: BTreeMap<SnapshotId, String>,
}

/// The copies of a shard in a Region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopiesIn {
    /// All of them.
    All(Copies),
    /// There are more than were asked for.
    TooMany,
    /// EC2's pages are mostly empty; see [`is_mostly_empty`].
    MostlyEmpty,
}

/// Obligations as they were read, and what could not be read, each in words that name it.
pub type Items = (Vec<Item>, Vec<String>);

/// Whether so many pages with so many snapshots on them show that EC2 cuts its pages before it filters them: then each shard
/// costs as many calls as all of them together. Of sixteen shards each then has some 60 on a page of 1000.
#[must_use]
pub fn is_mostly_empty(pages: usize, found: usize) -> bool {
    pages > 4 && found < pages.saturating_mul(200)
}

/// AWS as the copier sees it, or a model of it. A read fails as a whole, in the service's own words; a call does not outlast
/// the invocation.
#[allow(async_fn_in_trait, reason = "a function handles one invocation at a time, on one thread")]
pub trait World {
    /// The time.
    fn now(&self) -> Timestamp;

    /// How much of the invocation is left.
    fn left(&self) -> Duration;

    /// From 0 to 1.
    fn random(&self) -> f64;

    /// Waits.
    async fn sleep(&self, time: Duration);

    /// Puts one record into the audit.
    fn say(&self, record: &Record);

    /// Calls made to EC2 and KMS so far, retries not counted.
    fn calls(&self) -> u64;

    /// The snapshots among `ids` that EC2 shows in the home Region, asked for by their IDs.
    async fn sources(&self, ids: &[SnapshotId]) -> Result<Shown, CallError>;

    /// One page of the snapshots of a shard that `owners` share with this account itself. `next` is where the page begins.
    async fn shared(&self, owners: &[AccountId], shard: &Shard, next: Option<&str>) -> Result<Page, CallError>;

    /// This stack's copies of `sources` in a Region, with what KMS says of their keys; of databases those that are under way, too.
    async fn copies_of(&self, region: &Region, sources: &[SnapshotId]) -> Result<Copies, CallError>;

    /// This stack's copies in a Region whose sources are in a shard, up to `most`, with what KMS says of their keys. No page is
    /// read once there are more of them, or once it shows that the pages are mostly empty.
    async fn copies_in(&self, region: &Region, shard: &Shard, most: usize) -> Result<CopiesIn, CallError>;

    /// This stack's copies in a Region that are of these volumes, with what KMS says of their keys.
    async fn copies_of_lineages(&self, region: &Region, lineages: &[Lineage]) -> Result<Copies, CallError>;

    /// The snapshots among `ids` that EC2 shows in a Region, asked for by their IDs: copies that EC2 named.
    async fn copies_by_id(&self, region: &Region, ids: &[SnapshotId]) -> Result<Copies, CallError>;

    /// What KMS says of each key that the policies configure.
    async fn keys(&self) -> BTreeMap<KeyArn, KeyFact>;

    /// Asks for one copy, once. `at` is the time that its expiry counts from.
    async fn copy(&self, request: &CopyRequest<'_>, at: Timestamp) -> Result<SnapshotId, CopyError>;

    /// One obligation, read consistently.
    async fn obligation(&self, identity: &Identity) -> Result<Option<Item>, CallError>;

    /// The obligations whose sources are in a shard and that are not over, [may return](Obligation::may_return), or stand in a line,
    /// read consistently; `None` where there are more than `most`: no page is read once that shows.
    async fn obligations(&self, shard: &Shard, most: usize) -> Result<Option<Items>, CallError>;

    /// Up to `most` obligations of one line of the index, in its order: those behind `after`, and before `before`.
    async fn line(
        &self,
        line: &str,
        after: Option<&str>,
        before: Option<&str>,
        most: usize,
    ) -> Result<Vec<Obligation>, CallError>;

    /// Writes an obligation in place of the one of the revision before; a first one only where there is none.
    async fn write(&self, obligation: &Obligation) -> Result<Written, CallError>;

    /// The turns of all accounts that have something in a Region's line, read consistently.
    async fn turns(&self, region: &Region) -> Result<Vec<Turn>, CallError>;

    /// Writes one account's turn, as [`write`](Self::write) does.
    async fn write_turn(&self, region: &Region, turn: &Turn) -> Result<Written, CallError>;

    /// Removes one account's turn if it is still of this revision.
    async fn remove_turn(&self, region: &Region, turn: &Turn) -> Result<Written, CallError>;

    /// The hints.
    async fn hints(&self) -> Result<Vec<Hint>, CallError>;

    /// Writes a hint, as [`write`](Self::write) does.
    async fn write_hint(&self, hint: &Hint) -> Result<Written, CallError>;

    /// Removes a hint if it is still of this revision.
    async fn remove_hint(&self, hint: &Hint) -> Result<Written, CallError>;

    /// The round under way, or the last one.
    async fn round(&self) -> Result<Option<Round>, CallError>;

    /// The rounds of the other kinds of snapshots, as far as there were any; nothing where another function holds the kinds against each
    /// other.
    async fn other_rounds(&self) -> Result<BTreeMap<SourceType, Round>, CallError>;

    /// Writes the round, as [`write`](Self::write) does.
    async fn write_round(&self, round: &Round) -> Result<Written, CallError>;
}
