//! One invocation's slice of a round: begun by a tick, or gone on with.

use std::time::Duration;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use snapferry_core::copying::RESERVE;
use snapferry_core::ledger::{Round, Shard};

use super::count::count;
use super::lineages::Sweeper;
use super::read::{self, Read};
use super::shard;
use crate::run::Run;
use crate::{World, Written};

/// How long an invocation reads, so that events behind it are served soon.
const READS_FOR: Duration = Duration::from_secs(60);

/// How many shards are read at a time. Each reads the home Region and all target Regions: well within EC2's request rates.
const AT_ONCE: usize = 4;

/// About so many snapshots make a shard.
const OF_A_SHARD: u64 = 8_000;

/// The most digits that a round begins with. More are added while reading.
const MOST_DIGITS: u32 = 4;

/// A round that is older was given up: the next tick begins anew.
const GIVEN_UP_AFTER: SignedDuration = SignedDuration::from_hours(2);

/// What an invocation did of a round.
pub(crate) struct Slice {
    pub(crate) round: Round,
    /// Whether the round's item is still the one that this invocation wrote: else another one goes on with it.
    pub(crate) is_ours: bool,
    /// When reading began, and the calls that had been made by then.
    began: (Timestamp, u64),
}

impl Slice {
    /// Whether all shards are read.
    pub(crate) fn is_done(&self) -> bool {
        self.is_ours && self.round.left.is_empty()
    }

    /// Adds to the round what this invocation spent since it was last asked.
    pub(crate) fn clock<W: World>(&mut self, run: &Run<'_, W>) {
        let (began, calls) = std::mem::replace(&mut self.began, (run.world.now(), run.world.calls()));
        let took = u64::try_from(self.began.0.duration_since(began).as_millis()).unwrap_or_default();
        self.round.took_ms = self.round.took_ms.saturating_add(took);
        self.round.calls = self.round.calls.saturating_add(self.began.1.saturating_sub(calls));
    }
}

/// Reads shards of the round under way, or of one that `tick` begins, for a minute at most. Nothing where there is neither.
pub(crate) async fn slice<W: World>(run: &Run<'_, W>, sweeper: &mut Sweeper, tick: Option<&str>) -> Option<Slice> {
    let began = (run.world.now(), run.world.calls());
    let served = run.served();
    let stands = match run.world.round().await {
        Ok(stands) => stands,
        Err(error) => {
            run.ledger_failed(0, &error);
            return None;
        }
    };
    let under_way = stands.as_ref().filter(|round| is_under_way(round, began.0)).cloned();
    let round = match (under_way, tick) {
        (Some(round), _) => round,
        (None, Some(tick)) => begin(run, tick, stands.as_ref()).await?,
        (None, None) => return None,
    };
    let mut slice = Slice { round, is_ours: true, began };
    // What comes in a shard that is not read yet is counted when it is.
    for served in served {
        if !slice.round.left.iter().any(|shard| shard.contains(&served.source)) {
            count(&mut slice.round, &served);
        }
    }
    sweeper.goes_on(&slice.round);
    read_turns(run).await;
    let enough = run.world.left().saturating_sub(READS_FOR).max(RESERVE.saturating_mul(2));
    while slice.is_ours && !slice.round.left.is_empty() && run.world.left() > enough {
        if !some(run, sweeper, &mut slice).await {
            break;
        }
    }
    Some(slice)
}

fn is_under_way(round: &Round, now: Timestamp) -> bool {
    let age = now.duration_since(round.began);
    !round.left.is_empty() && age < GIVEN_UP_AFTER && age > -GIVEN_UP_AFTER
}

async fn begin<W: World>(run: &Run<'_, W>, tick: &str, last: Option<&Round>) -> Option<Round> {
    let mut shards = vec![Shard::all()];
    for _ in 0..digits(last) {
        shards = shards.iter().flat_map(Shard::parts).collect();
    }
    let round = Round {
        id: tick.to_owned(),
        began: run.world.now(),
        shards: u32::try_from(shards.len()).unwrap_or(u32::MAX),
        left: shards,
        walk: None,
        owed: Default::default(),
        totals: Default::default(),
        calls: 0,
        took_ms: 0,
        revision: last.map_or(0, |last| last.revision.saturating_add(1)),
    };
    match run.world.write_round(&round).await {
        Ok(Written::Done) => Some(round),
        Ok(Written::Stale) => None,
        Err(error) => {
            run.ledger_failed(0, &error);
            None
        }
    }
}

/// As many digits as what the last round saw asks for.
fn digits(last: Option<&Round>) -> u32 {
    let totals = last.map(|last| &last.totals);
    let seen = totals.map_or(0, |totals| totals.shared.saturating_add(totals.before_since));
    (0..MOST_DIGITS).find(|digits| seen >> (4 * digits) <= OF_A_SHARD).unwrap_or(MOST_DIGITS)
}

/// Reads some shards at the same time, and takes them out of the round. Tells whether there is a point in going on.
async fn some<W: World>(run: &Run<'_, W>, sweeper: &mut Sweeper, slice: &mut Slice) -> bool {
    let shards: Vec<Shard> = slice.round.left.iter().take(AT_ONCE).cloned().collect();
    let reads = join_all(shards.iter().map(|shard| read::shard(run, shard))).await;
    let mut left = Vec::new();
    let mut goes_on = true;
    for (shard, read) in shards.iter().zip(reads) {
        match read {
            Read::All(seen) => match shard::take(run, sweeper, slice, shard, seen).await {
                Ok(()) => {}
                Err(error) => {
                    run.ledger_failed(0, &error);
                    left.push(shard.clone());
                    goes_on = false;
                }
            },
            Read::TooMuch => {
                slice.round.shards = slice.round.shards.saturating_add(15);
                left.extend(shard.parts());
            }
            Read::Unread => {
                left.push(shard.clone());
                goes_on = false;
            }
        }
    }
    left.extend(slice.round.left.iter().skip(shards.len()).cloned());
    slice.round.left = left;
    // The last shards are noted with the round's end, so that a process that dies before tells it once more, not never.
    if !slice.round.left.is_empty() {
        note(run, slice).await;
    }
    goes_on
}

/// Writes how far the round has come.
pub(super) async fn note<W: World>(run: &Run<'_, W>, slice: &mut Slice) {
    slice.clock(run);
    let next = Round { revision: slice.round.revision.saturating_add(1), ..slice.round.clone() };
    match run.world.write_round(&next).await {
        Ok(Written::Done) => slice.round = next,
        Ok(Written::Stale) => slice.is_ours = false,
        Err(error) => {
            run.ledger_failed(0, &error);
            slice.is_ours = false;
        }
    }
}

/// Whose turns are gone is seen by what is in line.
async fn read_turns<W: World>(run: &Run<'_, W>) {
    let reads = join_all(run.setup.regions().into_iter().map(async |region| run.read_turns(region).await)).await;
    reads.iter().filter_map(|read| read.as_ref().err()).for_each(|error| run.ledger_failed(0, error));
}
