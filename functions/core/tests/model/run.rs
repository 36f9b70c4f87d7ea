//! One run: days of shares, events, ticks, faults and kills, until everything has settled.

use std::collections::BTreeMap;

use fastrand::Rng;

use crate::clock::{DAY, HOUR, MINUTE, Ms, SECOND};
use crate::copier::{Copier, Ended, Mistake};
use crate::ec2::Ec2;
use crate::laws;
use crate::policies::REGIONS;
use crate::queue::{Queue, tick};
use crate::sources::{Source, sources};
use crate::weather::Weather;

const SWEEP_EVERY: Ms = 15 * MINUTE;

/// How large a run is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
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
    pub(crate) seed: u64,
    pub(crate) broken: Vec<String>,
    pub(crate) counts: BTreeMap<&'static str, u64>,
    pub(crate) longest_wait: u32,
    pub(crate) hours: Ms,
}

/// Plays the run of this seed.
pub(crate) fn run(seed: u64, size: Size, mistake: Option<Mistake>) -> Report {
    let mut rng = Rng::with_seed(seed);
    // Older accounts have the smaller limit (EC2 User Guide, "Considerations" of CopySnapshot).
    let limit = if seed % 3 == 2 { 5 } else { 20 };
    let weather = Weather::new(&mut rng, size.storm);
    let mut shared = sources(&mut rng, size.snapshots, size.storm);
    let mut queue = Queue::default();
    announce(&mut rng, &mut queue, &mut shared, &weather, size.repeated);
    let mut ec2 = Ec2::new(rng.u64(..), shared, limit, weather);
    // Later than the history, earlier than all else.
    let mut copier = Copier::new(mistake, -size.storm / 2 - 2 * HOUR);
    let sweeps = mistake != Some(Mistake::NeverSweeps);
    let (mut now, mut next_tick): (Ms, Ms) = (0, 0);
    while now < size.storm + 10 * DAY {
        let next = queue.next().map_or(next_tick, |next| next.min(next_tick));
        now = now.max(next);
        if now >= next_tick {
            if sweeps && !ec2.weather.happens(&mut rng, now, 4) {
                // Scheduler delivers at least once.
                (0..=rng.u32(0..20) / 19).for_each(|_| queue.send(now + rng.i64(0..20 * SECOND), tick(next_tick)));
            }
            next_tick += SWEEP_EVERY;
        }
        queue.arrive(now);
        let Some(bodies) = queue.receive(now) else { continue };
        ec2.advance(now);
        // Lambda may replace an idle environment at any time. What it knew of copies that EC2 does not show yet is lost
        // then: that EC2 shows them by the next invocation is all that the design can hope for.
        if rng.u32(0..50) == 0 && ec2.shows_all(now) {
            copier.restart(&mut ec2);
        }
        let kills = ec2.weather.kills;
        let kill = ec2.weather.happens(&mut rng, now, kills).then(|| rng.u32(1..6));
        match copier.invoke(&mut ec2, &bodies, now, kill) {
            Ended::Well(at) => {
                queue.delete(bodies.len(), at);
                ec2.laws.count("invocations");
                now = at;
            }
            Ended::Killed => ec2.laws.count("invocations-killed"),
        }
        let is_over = ec2.weather.is_calm(now) && queue.is_drained() && ec2.is_quiet();
        if is_over && (laws::missing(&ec2, now).is_empty() || !sweeps) {
            break;
        }
    }
    laws::at_the_end(&mut ec2, now);
    let laws = ec2.laws;
    Report { seed, broken: laws.broken, counts: laws.counts, longest_wait: laws.longest_wait, hours: now / HOUR }
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
                send(rng, queue, source.id().as_str(), share.from.max(0), times);
            }
        }
    }
    for _ in 0..shared.len() / 20 {
        let at = rng.i64(0..weather.until);
        let body = match rng.u32(0..4) {
            0 => String::from_utf8_lossy(&std::iter::repeat_with(|| rng.u8(..)).take(40).collect::<Vec<u8>>()).into(),
            1 => format!("{{\"detail\":{}}}", rng.u32(..)),
            2 => share_event(rng.u32(..), "vol-01234567").replace("shareSnapshot", "createSnapshot"),
            _ => share_event(rng.u32(..), &format!("snap-{:016x}", rng.u64(..))),
        };
        queue.send(at, body);
    }
}

fn send(rng: &mut Rng, queue: &mut Queue, snapshot: &str, shared_at: Ms, times: u32) {
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
        queue.send(shared_at + delay, share_event(id, snapshot));
    }
}

/// An event whose every word but the snapshot's ID is a lie.
fn share_event(id: u32, snapshot: &str) -> String {
    let region = REGIONS[id as usize % 3];
    format!(
        r#"{{"version":"0","id":"{id:08x}","detail-type":"EBS Snapshot Notification","source":"aws.ec2","account":"999999999999",
        "region":"{region}","resources":["arn:aws:ec2::{region}:snapshot/{snapshot}"],"detail":{{"event":"shareSnapshot",
        "result":"succeeded","snapshot_id":"arn:aws:ec2:{region}:999999999999:snapshot/{snapshot}","source":222222222222}}}}"#
    )
}
