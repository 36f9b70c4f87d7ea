//! A world in which nothing goes wrong unless the test says so, and which writes down what it is asked.

mod answers;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use jiff::Timestamp;
use snapferry_core::audit::Record;
use snapferry_core::copying::{CopyError, CopyFailure};
use snapferry_core::event::{CopyEvent, ShareEvent};
use snapferry_core::facts::{CallError, Copies, DescribedCopy, Inventory, KeyFact, SourceSnapshot, State};
use snapferry_core::ids::{AccountId, KeyArn, Region, SnapshotId, VolumeId};
use snapferry_core::ledger::{Hint, Identity, Obligation, Round, Turn};
use snapferry_core::policy::{self, Policy, SourceType};
use snapferry_flow::{Handled, Kept, Setup, Work, handle};

pub(crate) const REGIONS: [&str; 3] = ["eu-central-1", "eu-west-1", "us-east-1"];
pub(crate) const OWNER: &str = "111111111111";

/// What the world was asked, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Call {
    /// A read of EC2.
    Ec2(&'static str),
    /// A CopySnapshot.
    Copy(SnapshotId),
    /// A read of the ledger.
    Read(&'static str),
    /// A write to the ledger.
    Write(&'static str),
}

#[derive(Default)]
pub(crate) struct Scripted {
    pub(crate) clock: Cell<i64>,
    pub(crate) sources: RefCell<BTreeMap<SnapshotId, SourceSnapshot>>,
    pub(crate) obligations: RefCell<BTreeMap<Identity, Obligation>>,
    pub(crate) turns: RefCell<BTreeMap<(Region, AccountId), Turn>>,
    pub(crate) hints: RefCell<BTreeMap<SnapshotId, Hint>>,
    /// What CopySnapshot answers, for as long as there is something; else it starts a copy.
    pub(crate) answers: RefCell<Vec<CopyError>>,
    /// Whether the ledger does not answer writes of obligations.
    pub(crate) is_unwritable: Cell<bool>,
    /// Sources whose copies EC2 refuses, for ever.
    pub(crate) refused: RefCell<BTreeSet<SnapshotId>>,
    /// What EC2 answers each request with a CompletionDuration, and what KMS says of keys.
    pub(crate) without_duration: RefCell<Option<CopyError>>,
    pub(crate) keys: RefCell<BTreeMap<KeyArn, KeyFact>>,
    /// Whether the ledger does not answer writes of what is over.
    pub(crate) is_endless: Cell<bool>,
    /// Regions whose lines in the ledger cannot be read, and whether no hint can be written.
    pub(crate) unread_lines: RefCell<BTreeSet<String>>,
    pub(crate) is_hintless: Cell<bool>,
    /// Whether no hint can be removed, and how long a write or removal of a hint takes, in seconds.
    pub(crate) is_unremovable: Cell<bool>,
    pub(crate) hint_takes: Cell<i64>,
    /// How many writes of hints are under way, and how many were at most.
    hints_at_once: Cell<(usize, usize)>,
    /// Whether something waits only for its turn.
    is_waiting: Cell<bool>,
    /// Sources of which nothing can be written.
    pub(crate) unwritable: RefCell<BTreeSet<SnapshotId>>,
    /// Whether another process handles a sweep before the next write of an obligation takes effect.
    pub(crate) is_doubled: Cell<bool>,
    /// The page token that EC2 takes no more.
    pub(crate) stale_token: Cell<Option<usize>>,
    /// How long each CopySnapshot takes, in seconds.
    pub(crate) copy_takes: Cell<i64>,
    /// This account's snapshots, by Region.
    pub(crate) copies: RefCell<Vec<(Region, DescribedCopy)>>,
    pub(crate) round: RefCell<Option<Round>>,
    /// The rounds of the other kinds, and whether they cannot be read.
    pub(crate) other_rounds: RefCell<BTreeMap<SourceType, Round>>,
    pub(crate) are_others_unread: Cell<bool>,
    /// How many snapshots EC2 gives at once, how long such a page takes, in seconds, and whether it is cut before it is filtered.
    pub(crate) page: Cell<usize>,
    pub(crate) page_takes: Cell<i64>,
    pub(crate) cuts_first: Cell<bool>,
    /// How many snapshots that are no copies stand before the copies in each Region.
    pub(crate) foreign: Cell<usize>,
    /// Whether reads of shards of copies get no answer.
    pub(crate) hangs: Cell<bool>,
    /// How long a write of an obligation takes, in seconds.
    pub(crate) write_takes: Cell<i64>,
    /// The owners and Regions whose snapshots cannot be read.
    pub(crate) unread: RefCell<BTreeSet<String>>,
    /// When the invocation began.
    began: Cell<i64>,
    pub(crate) asked: RefCell<Vec<Call>>,
    pub(crate) said: RefCell<Vec<Record>>,
    kept: Kept,
}

/// The policies of a document whose targets have this, too.
pub(crate) fn policies(more: &str) -> Vec<Policy> {
    let targets: Vec<String> = REGIONS
        .iter()
        .map(|region| format!(r#"{{"Target":"{region}","EncryptionConfiguration":{{"Encrypted":true}}{more}}}"#))
        .collect();
    let document = format!(
        r#"{{"PolicyType":"EVENT_BASED_POLICY","EventSource":{{"Type":"MANAGED_CWE","Parameters":{{
        "EventType":"shareSnapshot","SnapshotOwner":["{OWNER}","222222222222"]}}}},
        "Actions":[{{"Name":"copy","CrossRegionCopy":[{}]}}]}}"#,
        targets.join(",")
    );
    policy::parse(&document).unwrap().policies
}

pub(crate) fn setup() -> Setup {
    Setup {
        policies: policies(""),
        account: None,
        home: Region::parse("us-east-1").unwrap(),
        since: None,
        records: 45_000,
        silent_after_hours: 48,
        retired_policies: BTreeSet::new(),
        unserved: Vec::new(),
    }
}

pub(crate) fn id(number: usize) -> SnapshotId {
    SnapshotId::parse(&format!("snap-{number:017x}")).unwrap()
}

pub(crate) fn event(number: usize) -> ShareEvent {
    ShareEvent::naming(format!("event-{number}"), id(number))
}

pub(crate) fn error(failure: CopyFailure) -> CopyError {
    let error = CallError { code: "So".to_owned(), message: String::new(), request_id: Some("r".to_owned()) };
    CopyError { failure, error }
}

impl Scripted {
    /// Shares a snapshot of a volume of its own.
    pub(crate) fn share(&self, number: usize, owner: &str) {
        let source = SourceSnapshot {
            kind: snapferry_core::facts::SourceKind::Volume,
            id: id(number),
            owner: AccountId::parse(owner).unwrap(),
            volume: VolumeId::parse(&format!("vol-{number:08x}")).unwrap(),
            size_gib: 8,
            state: State::Completed,
            start_time: Timestamp::UNIX_EPOCH,
            encrypted: true,
            storage: snapferry_core::facts::Storage::Standard,
            description: "".into(),
        };
        self.sources.borrow_mut().insert(source.id.clone(), source);
    }

    /// Handles one input, of which all awaits are ready at once.
    pub(crate) fn handle(&self, setup: &Setup, work: &Work) -> Handled {
        self.asked.borrow_mut().clear();
        self.said.borrow_mut().clear();
        self.began.set(self.clock.get());
        let mut handling = pin!(handle(self, setup, &self.kept, work));
        loop {
            match handling.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(handled) => return handled,
                Poll::Pending => assert!(self.is_waiting.take(), "nothing here waits for anything but its turn"),
            }
        }
    }

    /// What else can go on does so first.
    async fn turn(&self) {
        let mut had = false;
        std::future::poll_fn(|context| {
            if std::mem::replace(&mut had, true) {
                return Poll::Ready(());
            }
            self.is_waiting.set(true);
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    /// A write or removal of a hint is under way.
    async fn hint(&self) {
        self.note(Call::Write("hint"));
        let (now, most) = self.hints_at_once.get();
        self.hints_at_once.set((now + 1, most.max(now + 1)));
        self.turn().await;
        let (now, most) = self.hints_at_once.get();
        self.hints_at_once.set((now - 1, most));
        self.clock.set(self.clock.get() + self.hint_takes.get());
    }

    /// How many writes of hints were under way at once.
    pub(crate) fn most_hints_at_once(&self) -> usize {
        self.hints_at_once.get().1
    }

    pub(crate) fn events(&self, setup: &Setup, numbers: impl IntoIterator<Item = usize>) -> Handled {
        let events = numbers.into_iter().map(event).collect();
        self.handle(setup, &Work { events, ..Work::default() })
    }

    pub(crate) fn serve(&self, setup: &Setup) -> Handled {
        self.clock.set(self.clock.get() + 60);
        self.handle(setup, &Work { serves: vec!["tick".to_owned()], ..Work::default() })
    }

    /// A copy ended in a Region, some seconds after the last invocation.
    pub(crate) fn ended(&self, setup: &Setup, region: &str) -> Handled {
        self.clock.set(self.clock.get() + 5);
        let region = Region::parse(region).unwrap();
        let ended = vec![CopyEvent { id: "ended".to_owned(), copy: id(0xc0b1), region }];
        self.handle(setup, &Work { ended, ..Work::default() })
    }

    pub(crate) fn sweep(&self, setup: &Setup) -> Handled {
        self.clock.set(self.clock.get() + 60);
        self.handle(setup, &Work { sweeps: vec![format!("sweep-{}", self.clock.get())], ..Work::default() })
    }

    /// Handles a sweep in another process.
    fn beside(&self) {
        let (setup, kept) = (setup(), Kept::default());
        let work = Work { sweeps: vec!["beside".to_owned()], ..Work::default() };
        let mut handling = pin!(handle(self, &setup, &kept, &work));
        assert!(handling.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready(), "nothing here waits");
    }

    /// When the last invocation began.
    pub(crate) fn began(&self) -> i64 {
        self.began.get()
    }

    /// What this process keeps is lost.
    pub(crate) fn dies(&mut self) {
        self.kept = Kept::default();
    }

    pub(crate) fn count(&self, is_of: impl Fn(&Call) -> bool) -> usize {
        self.asked.borrow().iter().filter(|call| is_of(call)).count()
    }

    /// Calls to EC2, reads and copies.
    pub(crate) fn ec2(&self) -> usize {
        self.count(|call| matches!(call, Call::Ec2(_) | Call::Copy(_)))
    }

    pub(crate) fn reasons(&self) -> Vec<&'static str> {
        self.said.borrow().iter().map(|record| record.reason.name()).collect()
    }

    fn answers(&self, of: &str) -> Result<(), CallError> {
        if self.unread.borrow().contains(of) { Err(CallError::not_read()) } else { Ok(()) }
    }

    /// A page of what is asked for, and where the next begins.
    fn cut<'s, T>(
        &self,
        base: &'s [T],
        begin: usize,
        is_asked_for: impl Fn(&T) -> bool,
    ) -> (Vec<&'s T>, Option<usize>) {
        let page = match self.page.get() {
            0 => 1000,
            page => page,
        };
        let (mut found, mut end) = (Vec::new(), begin);
        while end < base.len() && if self.cuts_first.get() { end - begin < page } else { found.len() < page } {
            found.extend(base.get(end).filter(|one| is_asked_for(one)));
            end += 1;
        }
        (found, (end < base.len()).then_some(end))
    }

    fn found(&self, region: &Region, is_asked_for: impl Fn(&DescribedCopy) -> bool) -> Result<Copies, CallError> {
        self.answers(region.as_str())?;
        let mut inventory = Inventory::default();
        let copies = self.copies.borrow();
        let here = copies.iter().filter(|(there, copy)| there == region && is_asked_for(copy));
        here.for_each(|(_, copy)| inventory.add(copy.clone()));
        Ok(inventory.close())
    }

    fn note(&self, call: Call) {
        self.asked.borrow_mut().push(call);
    }
}
