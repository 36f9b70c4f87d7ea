//! The ledger's table (DynamoDB): obligations, turns, hints and the round, each one item that is read and written whole.
//!
//! What an item is stands in its key: `O#<x>` / `<source ID reversed>#<region>#<policy>` (`x` is the source ID's last digit, so
//! that obligations spread over sixteen partitions and a shard is a prefix), `A#<region>` / account, `H` / source, `R` / `round`,
//! `P#<region>` / copy.

mod attributes;
mod obligations;
mod others;
mod proofs;
mod table;

use std::cell::RefCell;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use snapferry_core::facts::CallError;
use snapferry_core::ids::{AccountId, Region};
use snapferry_core::ledger::{Hint, Identity, Obligation, Round, Shard, State, Turn};
pub use snapferry_flow::Written;
use snapferry_flow::{Item, Items};

use self::attributes::Attributes;
pub use self::proofs::Place;
pub use self::table::Table;
use self::table::{Filter, Lost, Write};

/// How often a turn is written again because somebody else wrote it. Whoever did so wrote it for the same line.
const ATTEMPTS: usize = 3;

/// How many partitions are read at the same time, to keep the memory small.
const PARTITIONS_AT_ONCE: usize = 4;

impl Table {
    /// One obligation. One that cannot be read is none: the first write of it puts right what stands there.
    ///
    /// # Errors
    /// When DynamoDB did not answer.
    pub async fn obligation(&self, identity: &Identity) -> Result<Option<Item>, CallError> {
        let Some(item) = self.get(obligations::key(identity)).await? else { return Ok(None) };
        let read = obligations::read(&item, Timestamp::now());
        Ok(readable(read).filter(|item| item.obligation.identity == *identity))
    }

    /// The obligations whose sources are in a shard and that are not over, may return, or stand in a line, and in words what cannot be read;
    /// `None` where there are more than `most`: no page is read once that shows.
    ///
    /// # Errors
    /// When DynamoDB did not answer.
    pub async fn obligations(&self, shard: &Shard, most: usize) -> Result<Option<Items>, CallError> {
        let (partitions, begins) = (obligations::partitions(shard), obligations::begins(shard));
        let (now, read) = (Timestamp::now(), RefCell::new((Vec::new(), Vec::new())));
        let take = |items: Vec<Attributes>| {
            let (found, unreadable) = &mut *read.borrow_mut();
            for item in &items {
                match obligations::read(item, now) {
                    Ok(item) => found.extend(item),
                    Err(problem) => unreadable.push(problem),
                }
            }
            found.len().saturating_add(unreadable.len()) <= most
        };
        let open = Some(Filter::Open);
        let reads = stream::iter(&partitions).map(async |pk| self.query(pk, &begins, open, take).await);
        reads.buffer_unordered(PARTITIONS_AT_ONCE).try_collect::<()>().await?;
        let (found, unreadable) = read.into_inner();
        let is_all = found.len().saturating_add(unreadable.len()) <= most;
        Ok(is_all.then_some((found, unreadable)))
    }

    /// Hands over each obligation whose source is in a shard, what is over included, as its page is read; and in words what cannot be
    /// read. They come in no order.
    ///
    /// # Errors
    /// When DynamoDB did not answer.
    pub async fn look(&self, shard: &Shard, take: impl FnMut(Result<Obligation, String>)) -> Result<(), CallError> {
        let (partitions, begins) = (obligations::partitions(shard), obligations::begins(shard));
        let (now, take) = (Timestamp::now(), RefCell::new(take));
        let take = |items: Vec<Attributes>| {
            let read = items.iter().filter_map(|item| obligations::read(item, now).transpose());
            read.for_each(|item| (take.borrow_mut())(item.map(|item| item.obligation)));
            true
        };
        let reads = stream::iter(&partitions).map(async |pk| self.query(pk, &begins, None, take).await);
        reads.buffer_unordered(PARTITIONS_AT_ONCE).try_collect::<()>().await
    }

    /// Up to `most` obligations of one line of the index, in its order: those behind `after`, and before `before`.
    ///
    /// # Errors
    /// When DynamoDB did not answer.
    pub async fn line(
        &self,
        line: &str,
        after: Option<&str>,
        before: Option<&str>,
        most: usize,
    ) -> Result<Vec<Obligation>, CallError> {
        let now = Timestamp::now();
        let read = |item: &Attributes| readable(obligations::read(item, now)).map(|item| item.obligation);
        self.query_line(line, after, before, most, read).await
    }

    /// Writes an obligation in place of the one of the revision before; a first one only where there is none. Where an item
    /// stands that cannot be read, nobody knows whether its copy was just asked for: one that waits for that takes its place,
    /// and the write is stale.
    ///
    /// # Errors
    /// When DynamoDB did not answer.
    pub async fn write(&self, obligation: &Obligation) -> Result<Written, CallError> {
        let write = Write { revision: obligation.revision, item: obligations::item(obligation) };
        let Err(lost) = self.put(write).await? else { return Ok(Written::Done) };
        if let Lost::Unreadable(found) = lost {
            let waiting =
                Obligation { state: State::Asked { at: Timestamp::now() }, revision: 0, ..obligation.clone() };
            tracing::warn!(?waiting.identity, "an item of the ledger that cannot be read is replaced");
            self.replace(&found, obligations::item(&waiting)).await?;
        }
        Ok(Written::Stale)
    }

    /// Writes what becomes of an obligation that was read; of what stands there now, where somebody else wrote it since. What became
    /// wanted anew meanwhile, is so in spite of what made this step.
    ///
    /// # Errors
    /// When DynamoDB did not answer.
    pub async fn step(
        &self,
        read: &Obligation,
        becomes: impl Fn(&Obligation) -> Option<Obligation>,
    ) -> Result<(), CallError> {
        let Some(next) = becomes(read) else { return Ok(()) };
        if self.write_with_turn(&next).await? == Written::Done {
            return Ok(());
        }
        let stands = self.obligation(&read.identity).await?.map(|item| item.obligation);
        let stands = stands.filter(|stands| stands.generation == read.generation);
        match stands.as_ref().and_then(becomes) {
            Some(next) => self.write_with_turn(&next).await.map(|_| ()),
            None => Ok(()),
        }
    }

    /// What goes back into the line gets its account's turn first, so that the next tick serves it: a line without a turn would
    /// wait for the next sweep, and a turn without a line goes by itself.
    async fn write_with_turn(&self, next: &Obligation) -> Result<Written, CallError> {
        if let State::Owed | State::Delayed { .. } = next.state {
            self.keep_turn(&next.identity.region, &next.account).await?;
        }
        self.write(next).await
    }

    /// The turns of all accounts that have something in a Region's line.
    ///
    /// # Errors
    /// When DynamoDB did not answer.
    pub async fn turns(&self, region: &Region) -> Result<Vec<Turn>, CallError> {
        let items = self.partition(&others::turns(region)).await?;
        Ok(items.iter().filter_map(|item| readable(others::read_turn(item).map(Some))).collect())
    }

    /// Writes one account's turn, as [`write`](Self::write) does.
    ///
    /// # Errors
    /// When DynamoDB did not answer.
    pub async fn write_turn(&self, region: &Region, turn: &Turn) -> Result<Written, CallError> {
        self.write_other(turn.revision, others::turn(region, turn)).await
    }

    /// Sees to it that an account has a turn in a Region, and keeps it for a while. Nothing is read but what stands in the way of a
    /// first write.
    ///
    /// # Errors
    /// When DynamoDB did not answer.
    pub async fn keep_turn(&self, region: &Region, account: &AccountId) -> Result<(), CallError> {
        let mut turn = Turn::new(account.clone(), Timestamp::now());
        for _ in 0..ATTEMPTS {
            let item = others::turn(region, &turn);
            let found = match self.put(Write { revision: turn.revision, item: item.clone() }).await? {
                Ok(()) => return Ok(()),
                Err(Lost::Unreadable(found)) => return self.replace(&found, item).await.map(|_| ()),
                Err(Lost::Stale(found)) => found.and_then(|found| readable(others::read_turn(&found).map(Some))),
            };
            let now = Timestamp::now();
            turn = match found {
                Some(found) => match found.added(now) {
                    Some(turn) => turn,
                    None => return Ok(()),
                },
                None => Turn::new(account.clone(), now),
            };
        }
        Ok(())
    }

    /// Removes one account's turn if it is still of this revision.
    ///
    /// # Errors
    /// When DynamoDB did not answer.
    pub async fn remove_turn(&self, region: &Region, turn: &Turn) -> Result<Written, CallError> {
        self.delete(others::turn_key(region, &turn.account), turn.revision).await
    }

    /// The hints.
    ///
    /// # Errors
    /// When DynamoDB did not answer.
    pub async fn hints(&self) -> Result<Vec<Hint>, CallError> {
        let items = self.partition(others::HINTS).await?;
        Ok(items.iter().filter_map(|item| readable(others::read_hint(item).map(Some))).collect())
    }

    /// Writes a hint, as [`write`](Self::write) does.
    ///
    /// # Errors
    /// When DynamoDB did not answer.
    pub async fn write_hint(&self, hint: &Hint) -> Result<Written, CallError> {
        self.write_other(hint.revision, others::hint(hint)).await
    }

    /// Removes a hint if it is still of this revision.
    ///
    /// # Errors
    /// When DynamoDB did not answer.
    pub async fn remove_hint(&self, hint: &Hint) -> Result<Written, CallError> {
        self.delete(others::hint_key(&hint.source), hint.revision).await
    }

    /// The round under way, or the last one.
    ///
    /// # Errors
    /// When DynamoDB did not answer.
    pub async fn round(&self) -> Result<Option<Round>, CallError> {
        let item = self.get(others::round_key()).await?;
        Ok(item.and_then(|item| readable(others::read_round(&item).map(Some))))
    }

    /// Writes the round, as [`write`](Self::write) does.
    ///
    /// # Errors
    /// When DynamoDB did not answer.
    pub async fn write_round(&self, round: &Round) -> Result<Written, CallError> {
        self.write_other(round.revision, others::round(round)).await
    }

    async fn partition(&self, pk: &str) -> Result<Vec<Attributes>, CallError> {
        let mut all = Vec::new();
        let take = |items| {
            all.extend::<Vec<Attributes>>(items);
            true
        };
        self.query(pk, "", None, take).await?;
        Ok(all)
    }

    /// Writes what no copy hangs on: what stands in its place and cannot be read is simply replaced.
    async fn write_other(&self, revision: u64, item: Attributes) -> Result<Written, CallError> {
        match self.put(Write { revision, item: item.clone() }).await? {
            Ok(()) => Ok(Written::Done),
            Err(Lost::Unreadable(found)) => self.replace(&found, item).await,
            Err(Lost::Stale(_)) => Ok(Written::Stale),
        }
    }
}

/// What was read, where it can be read. What cannot is named in the log: a sweep names obligations in the audit, and all
/// others are replaced by the next write.
fn readable<T>(read: Result<Option<T>, String>) -> Option<T> {
    read.unwrap_or_else(|problem| {
        tracing::warn!(problem, "an item of the ledger cannot be read");
        None
    })
}
