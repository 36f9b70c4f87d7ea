//! What the source accounts do: they make snapshots, share them, and sometimes stop sharing them.

use fastrand::Rng;
use snapferry_core::facts::{SourceSnapshot, State, Storage};
use snapferry_core::ids::{AccountId, SnapshotId, VolumeId};
use snapferry_core::policy::SourceType;
use snapferry_core::rds::{self, Kind, Shared, SnapshotArn};

use crate::clock::{DAY, HOUR, MINUTE, Ms, SECOND, timestamp};
use crate::policies::{ACCOUNT, ANNA, BEN, CARLA, DORA, SMALL, STRANGER, Wish, region, wishes};

/// A time during which a snapshot is shared, and the time during which EC2 shows it: that follows with a delay.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Share {
    pub(crate) from: Ms,
    pub(crate) until: Ms,
    seen_from: Ms,
    seen_until: Ms,
}

/// A snapshot in the home Region.
#[derive(Debug)]
pub(crate) struct Source {
    fact: SourceSnapshot,
    /// What RDS says of it, if it is of a database.
    pub(crate) database: Option<Shared>,
    completes_at: Ms,
    /// Until then its owner withholds the key: EC2 starts copies and gives up on them.
    pub(crate) key_withheld_until: Ms,
    pub(crate) shares: Vec<Share>,
    pub(crate) wishes: Vec<Wish>,
    /// Started before SweepSince: a sweep alone must not copy it.
    pub(crate) history: bool,
    /// Whether an event names it.
    pub(crate) announced: bool,
}

impl Source {
    pub(crate) fn id(&self) -> &SnapshotId {
        &self.fact.id
    }

    pub(crate) fn owner(&self) -> &str {
        self.fact.owner.as_str()
    }

    pub(crate) fn fact(&self) -> &SourceSnapshot {
        &self.fact
    }

    pub(crate) fn is_completed(&self, at: Ms) -> bool {
        self.completes_at <= at
    }

    /// Whether it is shared in truth.
    pub(crate) fn is_shared(&self, at: Ms) -> bool {
        self.shares.iter().any(|share| (share.from..share.until).contains(&at))
    }

    /// Whether it is or was shared.
    pub(crate) fn was_shared(&self, at: Ms) -> bool {
        self.shares.iter().any(|share| share.from <= at)
    }

    /// The snapshot as EC2 shows it to the target account, if it does.
    pub(crate) fn seen(&self, at: Ms) -> Option<SourceSnapshot> {
        let is_seen = self.shares.iter().any(|share| (share.seen_from..share.seen_until).contains(&at));
        is_seen.then(|| {
            let state = if self.is_completed(at) { State::Completed } else { State::Pending };
            SourceSnapshot { state, ..self.fact.clone() }
        })
    }

    /// Whether, from `at` on, the wishes that still stand have to come true.
    pub(crate) fn is_owed(&self, at: Ms) -> bool {
        !self.history && self.is_shared(at) && self.seen(at).is_some_and(|seen| seen.state == State::Completed)
    }
}

const NIGHTLY: &str = "Created for policy: policy-0123456789abcdef0 schedule: Default";

/// Descriptions that match, nearly match, or try to do harm.
fn description(rng: &mut Rng) -> String {
    match rng.u32(0..12) {
        0..=6 => NIGHTLY.to_owned(),
        7 => "Created for policy: policy-77 schedule: production".to_owned(),
        8 => "Recreated for policy: policy-0123456789abcdef0".to_owned(),
        9 => "a\nproduction\u{1b}[31m database \u{202e}".to_owned(),
        10 => format!("Created for policy: policy-{}", "ü".repeat(228)),
        _ => String::new(),
    }
}

/// At least `wanted` snapshots that a policy wants in three Regions, and others among them, shared from before the
/// beginning until `until`. Of databases' some are deleted, and others made under their names.
pub(crate) fn sources(rng: &mut Rng, kind: SourceType, wanted: usize, until: Ms) -> Vec<Source> {
    let mut sources = Vec::new();
    for owner in SMALL {
        let shared_at = rng.i64(0..until);
        sources.push(source(rng, sources.len(), owner, NIGHTLY.to_owned(), shared_at, until));
    }
    let mut found = SMALL.len();
    while found < wanted {
        let owner = match rng.u32(0..20) {
            0..=9 => ANNA,
            10..=12 => BEN,
            13..=16 => CARLA,
            17 => DORA,
            18 => STRANGER,
            _ => [ANNA, ACCOUNT][usize::from(rng.u32(0..4) == 0)],
        };
        // A third was there before, the rest comes by and by.
        let shared_at = rng.i64(-until / 2..until);
        let description = description(rng);
        let source = source(rng, sources.len(), owner, description, shared_at, until);
        found += usize::from(source.wishes.len() >= 3);
        sources.push(source);
    }
    match kind {
        SourceType::EbsSnapshot => sources,
        SourceType::DbSnapshot => of_databases(rng, Kind::Instance, sources, until),
        SourceType::DbClusterSnapshot => of_databases(rng, Kind::Cluster, sources, until),
    }
}

fn of_databases(rng: &mut Rng, kind: Kind, mut sources: Vec<Source>, until: Ms) -> Vec<Source> {
    for number in 0..sources.len() {
        let source = &mut sources[number];
        let name = snapshot_name(rng, number);
        source.be_of_database(rng, kind, name.clone());
        let gone = source.shares[0].from + rng.i64(10 * MINUTE..6 * HOUR);
        if rng.u32(0..8) > 0 || gone + HOUR > until {
            continue;
        }
        source.shares = vec![share(rng, source.shares[0].from, gone)];
        let (owner, resource) = (source.owner().to_owned(), source.database.clone().unwrap().source.resource_id);
        let again = gone + rng.i64(SECOND..HOUR);
        let mut made_again = self::source(rng, sources.len(), &owner, String::new(), again, until);
        (made_again.fact.start_time, made_again.history) = (timestamp(again), false);
        made_again.be_of_database(rng, kind, name);
        if rng.bool() {
            made_again.set_resource(resource);
        }
        sources.push(made_again);
    }
    sources
}

/// Names that match, nearly match, or do not.
fn snapshot_name(rng: &mut Rng, number: usize) -> String {
    match rng.u32(0..12) {
        0..=6 => format!("nightly-{number}"),
        7 => format!("nightly-production-{number}"),
        8 => format!("fortnightly-{number}"),
        9 => format!("production-{number}"),
        _ => format!("by-hand-{number}"),
    }
}

impl Source {
    /// Makes it a snapshot of a database, of that name; of some RDS does not say of which.
    fn be_of_database(&mut self, rng: &mut Rng, kind: Kind, name: String) {
        let fact = &self.fact;
        self.wishes = wishes(fact.owner.as_str(), &name);
        let of = match kind {
            Kind::Instance => "db",
            Kind::Cluster => "cluster",
        };
        let resource_id = if rng.u32(0..20) == 0 { String::new() } else { format!("{of}-{:0>26}", rng.u32(0..30)) };
        self.database = Some(Shared {
            source: rds::Source {
                arn: SnapshotArn::new(kind, region(0), fact.owner.clone(), name),
                created: fact.start_time,
                resource_id: String::new(),
            },
            database: "orders".to_owned(),
            status: rds::AVAILABLE.to_owned(),
            // What is not encrypted is refused of a cluster, and never copied.
            encrypted: fact.encrypted || kind == Kind::Cluster,
            engine: "postgres".to_owned(),
            engine_version: None,
            allocated_storage: i32::try_from(fact.size_gib).unwrap(),
            option_group: None,
            has_tde: false,
        });
        self.set_resource(resource_id);
    }

    fn set_resource(&mut self, resource_id: String) {
        let database = self.database.as_mut().expect("a database's");
        database.source.resource_id = resource_id;
        self.fact = database.fact();
    }
}

fn source(rng: &mut Rng, number: usize, owner: &str, description: String, shared_at: Ms, until: Ms) -> Source {
    // A few are shared while still being made.
    let age = if rng.u32(0..30) == 0 { -rng.i64(0..20 * MINUTE) } else { rng.i64(0..HOUR) };
    let wishes = wishes(owner, &description);
    let history = shared_at < 0 && rng.u32(0..6) == 0;
    let before = if history { 30 * DAY } else { age.max(0) + 5 * MINUTE };
    let fact = SourceSnapshot {
        kind: snapferry_core::facts::SourceKind::Volume,
        // Not in the order of their making, as EC2's are not either.
        id: SnapshotId::parse(&format!("snap-{:08x}{number:08x}", rng.u32(..))).unwrap(),
        owner: AccountId::parse(owner).unwrap(),
        volume: VolumeId::parse(&format!("vol-{:08x}", rng.u32(0..12))).unwrap(),
        size_gib: rng.u32(1..1000),
        state: State::Completed,
        storage: Storage::Standard,
        start_time: timestamp(shared_at - before),
        encrypted: rng.bool(),
        description: description.into_boxed_str(),
    };
    let key_withheld_until = if rng.u32(0..50) == 0 { rng.i64(0..until) } else { 0 };
    Source {
        fact,
        database: None,
        completes_at: shared_at - age,
        key_withheld_until,
        shares: shares(rng, shared_at, until),
        wishes,
        history,
        announced: false,
    }
}

fn shares(rng: &mut Rng, from: Ms, end: Ms) -> Vec<Share> {
    let forever = Ms::MAX / 2;
    match rng.u32(0..20) {
        // No longer shared after a while; some are shared again.
        0 => {
            let until = from + rng.i64(0..HOUR);
            let again = rng.bool().then_some(((until + HOUR).min(end), forever));
            let times = std::iter::once((from, until)).chain(again);
            times.map(|(from, until)| share(rng, from, until)).collect()
        }
        // Taken back before anybody can look.
        1 => {
            let until = from + rng.i64(0..20 * SECOND);
            vec![share(rng, from, until)]
        }
        _ => vec![share(rng, from, forever)],
    }
}

fn share(rng: &mut Rng, from: Ms, until: Ms) -> Share {
    let mut lag = || if rng.u32(0..10) == 0 { rng.i64(0..10 * MINUTE) } else { rng.i64(0..3 * SECOND) };
    Share { from, until, seen_from: from + lag(), seen_until: until + lag() }
}

/// Any snapshot of this owner's.
#[cfg(test)]
pub(crate) fn sample(owner: &str) -> SourceSnapshot {
    source(&mut Rng::with_seed(1), 1, owner, NIGHTLY.to_owned(), 0, HOUR).fact
}
