//! EC2 and KMS in memory: what the copier's calls read and do. Times never go back from one call to the next.

use std::collections::{BTreeMap, HashMap};

use fastrand::Rng;
use snapferry_core::copying::CALL_TIMEOUT;
use snapferry_core::facts::{CallError, Copies, Inventory, KeyFact, KeyProblem, SourceSnapshot, State};
use snapferry_core::ids::{AccountId, KeyArn, SnapshotId};
use snapferry_core::tags::{CopyTags, Status};

use crate::clock::{DAY, HOUR, MINUTE, Ms, SECOND};
use crate::copies::{Call, Copy, Fate, Identity, described};
use crate::laws::Laws;
use crate::policies::REGIONS;
use crate::sources::Source;
use crate::weather::{Fault, Weather};

/// The latest that DescribeSnapshots shows a copy whose request was not answered. Together with the latest that such
/// a request takes effect it stays below `ANSWER_LOST_HOLD`: more the design does not promise to withstand.
const SHOWN: Ms = 20 * SECOND;
const LATE: Ms = 5 * SECOND;
/// The same for a copy that EC2 named in its answer: it stays below `STARTED_HOLD`.
pub(crate) const SHOWN_NAMED: Ms = 9 * MINUTE;

/// An answer to CopySnapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Copy(SnapshotId),
    /// The status, the code, and whether there is a request ID: a 5xx that comes from something in between has none.
    Error(u16, &'static str, bool),
    /// No answer at all.
    Silence,
}

const THROTTLED: Answer = Answer::Error(503, "RequestLimitExceeded", true);
const FULL: Answer = Answer::Error(400, "ResourceLimitExceeded", true);
const REFUSED: Answer = Answer::Error(400, "InvalidParameterValue", true);

/// The world outside the copier.
#[derive(Debug)]
pub(crate) struct Ec2 {
    now: Ms,
    pub(crate) rng: Rng,
    pub(crate) sources: Vec<Source>,
    numbers: HashMap<SnapshotId, usize>,
    pub(crate) copies: Vec<Copy>,
    /// All copies ever made of an identity, by their number.
    pub(crate) identities: BTreeMap<Identity, Vec<usize>>,
    /// By Region: copies in flight.
    pending: [Vec<usize>; 3],
    /// Copies that the verifier has not judged yet.
    unsettled: Vec<usize>,
    limit: usize,
    pub(crate) weather: Weather,
    /// Requests that EC2 carries out after the copier gave up waiting.
    late: Vec<(Ms, Call)>,
    next_verification: Ms,
    /// By Region: whether in this invocation an answer said that nothing more is to be asked for there.
    said_stop: [bool; 3],
    pub(crate) laws: Laws,
}

impl Ec2 {
    pub(crate) fn new(seed: u64, sources: Vec<Source>, limit: usize, weather: Weather) -> Self {
        let numbers = sources.iter().enumerate().map(|(number, source)| (source.id().clone(), number)).collect();
        Self {
            now: Ms::MIN,
            rng: Rng::with_seed(seed),
            sources,
            numbers,
            copies: Vec::new(),
            identities: BTreeMap::new(),
            pending: Default::default(),
            unsettled: Vec::new(),
            limit,
            weather,
            late: Vec::new(),
            next_verification: 0,
            said_stop: [false; 3],
            laws: Laws::default(),
        }
    }

    /// Lets time pass: copies end, late requests take effect, the verifier and the expirer run.
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
        self.end_copies(to);
        while self.next_verification <= to {
            self.verify(self.next_verification);
            self.next_verification += 10 * MINUTE;
        }
        self.now = to;
    }

    fn end_copies(&mut self, at: Ms) {
        for pending in &mut self.pending {
            pending.retain(|&number| {
                let copy = &mut self.copies[number];
                if copy.finishes <= at {
                    copy.state = if copy.fate == Fate::Fails { State::Error } else { State::Completed };
                }
                copy.state == State::Pending
            });
        }
    }

    /// What verify-copies and delete-expired-copies do, as far as it matters here.
    fn verify(&mut self, at: Ms) {
        let weather = &self.weather;
        if weather.happens(&mut self.rng, at, 20) {
            return;
        }
        self.unsettled.retain(|&number| {
            let copy = &mut self.copies[number];
            if copy.state == State::Pending || !copy.is_shown(at) || weather.is_down(copy.region, at) {
                return true;
            }
            // Somebody may have been there before, with an edit that EC2's filter for the verifier's work passes over.
            if copy.fate == Fate::Completes && weather.happens(&mut self.rng, at, 1) {
                copy.status = None;
            } else {
                copy.status = Some(match (copy.state, copy.fate) {
                    (State::Error, _) => Status::Failed,
                    (_, Fate::WrongKey) => Status::Rejected,
                    _ => Status::Verified,
                });
            }
            copy.settled_at = Some(at);
            false
        });
        for copy in &mut self.copies {
            let bad = matches!(copy.status, Some(Status::Failed | Status::Rejected));
            copy.deleted |= bad && copy.settled_at.is_some_and(|settled| settled + DAY <= at);
        }
    }

    /// DescribeSnapshots: everything that `owners` share.
    pub(crate) fn shared_by(&mut self, at: Ms, owners: &[&AccountId]) -> Result<Vec<SourceSnapshot>, CallError> {
        self.read(at, 0)?;
        let listed = self.sources.iter().filter(|source| owners.contains(&&source.fact().owner));
        let mut found: Vec<SourceSnapshot> = listed.filter_map(|source| source.seen(at)).collect();
        found.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        Ok(found)
    }

    /// DescribeSnapshots with a filter for IDs.
    pub(crate) fn named(&mut self, at: Ms, ids: &[SnapshotId]) -> Result<Vec<SourceSnapshot>, CallError> {
        self.read(at, 0)?;
        let numbers = ids.iter().filter_map(|id| self.numbers.get(id));
        let mut found: Vec<SourceSnapshot> = numbers.filter_map(|&number| self.sources[number].seen(at)).collect();
        found.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        Ok(found)
    }

    /// DescribeSnapshots in a target Region: our copies, of `sources` or all.
    pub(crate) fn copies(
        &mut self,
        at: Ms,
        region: usize,
        sources: Option<&[SnapshotId]>,
    ) -> Result<Copies, CallError> {
        self.read(at, region)?;
        let mut inventory = Inventory::default();
        for copy in self.copies.iter().filter(|copy| copy.region == region) {
            // Until all of EC2 knows of a copy, one read may show it and the next one not.
            let flickers = !copy.deleted && !copy.is_shown(at) && self.rng.u32(0..3) == 0;
            if !flickers && !copy.is_shown(at) {
                continue;
            }
            if sources.is_none_or(|sources| sources.contains(&copy.tags.source_snapshot)) {
                inventory.add(described(copy));
            }
        }
        Ok(inventory.close())
    }

    /// DescribeKey.
    pub(crate) fn key(&mut self, at: Ms, key: &KeyArn) -> KeyFact {
        let region = REGIONS.iter().position(|region| *region == key.region()).unwrap();
        match self.read(at, region) {
            Err(error) => KeyFact::Unread(error),
            Ok(()) if self.weather.is_key_off(region, at) => KeyFact::Unusable(KeyProblem::Disabled),
            Ok(()) => KeyFact::Usable,
        }
    }

    fn read(&mut self, at: Ms, region: usize) -> Result<(), CallError> {
        self.advance(at);
        if self.weather.read_fails(&mut self.rng, region, at) {
            self.laws.count("read-failed");
            return Err(CallError { code: "Timeout".to_owned(), message: "no answer".to_owned(), request_id: None });
        }
        Ok(())
    }

    /// Another invocation asks from here on.
    pub(crate) fn is_asked_anew(&mut self) {
        self.said_stop = [false; 3];
    }

    /// CopySnapshot: the answer, and when it comes.
    pub(crate) fn copy_snapshot(&mut self, at: Ms, call: Call) -> (Answer, Ms) {
        self.advance(at);
        self.laws.count("calls");
        let region = call.region;
        if self.said_stop[region] {
            self.laws.breach("pestered", at, REGIONS[region]);
        }
        let (answer, answered) = self.answer(at, call);
        self.said_stop[region] |= answer == FULL || answer == Answer::Silence;
        (answer, answered)
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
        let weather = &self.weather;
        let tags = call.tags.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let tags = CopyTags::parse(&call.source, tags).expect("a request's tags can be read back");
        let source = self.numbers[&call.source];
        let mut fate = Fate::Completes;
        if self.pending[call.region].len() >= self.limit {
            self.laws.count("region-full");
            return FULL;
        }
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
        if !self.sources[source].is_shared(at) || !self.sources[source].is_completed(at) {
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
        self.laws.count(match fate {
            Fate::Completes => "copy-that-completes",
            Fate::Fails => "copy-that-fails",
            Fate::WrongKey => "copy-under-a-wrong-key",
        });
        let number = self.copies.len();
        let identity = Identity::of(source, &tags, call.region);
        let copy = Copy {
            id: SnapshotId::parse(&format!("snap-c{number:08x}")).unwrap(),
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
            tags,
        };
        self.laws.started(&self.sources[source], &copy, &call, identity);
        let earlier = self.identities.entry(identity).or_default();
        self.laws.not_twice(at, identity, earlier.iter().map(|&number| &self.copies[number]));
        earlier.push(number);
        let id = copy.id.clone();
        self.pending[copy.region].push(number);
        self.unsettled.push(number);
        self.copies.push(copy);
        Answer::Copy(id)
    }

    /// How long DescribeSnapshots does not show a new copy.
    fn delay(&mut self, answered: bool) -> Ms {
        match self.rng.u32(0..50) {
            0 if answered => self.rng.i64(0..SHOWN_NAMED),
            0..=24 => self.rng.i64(0..SHOWN),
            _ => self.rng.i64(0..2 * SECOND),
        }
    }

    /// Whether nothing is under way any more: no copy in flight, none unjudged.
    pub(crate) fn is_quiet(&self) -> bool {
        self.late.is_empty() && self.unsettled.is_empty()
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
