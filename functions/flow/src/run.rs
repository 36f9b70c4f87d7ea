//! One invocation: what its steps share.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use futures_util::lock::Mutex;
use jiff::Timestamp;
use snapferry_core::audit::{CopyDeferred, Record};
use snapferry_core::copying::{
    Decision, Deferral, Lane, Memory, Outcome, Subject, Verdict, ledger_unread, not_tried, record,
};
use snapferry_core::facts::{CallError, KeyFact, Lineage};
use snapferry_core::ids::{AccountId, KeyArn, Region, SnapshotId};
use snapferry_core::ledger::{Hint, Identity, Obligation, Turn};

use crate::unread::Unread;
use crate::{Handled, Setup, World};

/// How many obligations an invocation may end in the audit one by one.
const MOST_ENDS: u32 = 1000;

/// So much of what an invocation put in line is remembered: more than it can serve while the index may not show it yet.
const MOST_OWED: usize = 5000;

/// What made the function run.
#[derive(Debug, Default)]
pub(crate) struct Causes {
    /// The snapshots that events name.
    pub(crate) events: BTreeMap<SnapshotId, Cause>,
    /// The tick, if there was one: `sweep` or `serve`, and its ID.
    pub(crate) tick: Option<(&'static str, String)>,
}

/// What is known of an event that made the function look at a snapshot.
#[derive(Debug)]
pub(crate) struct Cause {
    /// The event's ID.
    pub(crate) id: String,
    /// How it had to be read, in words.
    pub(crate) oddities: Vec<String>,
}

/// What became of a copy in line that was tried.
pub(crate) struct Served {
    pub(crate) source: SnapshotId,
    pub(crate) region: Region,
    pub(crate) outcome: Outcome,
}

/// So many, and what a service said of them, if it did.
type Untried = (u64, Option<CallError>);

/// One invocation.
pub(crate) struct Run<'a, W> {
    pub(crate) world: &'a W,
    pub(crate) setup: &'a Setup,
    memory: &'a RefCell<Memory>,
    causes: RefCell<Causes>,
    /// Of each Region: one for the whole invocation, because a Region that closed stays closed.
    lanes: RefCell<BTreeMap<Region, Lane>>,
    /// The turns of each Region as they were read or written last.
    turns: RefCell<BTreeMap<Region, BTreeMap<AccountId, Turn>>>,
    /// Asked for once, also when several Regions want to know at the same time.
    keys: Mutex<Option<BTreeMap<KeyArn, KeyFact>>>,
    /// What had its turn: the index may still show it in its old place.
    taken: RefCell<HashSet<Identity>>,
    /// What was put in line: the index may not show it yet.
    owed: RefCell<Vec<Obligation>>,
    /// The databases of which a copy is under way in a Region.
    busy: RefCell<HashSet<(Region, AccountId, Lineage)>>,
    /// What became of copies in line that were tried.
    served: RefCell<Vec<Served>>,
    /// What was not tried one by one, by Region and reason.
    untried: RefCell<BTreeMap<(Region, CopyDeferred), Untried>>,
    /// The owners whose shared snapshots, and the Regions whose copies, a sweep could not read.
    pub(crate) owners: Unread<AccountId>,
    pub(crate) regions: Unread<Region>,
    /// Whether a sweep could read what some owner shares.
    pub(crate) home_answers: Cell<bool>,
    /// A round is read until so much of the invocation is left.
    pub(crate) until: Cell<Duration>,
    ends: Cell<u32>,
    ledger: RefCell<Option<(u64, CallError)>>,
    gives_back: Cell<bool>,
    home: RefCell<Option<CallError>>,
}

impl<'a, W: World> Run<'a, W> {
    pub(crate) fn new(world: &'a W, setup: &'a Setup, memory: &'a RefCell<Memory>, causes: Causes) -> Self {
        Self {
            world,
            setup,
            memory,
            causes: RefCell::new(causes),
            lanes: RefCell::default(),
            turns: RefCell::default(),
            keys: Mutex::default(),
            taken: RefCell::default(),
            owed: RefCell::default(),
            busy: RefCell::default(),
            served: RefCell::default(),
            untried: RefCell::default(),
            owners: Unread::new(),
            regions: Unread::new(),
            home_answers: Cell::default(),
            until: Cell::default(),
            ends: Cell::default(),
            ledger: RefCell::default(),
            gives_back: Cell::default(),
            home: RefCell::default(),
        }
    }

    /// What was said within the last day by now, in this invocation too.
    pub(crate) fn noticed(&self) -> HashSet<String> {
        self.memory.borrow_mut().recall(self.world.now())
    }

    /// The lane of a Region.
    pub(crate) fn lane<T>(&self, region: &Region, with: impl FnOnce(&mut Lane) -> T) -> T {
        with(self.lanes.borrow_mut().entry(region.clone()).or_default())
    }

    /// What KMS says of the configured keys, asked once.
    pub(crate) async fn keys(&self) -> BTreeMap<KeyArn, KeyFact> {
        let mut known = self.keys.lock().await;
        if let Some(keys) = &*known {
            return keys.clone();
        }
        let keys = self.world.keys().await;
        *known = Some(keys.clone());
        keys
    }

    /// Reads the turns of a Region.
    pub(crate) async fn read_turns(&self, region: &Region) -> Result<(), CallError> {
        let turns = self.world.turns(region).await?;
        let turns = turns.into_iter().map(|turn| (turn.account.clone(), turn)).collect();
        self.turns.borrow_mut().insert(region.clone(), turns);
        Ok(())
    }

    /// The turns of a Region as far as they are known.
    pub(crate) fn turns(&self, region: &Region) -> Vec<Turn> {
        self.turns.borrow().get(region).into_iter().flat_map(BTreeMap::values).cloned().collect()
    }

    /// An account's turn as far as it is known.
    pub(crate) fn turn(&self, region: &Region, account: &AccountId) -> Option<Turn> {
        self.turns.borrow().get(region)?.get(account).cloned()
    }

    /// Notes a turn that was written.
    pub(crate) fn note_turn(&self, region: &Region, turn: Turn) {
        self.turns.borrow_mut().entry(region.clone()).or_default().insert(turn.account.clone(), turn);
    }

    /// Notes that a turn is gone.
    pub(crate) fn forget_turn(&self, region: &Region, account: &AccountId) {
        if let Some(turns) = self.turns.borrow_mut().get_mut(region) {
            turns.remove(account);
        }
    }

    /// The Regions in which somebody is known to wait.
    pub(crate) fn waiting(&self) -> Vec<Region> {
        let turns = self.turns.borrow();
        turns.iter().filter(|(_, turns)| !turns.is_empty()).map(|(region, _)| region.clone()).collect()
    }

    /// Whether somebody waits in a Region. Where the ledger did not say, somebody may.
    pub(crate) fn is_waited_for(&self, region: &Region) -> bool {
        self.turns.borrow().get(region).is_none_or(|turns| !turns.is_empty())
    }

    /// Takes an obligation out of its line for this invocation; tells whether it was still there.
    pub(crate) fn take(&self, identity: &Identity) -> bool {
        self.taken.borrow_mut().insert(identity.clone())
    }

    /// Puts back what was taken and not looked at: it keeps its place before what is newer, also within this invocation.
    pub(crate) fn put_back(&self, taken: &[Obligation]) {
        let mut all = self.taken.borrow_mut();
        taken.iter().for_each(|obligation| _ = all.remove(&obligation.identity));
    }

    /// Notes that a copy of the same database is under way: the next one's turn is in another invocation.
    pub(crate) fn note_busy(&self, obligation: &Obligation) {
        self.busy.borrow_mut().insert(lineage(obligation));
    }

    /// Whether it has to wait for another copy of the same database.
    pub(crate) fn is_busy(&self, obligation: &Obligation) -> bool {
        self.busy.borrow().contains(&lineage(obligation))
    }

    /// When this process asked for a copy that EC2 may hide still, whatever the ledger says.
    pub(crate) fn requested(&self, obligation: &Obligation) -> Option<Timestamp> {
        self.memory.borrow().requested(obligation, self.world.now())
    }

    /// Notes that a request leaves under this intent.
    pub(crate) fn note_request(&self, intent: &Obligation) {
        self.memory.borrow_mut().note_request(intent, self.world.now());
    }

    /// Notes that EC2 started no copy for the request.
    pub(crate) fn forget_request(&self, identity: &Identity) {
        self.memory.borrow_mut().forget_request(identity);
    }

    /// Whether EC2 refused a copy of this lineage lately.
    pub(crate) fn was_refused(&self, obligation: &Obligation) -> bool {
        self.memory.borrow().was_refused(obligation, self.world.now())
    }

    /// Notes what EC2 answered for a lineage, if it did.
    pub(crate) fn note_answer(&self, obligation: &Obligation, outcome: &Outcome) {
        let is_refused = matches!(outcome, Outcome::Failed { .. });
        if is_refused || matches!(outcome, Outcome::Started { .. }) {
            self.memory.borrow_mut().note_answer(obligation, is_refused, self.world.now());
        }
    }

    /// Notes that an obligation was put in line.
    pub(crate) fn note_owed(&self, obligation: Obligation) {
        let mut owed = self.owed.borrow_mut();
        if owed.len() < MOST_OWED {
            owed.push(obligation);
        }
    }

    /// What this invocation put in a line of an account in a Region.
    pub(crate) fn owed(&self, region: &Region, account: &AccountId) -> Vec<Obligation> {
        let is_of = |owed: &&Obligation| owed.identity.region == *region && owed.account == *account;
        self.owed.borrow().iter().filter(is_of).cloned().collect()
    }

    /// Whether there is time left to go on with a round.
    pub(crate) fn has_time(&self) -> bool {
        self.world.left() > self.until.get()
    }

    /// Whether one more obligation may be ended in the audit.
    pub(crate) fn may_end(&self) -> bool {
        let ends = self.ends.get();
        self.ends.set(ends.saturating_add(1));
        ends < MOST_ENDS
    }

    /// Notes that the ledger did not answer, and how many copies or events have to wait for that.
    pub(crate) fn ledger_failed(&self, count: u64, error: &CallError) {
        let mut failed = self.ledger.borrow_mut();
        let before = failed.as_ref().map_or(0, |(count, _)| *count);
        *failed = Some((before.saturating_add(count), error.clone()));
    }

    /// Whether something is done; where the ledger did not answer, that is noted, and holds nothing else up.
    pub(crate) fn noted(&self, done: Result<bool, CallError>) -> bool {
        done.unwrap_or_else(|error| {
            self.ledger_failed(0, &error);
            false
        })
    }

    /// Notes that the snapshots could not be read in the home Region.
    pub(crate) fn home_failed(&self, error: &CallError) {
        *self.home.borrow_mut() = Some(error.clone());
    }

    /// Notes that nothing may stand for what an event of the input asks for.
    pub(crate) fn give_back(&self) {
        self.gives_back.set(true);
    }

    /// What was not tried one by one is told, then the ledger's error; and gives how the invocation ended.
    pub(crate) fn close(self) -> Handled {
        self.tell_untried();
        let failed = self.ledger.take();
        if let Some((count, error)) = &failed {
            self.say(ledger_unread(error, *count, self.world.now()), None);
        }
        Handled {
            ledger_unread: failed.map(|(_, error)| error),
            home_unread: self.home.take(),
            gives_back: self.gives_back.get(),
        }
    }

    /// Names the event that made a hint.
    pub(crate) fn caused_by(&self, source: &SnapshotId, event: &str) {
        let cause = || Cause { id: event.to_owned(), oddities: Vec::new() };
        self.causes.borrow_mut().events.entry(source.clone()).or_insert_with(cause);
    }

    /// Notes that so many copies in line for a Region were not tried.
    pub(crate) fn note_untried(&self, region: &Region, reason: CopyDeferred, count: u64, error: Option<CallError>) {
        let mut untried = self.untried.borrow_mut();
        let (so_far, first) = untried.entry((region.clone(), reason)).or_default();
        *so_far = so_far.saturating_add(count);
        *first = first.take().or(error);
    }

    /// How many copies in line for a Region were not tried, and why, as far as it was not told.
    pub(crate) fn untried(&self, region: &Region) -> Vec<(CopyDeferred, u64)> {
        let untried = self.untried.borrow();
        untried.iter().filter(|((of, _), _)| of == region).map(|((_, reason), (count, _))| (*reason, *count)).collect()
    }

    /// Tells what was not tried: one record for each Region and reason.
    pub(crate) fn tell_untried(&self) {
        for ((region, reason), (count, error)) in self.untried.take() {
            self.say(not_tried(&region, reason, count, self.world.now()).error(error.as_ref()), None);
        }
    }

    /// Puts a decision and what became of it into the audit.
    pub(crate) fn tell(&self, decision: &Decision<'_>, outcome: &Outcome) {
        let now = self.world.now();
        self.memory.borrow_mut().note(decision, now);
        let source = match &decision.subject {
            Subject::Seen(seen) => Some(&seen.id),
            Subject::Named(event) => Some(&event.snapshot),
            Subject::All => None,
        };
        self.say(record(decision, outcome, &self.setup.home, now), source);
    }

    /// As [`tell`](Self::tell), for a copy in line that was tried.
    pub(crate) fn tell_tried(&self, decision: &Decision<'_>, outcome: &Outcome) {
        if let (Subject::Seen(source), Some(region)) = (decision.subject, decision.region) {
            let (source, region, outcome) = (source.id.clone(), region.clone(), outcome.clone());
            self.served.borrow_mut().push(Served { source, region, outcome });
        }
        self.tell(decision, outcome);
    }

    /// What became of the copies in line that were tried since this was last asked.
    pub(crate) fn served(&self) -> Vec<Served> {
        self.served.take()
    }

    /// The record of a decision that may stand for many; it is told of by [`say`](Self::say).
    pub(crate) fn alike(&self, decision: &Decision<'_>) -> Record {
        record(decision, &Outcome::Stands, &self.setup.home, self.world.now())
    }

    /// As [`tell`](Self::tell), but what is said once a day is not said again.
    pub(crate) fn tell_once(&self, decision: &Decision<'_>) {
        // Asked of the memory as it is now: a sweep and the serving behind it may come upon the same fact.
        if self.memory.borrow_mut().note(decision, self.world.now()) {
            self.tell(decision, &Outcome::Stands);
        }
    }

    /// Puts a deferral of so many copies for a Region into the audit.
    pub(crate) fn tell_region(&self, region: &Region, deferral: Deferral, count: usize) {
        let verdict = Verdict::Defer(deferral);
        let decision = Decision { policy: None, subject: Subject::All, region: Some(region), verdict, stands: None };
        let mut record = record(&decision, &Outcome::Stands, &self.setup.home, self.world.now());
        record.count = u64::try_from(count).ok();
        self.say(record, None);
    }

    /// Whether this process told an obligation's end already, and could not write it.
    pub(crate) fn has_told_end(&self, obligation: &Obligation) -> bool {
        self.memory.borrow().has_told_end(obligation, self.world.now())
    }

    /// Puts an obligation's end into the audit.
    pub(crate) fn say_end(&self, obligation: &Obligation, record: Record) {
        self.memory.borrow_mut().note_end(obligation, self.world.now());
        self.say(record, Some(&obligation.identity.source));
    }

    /// Whether a hint is to be told as given up: what was told and could not be removed is not told again.
    pub(crate) fn note_given_up(&self, hint: &Hint) -> bool {
        self.memory.borrow_mut().note_given_up(hint, self.world.now())
    }

    /// Puts a record into the audit, with what made the function look at the source.
    pub(crate) fn say(&self, mut record: Record, source: Option<&SnapshotId>) {
        let causes = self.causes.borrow();
        let event = source.and_then(|source| causes.events.get(source));
        let (trigger, id) = match (event, &causes.tick) {
            (Some(event), _) => ("event", Some(&event.id)),
            (None, Some((tick, id))) => (*tick, Some(id)),
            (None, None) => ("event", causes.events.values().next().map(|event| &event.id)),
        };
        record.warnings.extend(event.into_iter().flat_map(|event| event.oddities.iter().cloned()));
        (record.trigger, record.trigger_id) = (Some(trigger), id.cloned());
        self.world.say(&record);
    }
}

fn lineage(obligation: &Obligation) -> (Region, AccountId, Lineage) {
    (obligation.identity.region.clone(), obligation.account.clone(), obligation.lineage.clone())
}
