//! One run: days of shares, events, ticks, faults and kills, until everything has settled.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use snapferry_core::ids::SnapshotId;
use snapferry_core::ledger::{Obligation, State};
use snapferry_core::policy::SourceType;

use crate::clock::{DAY, HOUR, MINUTE, Ms, SECOND, timestamp};
use crate::cloud::Cloud;
use crate::ec2::Ec2;
use crate::ends::wish;
use crate::function::Function;
use crate::laws;
use crate::mistakes::Mistake;
use crate::policies::{BEN, CARLA, Phase, REGIONS, STRANGER};
use crate::queue::{Queue, tick};
use crate::sources::{Source, sources};
use crate::weather::Weather;

const SWEEP_EVERY: Ms = 15 * MINUTE;
const SERVE_EVERY: Ms = MINUTE;

/// How large a run is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    /// Of which kind all snapshots are.
    pub(crate) kind: SourceType,
    /// Snapshots that a policy wants in three Regions.
    pub(crate) snapshots: usize,
    /// For how long shares and faults go on.
    pub(crate) storm: Ms,
    /// Per cent of the events that come several times.
    pub(crate) repeated: u32,
}

/// What a run came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) kind: SourceType,
    pub(crate) seed: u64,
    pub(crate) broken: Vec<String>,
    pub(crate) counts: BTreeMap<&'static str, u64>,
    pub(crate) longest_wait: u32,
    pub(crate) hours: Ms,
}

/// What is done to the table by hand, and when.
#[derive(Debug)]
struct Meddling {
    poison: Vec<Ms>,
    empty: Option<Ms>,
}

impl Meddling {
    fn new(rng: &mut Rng, until: Ms) -> Self {
        let mut poison: Vec<Ms> = (0..rng.u32(0..4)).map(|_| rng.i64(0..until)).collect();
        // Once when all is calm: what was edited then has a day to come right.
        poison.push(until + 5 * MINUTE);
        poison.sort_unstable_by(|a, b| b.cmp(a));
        Self { poison, empty: (rng.u32(0..3) == 0).then(|| rng.i64(0..until)) }
    }

    fn meddle(&mut self, cloud: &mut Cloud, is_idle: bool, now: Ms) {
        if self.poison.last().is_some_and(|at| *at <= now) {
            self.poison.pop();
            let many = cloud.ec2.rng.usize(1..12);
            cloud.poison(many, now);
        }
        // In most runs at a moment at which EC2 shows all copies; else what it hides may be copied twice. RDS knows it by its name.
        if self.empty.is_some_and(|at| at <= now) && is_idle {
            let is_shown = cloud.ec2.shows_all(now);
            if is_shown || cloud.ec2.kind.is_of_databases() || cloud.ec2.rng.u32(0..200) == 0 {
                cloud.empty_table(now);
                self.empty = None;
            }
        }
    }
}

/// Plays the run of this seed.
pub(crate) fn run(seed: u64, size: Size, mistake: Option<Mistake>) -> Report {
    let mut rng = Rng::with_seed(seed);
    // Older accounts have the smaller limit (EC2 User Guide, "Considerations" of CopySnapshot).
    let limit = match size.kind {
        SourceType::EbsSnapshot if seed % 3 == 2 => 5,
        // RDS User Guide and Aurora User Guide, "Quotas and constraints".
        SourceType::DbClusterSnapshot => 5,
        SourceType::EbsSnapshot | SourceType::DbSnapshot => 20,
    };
    let mut weather = Weather::new(&mut rng, size.storm);
    if mistake.is_some() {
        // One thing is wrong at a time.
        weather.skew = 0;
    }
    // What a Region takes in a day bounds what can be made up for in one.
    let mut shared =
        sources(&mut rng, size.kind, if limit == 5 { size.snapshots / 3 } else { size.snapshots }, size.storm);
    let mut queue = Queue::default();
    // No event tells of what RDS shares.
    if !size.kind.is_of_databases() {
        announce(&mut rng, &mut queue, &mut shared, &weather, size.repeated);
    }
    let mut meddling = Meddling::new(&mut rng, size.storm);
    let phases = Phase::of_a_run(&mut rng, size.storm);
    let last = phases.last().map_or_else(Phase::default, |(_, phase)| *phase);
    let ec2 = Ec2::new(rng.u64(..), size.kind, shared, limit, weather);
    // Later than the history, earlier than all else.
    let since = timestamp(-size.storm / 2 - 2 * HOUR);
    let mut function = Function::new(seed, Cloud::new(ec2), phases, since, mistake);
    let sweeps = mistake != Some(Mistake::NeverSweeps);
    let (mut next_sweep, mut next_serve): (Ms, Ms) = (0, 0);
    let mut is_late = false;
    // A mistake has shown by then, and its first breach is enough.
    let end = size.storm + if mistake.is_some() { 2 * DAY } else { 10 * DAY };
    while function.now() < end {
        let ticks = next_sweep.min(next_serve);
        let delivery = if function.is_idle() { queue.next().unwrap_or(Ms::MAX) } else { Ms::MAX };
        let now = function.pass(ticks.min(delivery).max(function.now()));
        for (kind, next, every) in [("sweep", &mut next_sweep, SWEEP_EVERY), ("serve", &mut next_serve, SERVE_EVERY)] {
            if now >= *next {
                send_tick(&mut rng, &mut queue, &function, kind, *next, sweeps);
                *next += every;
            }
        }
        meddling.meddle(&mut function.cloud.borrow_mut(), function.is_idle(), now);
        if let Some(count) = function.go_on() {
            match count.gives_back {
                true => queue.give_back(count.messages, now),
                false => queue.delete(count.messages, now),
            }
        }
        queue.arrive(now);
        if function.is_idle()
            && let Some(bodies) = queue.receive(now)
        {
            function.start(&bodies);
        }
        let is_over = function.is_over(now) && queue.is_drained();
        let mut cloud = function.cloud.borrow_mut();
        if mistake.is_some() && !cloud.ec2.laws.broken.is_empty() {
            break;
        }
        if is_over && (laws::missing(&cloud.ec2, last, now).is_empty() && open(&cloud).is_none() || !sweeps) {
            break;
        }
        if !is_late && now > size.storm + 26 * HOUR {
            is_late = true;
            cloud.delayed(last, now);
        }
    }
    let now = function.now();
    let mut cloud = function.cloud.borrow_mut();
    if !cloud.ec2.laws.broken.is_empty() && mistake.is_some() {
        return report(seed, &mut cloud, now);
    }
    if let Some(open) = open(&cloud).cloned()
        && sweeps
    {
        cloud.ec2.laws.breach("open", now, &format!("{open:?}"));
    }
    if let Some((at, swept)) = cloud.swept.take().filter(|(at, _)| *at > size.storm + HOUR) {
        let beside = beside(&cloud, last, at);
        laws::adds_up(&mut cloud.ec2, last, at, &swept, beside);
    }
    laws::at_the_end(&mut cloud.ec2, last, now);
    report(seed, &mut cloud, now)
}

/// How many obligations were open at about `at` whose sources a sweep would not come upon: those that only events asked for, and those
/// whose sources are gone.
fn beside(cloud: &Cloud, phase: Phase, at: Ms) -> usize {
    let is_open = |obligation: &&Obligation| match obligation.state {
        State::Ended { at: ended, .. } => ended >= timestamp(at - HOUR),
        _ => true,
    };
    let is_beside = |obligation: &&Obligation| {
        let source = cloud.ec2.number(&obligation.identity.source).map(|number| &cloud.ec2.sources[number]);
        let is_wanted = |source: &&Source| phase.wants(source.owner(), wish(&obligation.identity));
        source.filter(is_wanted).is_some_and(|source| source.history || source.seen(at).is_none())
    };
    cloud.table.all().filter(is_open).filter(is_beside).count()
}

fn report(seed: u64, cloud: &mut Cloud, now: Ms) -> Report {
    let longest_wait = cloud.waits.longest;
    let laws = std::mem::take(&mut cloud.ec2.laws);
    Report { kind: cloud.ec2.kind, seed, broken: laws.broken, counts: laws.counts, longest_wait, hours: now / HOUR }
}

/// An obligation that has not ended, and whose copy is not one that somebody edited so that it gets no verdict.
fn open(cloud: &Cloud) -> Option<&Obligation> {
    let edited = cloud.ec2.copies.iter().filter(|copy| copy.status.is_none());
    let edited: BTreeSet<&SnapshotId> = edited.map(|copy| &copy.id).collect();
    let waits = |open: &Obligation| open.copy().is_none_or(|copy| !edited.contains(copy));
    cloud.table.all().find(|obligation| !obligation.has_ended() && waits(obligation))
}

fn send_tick(rng: &mut Rng, queue: &mut Queue, function: &Function, kind: &str, at: Ms, sweeps: bool) {
    let is_lost = function.cloud.borrow().ec2.weather.happens(rng, at, 4);
    if !is_lost && (sweeps || kind != "sweep") {
        // Scheduler delivers at least once.
        (0..=rng.u32(0..20) / 19).for_each(|_| queue.send(at + rng.i64(0..20 * SECOND), tick(kind, at)));
    }
}

/// The share events: lost, late, several times, out of order, and garbage among them.
fn announce(rng: &mut Rng, queue: &mut Queue, shared: &mut [Source], weather: &Weather, repeated: u32) {
    for source in shared.iter_mut() {
        for share in source.shares.clone() {
            let known_by_event = if share.from < 0 {
                source.history && rng.u32(0..3) == 0
            } else {
                !weather.happens(rng, share.from, weather.lost_events)
            };
            if known_by_event {
                source.announced = true;
                let times = if rng.u32(0..100) < repeated { rng.u32(2..6) } else { 1 };
                send(rng, queue, source, share.from.max(0), times);
            }
        }
    }
    for _ in 0..shared.len() / 20 {
        let at = rng.i64(0..weather.until);
        let body = match rng.u32(0..4) {
            0 => String::from_utf8_lossy(&std::iter::repeat_with(|| rng.u8(..)).take(40).collect::<Vec<u8>>()).into(),
            1 => format!("{{\"detail\":{}}}", rng.u32(..)),
            2 => share_event(rng, 1, "vol-01234567", BEN, at).replace("shareSnapshot", "createSnapshot"),
            _ => {
                let (id, snapshot) = (rng.u32(..), format!("snap-{:016x}", rng.u64(..)));
                share_event(rng, id, &snapshot, BEN, at)
            }
        };
        queue.send(at, body);
    }
}

fn send(rng: &mut Rng, queue: &mut Queue, source: &Source, shared_at: Ms, times: u32) {
    let id = rng.u32(..);
    for time in 0..times {
        let delay = match rng.u32(0..20) {
            0 => rng.i64(0..26 * HOUR),
            1..=3 => rng.i64(0..20 * MINUTE),
            4..=9 => rng.i64(0..MINUTE),
            _ => rng.i64(0..5 * SECOND),
        };
        // EventBridge repeats an event under its ID; a sender may share anew, which is another event.
        let id = if rng.bool() { id } else { id.wrapping_add(time) };
        let body = share_event(rng, id, source.id().as_str(), source.owner(), shared_at);
        queue.send(shared_at + delay, body);
    }
}

/// An event. Its claims are true, or missing, or lies.
fn share_event(rng: &mut Rng, id: u32, snapshot: &str, owner: &str, at: Ms) -> String {
    let region = REGIONS[if rng.u32(0..12) == 0 { rng.usize(0..3) } else { 0 }];
    let claim = match rng.u32(0..12) {
        0 => "null".to_owned(),
        1 => format!("\"{}\"", [STRANGER, BEN, CARLA][rng.usize(0..3)]),
        2..=4 => owner.trim_start_matches('0').to_owned(),
        5 => format!("\"arn:aws:iam::{owner}:root\""),
        _ => format!("\"{owner}\""),
    };
    let time = match rng.u32(0..10) {
        0 => String::new(),
        1 => "\"time\":\"2099-01-01T00:00:00Z\",".to_owned(),
        _ => format!("\"time\":\"{}\",", timestamp(at)),
    };
    format!(
        r#"{{"version":"0","id":"{id:08x}","detail-type":"EBS Snapshot Notification","source":"aws.ec2","account":"999999999999",
        {time}"region":"{region}","resources":["arn:aws:ec2::{region}:snapshot/{snapshot}"],"detail":{{"event":"shareSnapshot",
        "result":"succeeded","snapshot_id":"arn:aws:ec2:{region}:999999999999:snapshot/{snapshot}","source":{claim}}}}}"#
    )
}
