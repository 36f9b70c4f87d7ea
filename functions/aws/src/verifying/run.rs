//! A run of a verifier: what was gathered is judged, and what becomes of it told.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Instant;

use jiff::Timestamp;
use snapferry_core::audit::{CopyDeferred, Ran, Record, Told};
use snapferry_core::event::CopyEvent;
use snapferry_core::ids::Region;
use snapferry_core::notices::Notices;
use snapferry_core::policy::Policy;
use snapferry_core::verifying::{
    Decision, Facts, Outcome, Verdict, completed, decide, ledger_unread, out_of_time, record,
};

use super::{Notes, execute};
use crate::audit::Audit;
use crate::deadline::Deadline;
use crate::keys::KeyCache;
use crate::ledger::Table;
use crate::vault::Vault;

/// What a verifier of copies of one kind keeps from one run to the next.
pub struct Judge {
    /// The policies.
    pub policies: Vec<Policy>,
    /// What KMS said of keys lately.
    pub keys: KeyCache,
    ledger: Table,
    audit: Audit,
    notices: RefCell<Notices>,
    /// The verdicts and locks that are in the audit, whether or not their tags are written.
    told: RefCell<Notices>,
}

/// What made the function run.
#[derive(Debug, Clone, Copy)]
pub enum Cause<'i> {
    /// A schedule, and which of its executions, where it said so.
    Schedule(Option<&'i str>),
    /// Events, each of a copy.
    Events(&'i [CopyEvent]),
}

/// One run.
pub struct Run<'j> {
    judge: &'j Judge,
    cause: Cause<'j>,
    deadline: Deadline,
    notes: Notes<'j>,
    told: RefCell<Told>,
    ran: Ran,
    began: Instant,
}

impl Judge {
    /// Of a function that begins.
    #[must_use]
    pub fn new(policies: Vec<Policy>, ledger: Table, audit: Audit) -> Self {
        Self {
            policies,
            keys: KeyCache::default(),
            ledger,
            audit,
            notices: RefCell::default(),
            told: RefCell::default(),
        }
    }

    /// A run that begins.
    #[must_use]
    pub fn begin<'j>(&'j self, cause: Cause<'j>, deadline: Deadline) -> Run<'j> {
        let notes = Notes::new(&self.ledger);
        Run {
            judge: self,
            cause,
            deadline,
            notes,
            told: RefCell::default(),
            ran: Ran::default(),
            began: Instant::now(),
        }
    }
}

impl Cause<'_> {
    /// The record with what made the function write it.
    fn of(self, record: Record) -> Record {
        let events = match self {
            Self::Schedule(run) => return record.scheduled(run),
            Self::Events(events) => events,
        };
        let copy = record.copy.as_ref().and_then(|copy| copy.snapshot.clone());
        let event = events.iter().find(|event| copy.as_deref() == Some(event.copy.as_str()));
        Record { trigger: Some("event"), trigger_id: event.map(|event| event.id.clone()), ..record }
    }
}

impl Run<'_> {
    /// Notes what was read of `regions`.
    pub fn saw<'r>(&mut self, regions: impl IntoIterator<Item = &'r Region>, facts: &Facts) {
        regions.into_iter().for_each(|region| self.ran.saw(region, facts.found(region)));
        self.ran.doomed_keys.extend(facts.doomed_keys().map(str::to_owned));
    }

    /// Judges what was gathered, with what the ledger holds of it. Gives the Regions in which there was something to decide that the
    /// next run may have to decide again at once; what waits for its key, or behind the copy that the ledger names, can wait
    /// for the next day's look at all.
    pub async fn settle(&self, vault: &impl Vault, facts: &mut Facts) -> BTreeSet<Region> {
        let judge = self.judge;
        self.notes.look(facts, self.deadline.reading_time()).await;
        let decisions = decide(&judge.policies, facts, Timestamp::now());
        judge.notices.borrow_mut().forget(Timestamp::now());
        judge.told.borrow_mut().forget(Timestamp::now());
        let report = |decision: &Decision<'_>, outcome: &Outcome| {
            let now = Timestamp::now();
            let once = decision.told_once(outcome);
            if once.is_some_and(|fact| !judge.told.borrow_mut().renew(fact, now)) {
                return;
            }
            self.tell(record(decision, outcome, facts.account.as_ref(), now), decision.notice(outcome));
        };
        let left = execute(vault, &self.notes, facts, &decisions, self.deadline, report).await;
        self.tell_left(left);
        let waits =
            |decision: &&Decision<'_>| matches!(decision.verdict, Verdict::KeyDoomed(_) | Verdict::AnotherNamed(_));
        decisions.iter().filter(|decision| !waits(decision)).map(|decision| decision.region.clone()).collect()
    }

    /// Counts a record, and prints it unless its notice was given within the last day.
    pub fn tell(&self, record: Record, notice: Option<String>) {
        self.told.borrow_mut().add(record.reason, 1);
        if notice.is_none_or(|notice| self.judge.notices.borrow_mut().note(notice, record.time)) {
            self.write(record);
        }
    }

    /// Says for how many there was no time.
    pub fn tell_left(&self, left: u64) {
        if left > 0 {
            self.told.borrow_mut().add(CopyDeferred::OutOfTime, left);
            self.write(out_of_time(left, Timestamp::now()));
        }
    }

    /// Ends a run that says nothing of what else waits, and must not pass for one that the alarms count.
    pub fn end(&self) {
        if let Some((count, error)) = self.notes.unread() {
            self.tell(ledger_unread(&error, count, Timestamp::now()), None);
        }
    }

    /// Ends a run over all that waits, which took `calls`.
    pub fn complete(mut self, calls: u64) {
        self.end();
        self.ran.duration_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.ran.calls = calls;
        self.write(completed(&self.told.borrow(), &self.ran, Timestamp::now()));
    }

    fn write(&self, record: Record) {
        self.judge.audit.write(&self.cause.of(record));
    }
}
