//! One invocation's slice of a round: begun by a tick, or gone on with.

use std::cell::RefCell;
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use jiff::{SignedDuration, Timestamp};
use snapferry_core::copying::RESERVE;
use snapferry_core::ledger::{Round, Shard, Stretch};

use super::count::count;
use super::lineages::Sweeper;
use super::read::{self, Read};
use super::take::{self, Alike, Taken};
use super::walk;
use crate::run::Run;
use crate::{World, Written};

/// How long an invocation reads, so that events behind it are served soon.
const READS_FOR: Duration = Duration::from_secs(60);

/// How many parts are read at a time. Each reads the home Region and all target Regions: well within EC2's request rates.
const AT_ONCE: usize = 4;

/// The most digits that a round begins with. More are added while reading. With one more the list of all shards would come near
/// to the 400 KB that an item of DynamoDB's may have (Amazon DynamoDB Developer Guide, "Quotas").
const MOST_DIGITS: u32 = 3;

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
    /// Whether all of it is read.
    pub(crate) fn is_done(&self) -> bool {
        self.is_ours && self.round.is_read()
    }

    /// Adds to the round what this invocation spent since it was last asked.
    pub(crate) fn clock<W: World>(&mut self, run: &Run<'_, W>) {
        let (began, calls) = std::mem::replace(&mut self.began, (run.world.now(), run.world.calls()));
        let took = u64::try_from(self.began.0.duration_since(began).as_millis()).unwrap_or_default();
        self.round.took_ms = self.round.took_ms.saturating_add(took);
        self.round.calls = self.round.calls.saturating_add(self.began.1.saturating_sub(calls));
    }
}

/// Reads parts of the round under way, or of one that `tick` begins, for a minute at most. Nothing where there is neither.
pub(crate) async fn slice<W: World>(run: &Run<'_, W>, sweeper: &RefCell<Sweeper>, tick: Option<&str>) -> Option<Slice> {
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
    // What comes in a part that is not read yet is counted when it is.
    for served in served {
        if !slice.round.awaits(&served.source) {
            count(&mut slice.round, &served);
        }
    }
    sweeper.borrow_mut().goes_on(&slice.round);
    read_turns(run).await;
    let alike = read(run, sweeper, &mut slice).await;
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
    let enough = run.world.left().saturating_sub(READS_FOR).max(RESERVE.saturating_mul(2));
    let id = slice.round.id.clone();
    let (mut reading, mut begun, mut alike) = (FuturesUnordered::new(), Vec::new(), Alike::new());
    let mut goes_on = true;
    loop {
        while goes_on && slice.is_ours && begun.len() < AT_ONCE && run.world.left() > enough {
            let Some(part) = next(&slice.round, &begun) else { break };
            begun.push(part.clone());
            reading.push(self::part(run, sweeper, &id, part));
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
                replace(&mut slice.round, &part, rest);
            }
            Done::TooMuch(parts) => {
                let more = u32::try_from(parts.len().saturating_sub(1)).unwrap_or_default();
                slice.round.shards = slice.round.shards.saturating_add(more);
                replace(&mut slice.round, &part, parts);
            }
            Done::MostlyEmpty => {
                (reading, begun, alike) = (FuturesUnordered::new(), Vec::new(), Alike::new());
                fall_back(run, &mut slice.round);
                sweeper.borrow_mut().begins(&slice.round);
            }
            Done::Unread => {
                // Behind the others: it may be all that cannot be read.
                replace(&mut slice.round, &part, vec![part.clone()]);
                goes_on = false;
            }
        }
        // The last part is noted with the round's end, so that a process that dies before tells it once more, not never.
        if slice.is_ours && !slice.round.is_read() {
            note(run, slice).await;
        }
    }
    alike
}

/// A part of a round.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// What is shared, copied and owed of a shard.
    Shard(Shard),
    /// What is shared and copied of an owner, a page of it.
    Stretch(Stretch),
    /// What is owed of a shard.
    Ledger(Shard),
}

/// What became of a part.
enum Done {
    /// This it adds to the round, and this is left of it.
    Taken(Box<Taken>, Vec<Part>),
    /// It does not fit into memory: these are to be read instead.
    TooMuch(Vec<Part>),
    /// EC2's pages of a shard are mostly empty.
    MostlyEmpty,
    /// It is to be read later.
    Unread,
}

/// The first part that is not read yet, and not being read.
fn next(round: &Round, begun: &[Part]) -> Option<Part> {
    let walk = round.walk.iter().flatten().cloned().map(Part::Stretch);
    let of = |shard| if round.walk.is_some() { Part::Ledger(shard) } else { Part::Shard(shard) };
    walk.chain(round.left.iter().cloned().map(of)).find(|part| !begun.contains(part))
}

async fn part<W: World>(run: &Run<'_, W>, sweeper: &RefCell<Sweeper>, round: &str, part: Part) -> (Part, Done) {
    let (read, rest) = match &part {
        Part::Shard(shard) => (read::shard(run, shard).await, None),
        Part::Stretch(stretch) => walk::page(run, stretch).await,
        Part::Ledger(shard) => (walk::ledger(run, shard).await, None),
    };
    let seen = match read {
        Read::All(seen) => seen,
        Read::TooMuch => {
            let parts = match &part {
                Part::Shard(shard) => shard.parts().map(Part::Shard).collect(),
                Part::Ledger(shard) => shard.parts().map(Part::Ledger).collect(),
                Part::Stretch(_) => vec![part.clone()],
            };
            return (part, Done::TooMuch(parts));
        }
        Read::MostlyEmpty => return (part, Done::MostlyEmpty),
        Read::Unread => return (part, Done::Unread),
    };
    let taken = match &part {
        Part::Shard(_) | Part::Stretch(_) => take::shared(run, sweeper, round, seen).await,
        Part::Ledger(_) => take::ledger(run, sweeper, round, seen).await,
    };
    match taken {
        Ok(taken) => (part, Done::Taken(Box::new(taken), rest.into_iter().map(Part::Stretch).collect())),
        Err(error) => {
            run.ledger_failed(0, &error);
            (part, Done::Unread)
        }
    }
}

/// Takes a part out of the round, and puts these in its place, behind all others.
fn replace(round: &mut Round, part: &Part, by: Vec<Part>) {
    match part {
        Part::Shard(shard) | Part::Ledger(shard) => round.left.retain(|other| other != shard),
        Part::Stretch(stretch) => round.walk.iter_mut().for_each(|walk| walk.retain(|other| other != stretch)),
    }
    for part in by {
        match part {
            Part::Shard(shard) | Part::Ledger(shard) => round.left.push(shard),
            Part::Stretch(stretch) => round.walk.get_or_insert_default().push(stretch),
        }
    }
}

/// Begins the round anew, as a walk. What it costs counts on.
fn fall_back<W: World>(run: &Run<'_, W>, round: &mut Round) {
    let walk = walk::stretches(run);
    round.left = vec![Shard::all()];
    round.shards = u32::try_from(walk.len().saturating_add(1)).unwrap_or(u32::MAX);
    round.walk = Some(walk);
    (round.owed, round.totals) = Default::default();
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
