//! One invocation's view of the world, and its end: it may die at any step, before or after the step took effect.

mod world;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use jiff::Timestamp;
use snapferry_core::copying::CopyRequest;
use snapferry_core::facts::{CallError, Copies};
use snapferry_core::ids::{KeyArn, Region};
use snapferry_core::ledger::Identity;
use snapferry_core::policy::{Encryption, SourceType};
use snapferry_core::rds::{self, Attempts, Shared};
use snapferry_flow::{Item, Written};

use crate::clock::{MINUTE, Ms, SECOND};
use crate::cloud::Cloud;
use crate::copies::{Call, Copy};
use crate::databases::QUOTA;
use crate::ec2::{Answer, FULL, THROTTLED};
use crate::mistakes::Mistake;
use crate::policies::{Phase, number};
use crate::time::Time;
use crate::weather::WriteFault;

/// How often in a row a copy may be throttled before its Region closes.
const THROTTLED_ATTEMPTS: u32 = 6;

/// Where a process can die: at each kind of step. The last two are of databases.
const KINDS: [&str; 25] = [
    "died-asleep",
    "died-at-copies-by-id",
    "died-at-copies-in",
    "died-at-copies-of",
    "died-at-copy",
    "died-at-hints",
    "died-at-keys",
    "died-at-line",
    "died-at-obligation",
    "died-at-obligations",
    "died-at-removal-of-hint",
    "died-at-removal-of-turn",
    "died-at-round",
    "died-at-shared",
    "died-at-sources",
    "died-at-turns",
    "died-at-write-of-copying",
    "died-at-write-of-end",
    "died-at-write-of-hint",
    "died-at-write-of-intent",
    "died-at-write-of-owed",
    "died-at-write-of-round",
    "died-at-write-of-turn",
    "died-at-named",
    "died-at-usage",
];

/// Where a process that copies snapshots of this kind can die.
pub(crate) fn kinds(kind: SourceType) -> Vec<&'static str> {
    if kind.is_of_databases() {
        // Hints come of events.
        return KINDS.into_iter().filter(|kind| !kind.ends_with("of-hint")).collect();
    }
    KINDS[..23].to_vec()
}

/// How a process dies, if it comes that far.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Death {
    /// At a step of this kind, after so many of them.
    pub(crate) kind: &'static str,
    pub(crate) after: u32,
    /// Whether that step still takes effect.
    pub(crate) has_effect: bool,
}

/// What a process is born with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Birth {
    /// Its number.
    pub(crate) process: usize,
    /// Its environment's.
    pub(crate) environment: usize,
    pub(crate) phase: Phase,
    /// When the function is stopped.
    pub(crate) until: Ms,
    /// By how much its clock is ahead.
    pub(crate) skew: Ms,
    pub(crate) death: Option<Death>,
    pub(crate) mistake: Option<Mistake>,
    /// From when until when its story is told.
    pub(crate) story: Option<(Ms, Ms)>,
}

/// A process.
pub(crate) struct Process {
    pub(crate) birth: Birth,
    cloud: Rc<RefCell<Cloud>>,
    time: Rc<Time>,
    /// How many steps of the kind at which it dies it has taken.
    steps: Cell<u32>,
    pub(crate) is_dead: Rc<Cell<bool>>,
    calls: Cell<u64>,
    /// By Region: whether an answer said that nothing more is to be asked for there.
    said_stop: RefCell<[bool; 3]>,
    /// The keys that the document names.
    keys: Rc<BTreeSet<KeyArn>>,
    throttled: RefCell<BTreeMap<Identity, u32>>,
    attempts: RefCell<Attempts>,
}

impl Process {
    pub(crate) fn new(birth: Birth, keys: &Rc<BTreeSet<KeyArn>>, cloud: &Rc<RefCell<Cloud>>, time: &Rc<Time>) -> Self {
        Self {
            birth,
            keys: Rc::clone(keys),
            cloud: Rc::clone(cloud),
            time: Rc::clone(time),
            steps: Cell::default(),
            is_dead: Rc::default(),
            calls: Cell::default(),
            said_stop: RefCell::default(),
            throttled: RefCell::default(),
            attempts: RefCell::default(),
        }
    }

    pub(crate) fn makes(&self, mistake: Mistake) -> bool {
        self.birth.mistake == Some(mistake)
    }

    /// One step: it travels, takes effect, and its answer travels back. `act` also tells how long the answer takes.
    async fn step<T>(&self, kind: &'static str, travels: Ms, act: impl FnOnce(&mut Cloud, Ms) -> (T, Ms)) -> T {
        let here = self.birth.death.filter(|death| death.kind == kind);
        self.steps.set(self.steps.get() + u32::from(here.is_some()));
        let dies = here.filter(|death| death.after + 1 == self.steps.get()).map(|death| death.has_effect);
        if dies == Some(false) || self.is_dead.get() {
            self.die(kind).await;
        }
        self.time.wait(travels).await;
        let (answer, takes) = {
            let mut cloud = self.cloud.borrow_mut();
            let now = self.time.now();
            cloud.advance(now);
            act(&mut cloud, now)
        };
        if dies == Some(true) {
            self.die(kind).await;
        }
        self.time.wait(takes).await;
        answer
    }

    /// Never ends: whoever runs the process drops it.
    async fn die(&self, kind: &'static str) {
        if !self.is_dead.replace(true) {
            self.cloud.borrow_mut().ec2.laws.count(kind);
        }
        std::future::pending::<()>().await;
    }

    /// So long a call takes in each direction, if nothing holds it up.
    fn some(&self, most: Ms) -> Ms {
        let mut cloud = self.cloud.borrow_mut();
        let ec2 = &mut cloud.ec2;
        let now = self.time.now();
        if !ec2.weather.is_calm(now) && ec2.rng.u32(0..1000) < ec2.weather.stalls {
            ec2.laws.count("stalled");
            return ec2.rng.i64(0..3 * MINUTE);
        }
        ec2.rng.i64(1..most)
    }

    /// How long a read of EC2 or KMS takes.
    fn read_takes(&self) -> Ms {
        let is_slow = {
            let mut cloud = self.cloud.borrow_mut();
            let ec2 = &mut cloud.ec2;
            let slow = ec2.weather.slow_reads;
            let now = self.time.now();
            ec2.weather.happens(&mut ec2.rng, now, slow / 4)
        };
        self.some(if is_slow { 12 * SECOND } else { 500 })
    }

    /// A read of EC2 or KMS.
    async fn read<T>(&self, kind: &'static str, act: impl FnOnce(&mut Cloud, Ms) -> T) -> T {
        self.calls.set(self.calls.get() + 1);
        let (travels, takes) = (self.read_takes(), self.some(200));
        self.step(kind, travels, |cloud, now| (act(cloud, now), takes)).await
    }

    /// A read of the table.
    async fn look<T>(&self, kind: &'static str, act: impl FnOnce(&mut Cloud, Ms) -> T) -> Result<T, CallError> {
        let (travels, takes) = (self.some(10), self.some(10));
        self.step(kind, travels, |cloud, now| {
            if cloud.ec2.weather.table_fails(&mut cloud.ec2.rng, now) {
                cloud.ec2.laws.count("table-unread");
                return (Err(silence()), SECOND);
            }
            (Ok(act(cloud, now)), takes)
        })
        .await
    }

    /// A write to the table.
    async fn put(
        &self,
        kind: &'static str,
        act: impl FnOnce(&mut Cloud, Ms) -> Written + 'static,
    ) -> Result<Written, CallError> {
        let (travels, takes) = (self.some(10), self.some(10));
        self.step(kind, travels, |cloud, now| match cloud.ec2.weather.write(&mut cloud.ec2.rng, now) {
            WriteFault::None => (Ok(act(cloud, now)), takes),
            WriteFault::LostBefore => {
                cloud.ec2.laws.count("write-lost-before");
                (Err(silence()), SECOND)
            }
            WriteFault::LostAfter => {
                cloud.ec2.laws.count("write-lost-after");
                let _ = act(cloud, now);
                (Err(silence()), SECOND)
            }
            WriteFault::LostLate => {
                cloud.ec2.laws.count("write-lost-late");
                let at = now + cloud.ec2.rng.i64(0..5 * SECOND);
                cloud.later(at, |cloud, now| _ = act(cloud, now));
                (Err(silence()), SECOND)
            }
        })
        .await
    }

    async fn copies(
        &self,
        kind: &'static str,
        region: &Region,
        is_asked_for: impl Fn(&Copy) -> bool,
    ) -> Result<Copies, CallError> {
        let (hides, hides_dead) = (self.makes(Mistake::HidesCopies), self.makes(Mistake::HidesFailures));
        let read = self.read(kind, |cloud, now| {
            let found = |copy: &Copy| is_asked_for(copy) && !hides && (copy.is_live() || !hides_dead);
            cloud.ec2.copies(now, number(region), found)
        });
        let (copies, attempt_of) = read.await?;
        if !self.makes(Mistake::CountsNoDead) {
            self.attempts.borrow_mut().note(region, &copies, &attempt_of);
        }
        Ok(copies)
    }

    /// What RDS said of a request's source, if that is of a database.
    fn shared(&self, request: &CopyRequest<'_>) -> Option<Shared> {
        let ec2 = &self.cloud.borrow().ec2;
        ec2.number(&request.source.id).and_then(|number| ec2.sources[number].database.clone())
    }

    fn of_database<'r>(&self, request: &CopyRequest<'r>, source: &'r Shared) -> rds::CopyRequest<'r> {
        let of = |attempt| rds::CopyRequest { policy: request.policy, source, target: request.target, attempt };
        of(self.attempts.borrow().next(&request.identity(), |attempt| of(attempt).name()))
    }

    fn call(&self, request: &CopyRequest<'_>, shared: Option<&Shared>, at: Timestamp) -> Call {
        let named = shared.map(|shared| (self.of_database(request, shared), shared));
        let tags = named.as_ref().map_or_else(|| request.tags(at), |(named, _)| named.tags(at));
        Call {
            process: self.birth.process,
            began: self.cloud.borrow().lives[self.birth.process].began,
            named: named.map(|(named, shared)| (named.name().id(), shared.clone())),
            phase: self.birth.phase,
            region: number(&request.target.region),
            source: request.source.id.clone(),
            description: request.description(),
            encrypted: !matches!(request.target.encryption, Encryption::AsSource),
            key: request.key().cloned(),
            tags,
        }
    }

    /// Notes what an answer means for the Region.
    fn answered(&self, identity: Identity, answer: &Answer) {
        let mut throttled = self.throttled.borrow_mut();
        let times = throttled.entry(identity.clone()).or_default();
        *times = if *answer == THROTTLED { *times + 1 } else { 0 };
        let stops = *answer == FULL || *answer == QUOTA || *answer == Answer::Silence || *times >= THROTTLED_ATTEMPTS;
        self.said_stop.borrow_mut()[number(&identity.region)] |= stops;
    }

    /// Tells the story of a run, where it is asked for.
    fn tell(&self, what: impl FnOnce() -> String) {
        let now = self.time.now();
        if self.birth.story.is_some_and(|(from, until)| (from..until).contains(&now)) {
            crate::say(&format!("{now} process {} {}", self.birth.process, what()));
        }
    }

    fn placed(&self, item: Item) -> Item {
        Item { is_placed: item.is_placed || self.makes(Mistake::NeverRepairs), ..item }
    }
}

fn silence() -> CallError {
    CallError { code: "Timeout".to_owned(), message: "no answer".to_owned(), request_id: None }
}
