//! EC2, or RDS, and KMS in memory: what the copier's calls read and do. Times never go back from one call to the next.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use fastrand::Rng;
use snapferry_core::copying::CALL_TIMEOUT;
use snapferry_core::facts::{CallError, Copies, Inventory, KeyFact, KeyProblem, SourceSnapshot, State};
use snapferry_core::ids::{AccountId, KeyArn, SnapshotId};
use snapferry_core::ledger::Shard;
use snapferry_core::policy::SourceType;
use snapferry_core::tags::{ReadTags, Status};
use snapferry_flow::Page;

use crate::clock::{HOUR, MINUTE, Ms, SECOND};
use crate::copies::{Call, Copy, Fate, Identity, described};
use crate::databases::{EXISTS, QUOTA, attempt};
use crate::laws::Laws;
use crate::policies::{CARLA, REGIONS};
use crate::sources::Source;
use crate::weather::{Fault, Weather};

/// The latest that DescribeSnapshots shows a copy whose request was not answered, and the latest that such a request takes effect
/// after it was given up. With [`Weather::hides`] and the time in which a request leaves they stay below the hold: more the
/// design does not promise to withstand.
const SHOWN: Ms = 20 * SECOND;
const LATE: Ms = 5 * SECOND;

/// EC2's page, kept small so that there are many.
const PAGE: usize = 60;

/// An answer to CopySnapshot or CopyDBSnapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Copy(SnapshotId),
    /// The status, the code, and whether there is a request ID: a 5xx that comes from something in between has none.
    Error(u16, &'static str, bool),
    /// No answer at all.
    Silence,
}

pub(crate) const THROTTLED: Answer = Answer::Error(503, "RequestLimitExceeded", true);
pub(crate) const FULL: Answer = Answer::Error(400, "ResourceLimitExceeded", true);
pub(crate) const REFUSED: Answer = Answer::Error(400, "InvalidParameterValue", true);

/// The world outside the copier.
#[derive(Debug)]
pub(crate) struct Ec2 {
    now: Ms,
    /// Of which kind all snapshots are.
    pub(crate) kind: SourceType,
    pub(crate) rng: Rng,
    pub(crate) sources: Vec<Source>,
    numbers: HashMap<SnapshotId, usize>,
    pub(crate) copies: Vec<Copy>,
    /// All copies ever made of an identity, by their number.
    pub(crate) identities: BTreeMap<Identity, Vec<usize>>,
    /// By Region: copies in flight.
    pub(crate) pending: [Vec<usize>; 3],
    /// By Region and name: until when a snapshot of somebody else's has the name of a copy.
    pub(crate) strangers: BTreeMap<(usize, SnapshotId), Ms>,
    /// Copies that the verifier has not judged yet.
    pub(crate) unsettled: Vec<usize>,
    limit: usize,
    pub(crate) weather: Weather,
    /// Requests that EC2 carries out after the copier gave up waiting.
    late: Vec<(Ms, Call)>,
    pub(crate) laws: Laws,
}

impl Ec2 {
    pub(crate) fn new(seed: u64, kind: SourceType, sources: Vec<Source>, limit: usize, weather: Weather) -> Self {
        let numbers = sources.iter().enumerate().map(|(number, source)| (source.id().clone(), number)).collect();
        Self {
            now: Ms::MIN,
            kind,
            rng: Rng::with_seed(seed),
            sources,
            numbers,
            copies: Vec::new(),
            identities: BTreeMap::new(),
            pending: Default::default(),
            strangers: BTreeMap::new(),
            unsettled: Vec::new(),
            limit,
            weather,
            late: Vec::new(),
            laws: Laws::default(),
        }
    }

    /// How far it has come.
    pub(crate) fn now(&self) -> Ms {
        self.now
    }

    /// Lets time pass: copies end, late requests take effect.
    pub(crate) fn advance(&mut self, to: Ms) {
        assert!(to >= self.now, "time went back");
        let (due, later) = std::mem::take(&mut self.late).into_iter().partition(|(at, _)| *at <= to);
        self.late = later;
        let mut due: Vec<(Ms, Call)> = due;
        due.sort_by_key(|(at, _)| *at);
        for (at, call) in due {
            self.end_copies(at);
            let _ = self.carry_out(at, call, false);
        }
        if to / MINUTE != self.now / MINUTE {
            self.delete_copies(to);
        }
        self.end_copies(to);
        self.now = to;
    }

    fn end_copies(&mut self, at: Ms) {
        for pending in &mut self.pending {
            pending.retain(|&number| {
                let copy = &mut self.copies[number];
                if copy.finishes <= at {
                    copy.state = if copy.fate == Fate::Fails { State::Error } else { State::Completed };
                }
                copy.state == State::Pending && !copy.deleted
            });
        }
    }

    /// Somebody deletes copies by hand, whatever becomes of them.
    fn delete_copies(&mut self, at: Ms) {
        let goes = |copy: &Copy| !copy.deleted && copy.goes.is_some_and(|goes| goes <= at);
        let going: Vec<usize> = (0..self.copies.len()).filter(|&number| goes(&self.copies[number])).collect();
        for number in going {
            self.copies[number].deleted = true;
            self.unsettled.retain(|unsettled| *unsettled != number);
            self.laws.count("copy-deleted-by-hand");
        }
    }

    /// DescribeSnapshots: one page of what `owners` share, and where the next begins.
    pub(crate) fn shared(
        &mut self,
        at: Ms,
        owners: &[AccountId],
        shard: &Shard,
        next: Option<&str>,
    ) -> Result<Page, CallError> {
        self.read(at, 0)?;
        if self.weather.is_owner_off(at) && owners.iter().any(|owner| owner.as_str() == CARLA) {
            self.laws.count("owner-unread");
            return Err(CallError { code: "InternalError".to_owned(), message: CARLA.to_owned(), request_id: None });
        }
        let begin = next.map_or(0, |next| next.parse().expect("a place that a page named"));
        let (mut snapshots, mut end) = (Vec::new(), begin);
        for source in &self.sources[begin..] {
            if if self.weather.cuts_first { end - begin } else { snapshots.len() } == PAGE {
                break;
            }
            end += 1;
            let is_listed = owners.contains(&source.fact().owner) && shard.contains(source.id());
            snapshots.extend(is_listed.then(|| source.seen(at)).flatten());
        }
        let next = (end < self.sources.len()).then(|| end.to_string());
        Ok(Page { snapshots, next, unreadable: Vec::new() })
    }

    /// DescribeSnapshots with IDs.
    pub(crate) fn named(&mut self, at: Ms, ids: &[SnapshotId]) -> Result<Vec<SourceSnapshot>, CallError> {
        self.read(at, 0)?;
        let numbers = ids.iter().filter_map(|id| self.numbers.get(id));
        let mut found: Vec<SourceSnapshot> = numbers.filter_map(|&number| self.sources[number].seen(at)).collect();
        found.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        Ok(found)
    }

    /// As [`named`](Self::named), in a world that forgets nothing.
    pub(crate) fn named_or_gone(&mut self, at: Ms, ids: &[SnapshotId]) -> Result<Vec<SourceSnapshot>, CallError> {
        self.read(at, 0)?;
        let sources = ids.iter().filter_map(|id| self.numbers.get(id)).map(|&number| &self.sources[number]);
        Ok(sources.filter(|source| source.was_shared(at)).map(|source| source.fact().clone()).collect())
    }

    /// DescribeSnapshots in a target Region: those of our copies that are asked for, and DescribeKey of their keys.
    pub(crate) fn copies(
        &mut self,
        at: Ms,
        region: usize,
        is_asked_for: impl Fn(&Copy) -> bool,
    ) -> Result<(Copies, BTreeMap<SnapshotId, u32>), CallError> {
        self.read(at, region)?;
        let (mut inventory, mut attempt_of) = (Inventory::default(), BTreeMap::new());
        for copy in self.copies.iter().filter(|copy| copy.region == region && is_asked_for(copy)) {
            // Until all of EC2 knows of a copy, one read may show it and the next one not.
            let flickers = !copy.deleted && !copy.is_shown(at) && self.rng.u32(0..3) == 0;
            if flickers || copy.is_shown(at) {
                attempt_of.extend(attempt(copy).map(|attempt| (copy.id.clone(), attempt)));
                inventory.add(described(copy));
            }
        }
        let mut copies = inventory.close();
        let keys: BTreeSet<Box<str>> = copies.keys_named().into_iter().map(Into::into).collect();
        let keys = keys.into_iter().map(|key| (key, self.key_fact(at, region))).collect();
        copies.note_keys(keys);
        Ok((copies, attempt_of))
    }

    fn key_fact(&self, at: Ms, region: usize) -> KeyFact {
        if self.weather.is_key_doomed(region, at) {
            KeyFact::Unusable(KeyProblem::PendingDeletion)
        } else if self.weather.is_key_off(region, at) {
            KeyFact::Unusable(KeyProblem::Disabled)
        } else {
            KeyFact::Usable
        }
    }

    /// DescribeKey.
    pub(crate) fn key(&mut self, at: Ms, key: &KeyArn) -> KeyFact {
        let region = REGIONS.iter().position(|region| *region == key.region()).unwrap();
        match self.read(at, region) {
            Err(error) => KeyFact::Unread(error),
            Ok(()) => self.key_fact(at, region),
        }
    }

    pub(crate) fn read(&mut self, at: Ms, region: usize) -> Result<(), CallError> {
        self.advance(at);
        if self.weather.read_fails(&mut self.rng, region, at) {
            self.laws.count("read-failed");
            return Err(CallError { code: "Timeout".to_owned(), message: "no answer".to_owned(), request_id: None });
        }
        Ok(())
    }

    /// CopySnapshot or CopyDBSnapshot: the answer, and when it comes.
    pub(crate) fn copy_snapshot(&mut self, at: Ms, call: Call) -> (Answer, Ms) {
        self.advance(at);
        self.laws.count("calls");
        self.answer(at, call)
    }

    fn answer(&mut self, at: Ms, call: Call) -> (Answer, Ms) {
        if self.weather.is_deaf(call.region, at) {
            self.laws.count("call-to-a-region-down");
            return (Answer::Silence, at + 2 * SECOND);
        }
        let soon = at + self.rng.i64(100..900);
        let fault = self.weather.call(&mut self.rng, at);
        let ambiguous = Answer::Error(500, "InternalError", self.rng.u32(0..5) > 0);
        self.laws.count(match fault {
            Fault::None => "call-undisturbed",
            Fault::Throttled => "call-throttled",
            Fault::ErrorBefore => "call-5xx-before",
            Fault::ErrorAfter => "call-5xx-after",
            Fault::DroppedBefore => "call-dropped-before",
            Fault::DroppedAfter => "call-dropped-after",
            Fault::HungBefore => "call-hung-before",
            Fault::HungAfter => "call-hung-after",
        });
        match fault {
            Fault::None => (self.carry_out(at, call, true), soon),
            Fault::Throttled => (THROTTLED, soon),
            Fault::ErrorBefore => (ambiguous, soon),
            Fault::DroppedBefore => (Answer::Silence, soon),
            Fault::HungBefore => (Answer::Silence, at + call_timeout()),
            Fault::ErrorAfter | Fault::DroppedAfter => {
                let _ = self.carry_out(at, call, false);
                (if fault == Fault::ErrorAfter { ambiguous } else { Answer::Silence }, soon)
            }
            Fault::HungAfter => {
                self.late.push((at + self.rng.i64(0..call_timeout() + LATE), call));
                (Answer::Silence, at + call_timeout())
            }
        }
    }

    /// What a request does once it has arrived. EC2 checks little before it names a copy.
    fn carry_out(&mut self, at: Ms, call: Call, answered: bool) -> Answer {
        let source = self.numbers[&call.source];
        let mut fate = Fate::Completes;
        if self.is_name_taken(at, &call) {
            return EXISTS[usize::from(!self.are_increments())].clone();
        }
        if self.pending[call.region].len() >= self.limit {
            self.laws.count("region-full");
            return if call.named.is_some() { QUOTA } else { FULL };
        }
        if call.named.is_some() && self.weather.is_quota_used(call.region, at) {
            self.laws.count("quota-used-up");
            return QUOTA;
        }
        let weather = &self.weather;
        if call.key.is_some() && weather.is_key_off(call.region, at) {
            if self.rng.bool() {
                self.laws.count("key-refused");
                return REFUSED;
            }
            fate = Fate::Fails;
        }
        if self.sources[source].key_withheld_until > at {
            fate = Fate::Fails;
        }
        // What RDS copies is what has the ARN by now.
        let is_made_again = call.named.is_some() && self.is_made_again(source, at);
        if self.has_used_name(source) {
            self.laws.count("copied-under-a-used-name");
        }
        if is_made_again {
            self.laws.count("copied-what-was-made-again");
        } else if !self.sources[source].is_shared(at) || !self.sources[source].is_completed(at) {
            if self.rng.u32(0..3) == 0 {
                self.laws.count("source-refused");
                return REFUSED;
            }
            fate = Fate::Fails;
        }
        if weather.happens(&mut self.rng, at, weather.failing) {
            fate = Fate::Fails;
        } else if fate == Fate::Completes && !weather.is_calm(at) && self.rng.u32(0..1000) < weather.wrong_key {
            fate = Fate::WrongKey;
        }
        let is_deleted = weather.happens(&mut self.rng, at, 2);
        let goes = is_deleted.then(|| at + self.rng.i64(0..3 * HOUR));
        self.laws.count(match fate {
            Fate::Completes => "copy-that-completes",
            Fate::Fails => "copy-that-fails",
            Fate::WrongKey => "copy-under-a-wrong-key",
        });
        let number = self.copies.len();
        let database = call.named.as_ref().map(|(_, shared)| shared.clone());
        let named = call.named.as_ref().map(|(name, _)| name.clone());
        let mut copy = Copy {
            id: named.unwrap_or_else(|| SnapshotId::parse(&format!("snap-c{number:08x}")).unwrap()),
            region: call.region,
            key: call.key.clone(),
            started: at,
            finishes: at + if self.rng.u32(0..40) == 0 { 3 * HOUR } else { self.rng.i64(30 * SECOND..30 * MINUTE) },
            fate,
            shown_from: at + self.delay(answered),
            state: State::Pending,
            status: Some(Status::Copying),
            settled_at: None,
            deleted: false,
            goes,
            source: call.source.clone(),
            tags: ReadTags::default(),
            pairs: call.tags.clone(),
            process: call.process,
            database,
        };
        copy.tags = described(&copy).tags;
        let identity = Identity::of(source, &copy.tags, call.region);
        self.laws.started(self.kind, &self.sources[source], &copy, &call, identity);
        self.takes_its_turn(at, &copy, &call);
        let earlier = self.identities.entry(identity).or_default();
        let was_doomed = (0..=6).any(|ago| self.weather.is_key_doomed(call.region, at - ago * MINUTE));
        self.laws.not_twice(at, identity, earlier.iter().map(|&number| &self.copies[number]), was_doomed);
        earlier.push(number);
        let id = copy.id.clone();
        self.pending[copy.region].push(number);
        self.unsettled.push(number);
        self.copies.push(copy);
        Answer::Copy(id)
    }

    /// How long DescribeSnapshots does not show a new copy.
    fn delay(&mut self, answered: bool) -> Ms {
        // However long RDS's lists lag: the names do not.
        if self.kind.is_of_databases() && self.rng.u32(0..20) == 0 {
            return self.rng.i64(0..HOUR);
        }
        match self.rng.u32(0..50) {
            0 if answered => self.rng.i64(0..self.weather.hides),
            0..=24 => self.rng.i64(0..SHOWN),
            _ => self.rng.i64(0..2 * SECOND),
        }
    }

    /// Whether nothing is under way any more: no copy in flight, none unjudged.
    pub(crate) fn is_quiet(&self) -> bool {
        self.late.is_empty() && self.unsettled.is_empty()
    }

    /// The number of a source.
    pub(crate) fn number(&self, source: &SnapshotId) -> Option<usize> {
        self.numbers.get(source).copied()
    }

    /// The copies of an identity, dead ones too.
    pub(crate) fn copies_of(&self, identity: &Identity) -> impl Iterator<Item = &Copy> {
        self.identities.get(identity).into_iter().flatten().map(|&number| &self.copies[number])
    }

    /// Whether EC2 shows all copies that were ever started: nobody needs to remember them any more.
    pub(crate) fn shows_all(&self, at: Ms) -> bool {
        self.late.is_empty() && self.copies.iter().all(|copy| copy.shown_from <= at)
    }
}

/// How long the copier waits for the answer to CopySnapshot.
fn call_timeout() -> Ms {
    Ms::try_from(CALL_TIMEOUT.as_millis()).unwrap()
}
