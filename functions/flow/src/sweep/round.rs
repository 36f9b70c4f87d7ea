//! One invocation's slice of a round: begun by a tick, or gone on with.

use std::cell::RefCell;
use std::time::Duration;

use futures_util::future::{join, join_all};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use jiff::{SignedDuration, Timestamp};
use snapferry_core::copying::RESERVE;
use snapferry_core::ledger::{Round, Shard};

use super::lineages::Sweeper;
use super::parts::{self, Done};
use super::read;
use super::slice::Slice;
use super::take::{self, Alike};
use crate::run::Run;
use crate::{World, Written};

/// How many parts are read at a time. Each reads the home Region and all target Regions: well within EC2's request rates.
const AT_ONCE: usize = 4;

/// The most digits that a round begins with. More are added while reading. With one more the list of all shards would come near
/// to the 400 KB that an item of DynamoDB's may have (Amazon DynamoDB Developer Guide, "Quotas").
const MOST_DIGITS: u32 = 3;

/// A round that is older was given up: the next tick begins anew.
const GIVEN_UP_AFTER: SignedDuration = SignedDuration::from_hours(2);

/// Reads parts of the round under way, or of one that `tick` begins, until so much of the invocation is left. Nothing where there
/// is neither.
pub(crate) async fn slice<W: World>(
    run: &Run<'_, W>,
    sweeper: &RefCell<Sweeper>,
    tick: Option<&str>,
    until: Duration,
) -> Option<Slice> {
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
    run.until.set(until.max(RESERVE.saturating_mul(2)));
    served.iter().for_each(|served| slice.count(served));
    sweeper.borrow_mut().goes_on(&slice.round);
    read_turns(run).await;
    // At the same time, so that a Region that answers nothing is waited for once.
    let (alike, _) = join(read(run, sweeper, &mut slice), run.keys()).await;
    take::tell_alike(run, alike);
    Some(slice)
}

fn is_under_way(round: &Round, now: Timestamp) -> bool {
    let age = now.duration_since(round.began);
    !round.is_read() && age < GIVEN_UP_AFTER && age > -GIVEN_UP_AFTER
}

async fn begin<W: World>(run: &Run<'_, W>, tick: &str, last: Option<&Round>) -> Option<Round> {
    let mut shards = vec![Shard::all()];
    for _ in 0..digits(last, read::fits(run)) {
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
        heard: last.and_then(Round::heard_last),
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
fn digits(last: Option<&Round>, fits: usize) -> u32 {
    let totals = last.map(|last| &last.totals);
    let seen = totals.map_or(0, |totals| totals.shared.saturating_add(totals.before_since));
    let fits = u64::try_from(fits).unwrap_or(u64::MAX);
    (0..MOST_DIGITS).find(|digits| seen >> (4 * digits) <= fits).unwrap_or(MOST_DIGITS)
}

/// Reads several parts at the same time, and takes each in as soon as it is read.
async fn read<W: World>(run: &Run<'_, W>, sweeper: &RefCell<Sweeper>, slice: &mut Slice) -> Alike {
    let id = slice.round.id.clone();
    let (mut reading, mut begun, mut alike) = (FuturesUnordered::new(), Vec::new(), Alike::new());
    let mut goes_on = true;
    loop {
        while goes_on && slice.is_ours && begun.len() < AT_ONCE && run.has_time() {
            let Some(part) = parts::next(&slice.round, &begun) else { break };
            begun.push(part.clone());
            let unread = slice.round.totals.unread.clone();
            reading.push(parts::read(run, sweeper, &id, part, unread));
        }
        let Some((part, done)) = reading.next().await else { break };
        begun.retain(|other| *other != part);
        match done {
            Done::Taken(taken, rest) => {
                slice.round.totals.add_all(taken.totals);
                for (region, count) in taken.owed {
                    let so_far = slice.round.owed.entry(region).or_default();
                    *so_far = so_far.saturating_add(count);
                }
                take::add(&mut alike, taken.alike);
                parts::replace(&mut slice.round, &part, rest);
            }
            Done::TooMuch(instead) => {
                let more = u32::try_from(instead.len().saturating_sub(1)).unwrap_or_default();
                slice.round.shards = slice.round.shards.saturating_add(more);
                parts::replace(&mut slice.round, &part, instead);
            }
            Done::MostlyEmpty => {
                (reading, begun, alike) = (FuturesUnordered::new(), Vec::new(), Alike::new());
                parts::fall_back(run, &mut slice.round);
                sweeper.borrow_mut().begins(&slice.round);
            }
            Done::Cut => goes_on = false,
            Done::Unread => {
                // Behind the others: it may be all that cannot be read.
                parts::replace(&mut slice.round, &part, vec![part.clone()]);
                goes_on = false;
            }
        }
        // The last part is noted with the round's end, so that a process that dies before tells it once more, not never.
        if slice.is_ours && !slice.round.is_read() {
            slice.note(run).await;
        }
    }
    alike
}

/// Whose turns are gone is seen by what is in line.
async fn read_turns<W: World>(run: &Run<'_, W>) {
    let reads = join_all(run.setup.regions().into_iter().map(async |region| run.read_turns(region).await)).await;
    reads.iter().filter_map(|read| read.as_ref().err()).for_each(|error| run.ledger_failed(0, error));
}
