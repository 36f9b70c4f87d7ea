//! A world in which nothing goes wrong unless the test says so, and which writes down what it is asked.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use snapferry_core::audit::{CopyFailed, Record};
use snapferry_core::copying::{CopyError, CopyFailure, CopyRequest};
use snapferry_core::event::ShareEvent;
use snapferry_core::facts::{CallError, Copies, DescribedCopy, Inventory, KeyFact, Lineage, SourceSnapshot, State};
use snapferry_core::ids::{AccountId, KeyArn, Region, SnapshotId, VolumeId};
use snapferry_core::ledger::{Hint, Identity, Obligation, Round, Shard, Turn, place};
use snapferry_core::policy::{self, Policy};
use snapferry_flow::{
    CopiesIn, Handled, Item, Items, Kept, Page, Setup, Shown, Work, World, Written, handle, is_mostly_empty,
};

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
    /// The page token that EC2 takes no more.
    pub(crate) stale_token: Cell<Option<usize>>,
    /// How long each CopySnapshot takes, in seconds.
    pub(crate) copy_takes: Cell<i64>,
    /// This account's snapshots, by Region.
    pub(crate) copies: RefCell<Vec<(Region, DescribedCopy)>>,
    pub(crate) round: RefCell<Option<Round>>,
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
        retired_policies: BTreeSet::new(),
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
        match handling.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(handled) => handled,
            Poll::Pending => panic!("nothing here waits"),
        }
    }

    pub(crate) fn events(&self, setup: &Setup, numbers: impl IntoIterator<Item = usize>) -> Handled {
        let events = numbers.into_iter().map(event).collect();
        self.handle(setup, &Work { events, ..Work::default() })
    }

    pub(crate) fn serve(&self, setup: &Setup) -> Handled {
        self.clock.set(self.clock.get() + 60);
        self.handle(setup, &Work { serves: vec!["tick".to_owned()], ..Work::default() })
    }

    pub(crate) fn sweep(&self, setup: &Setup) -> Handled {
        self.clock.set(self.clock.get() + 60);
        self.handle(setup, &Work { sweeps: vec![format!("sweep-{}", self.clock.get())], ..Work::default() })
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

fn source_of(copy: &DescribedCopy) -> &SnapshotId {
    copy.tags.source_snapshot.as_ref().expect("a copy of a known source")
}

fn put<K: Ord, V: Clone>(items: &RefCell<BTreeMap<K, V>>, key: K, item: &V, revision: impl Fn(&V) -> u64) -> Written {
    let mut items = items.borrow_mut();
    if items.get(&key).map_or(0, |stored| revision(stored) + 1) != revision(item) {
        return Written::Stale;
    }
    items.insert(key, item.clone());
    Written::Done
}

impl World for Scripted {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap() + SignedDuration::from_secs(self.clock.get())
    }

    fn left(&self) -> Duration {
        Duration::from_secs(u64::try_from(300 - (self.clock.get() - self.began.get())).unwrap_or_default())
    }

    fn random(&self) -> f64 {
        0.5
    }

    async fn sleep(&self, time: Duration) {
        self.clock.set(self.clock.get() + i64::try_from(time.as_secs()).unwrap());
    }

    fn say(&self, record: &Record) {
        self.said.borrow_mut().push(record.clone());
    }

    fn calls(&self) -> u64 {
        0
    }

    async fn sources(&self, ids: &[SnapshotId]) -> Result<Shown, CallError> {
        self.note(Call::Ec2("sources"));
        let snapshots = ids.iter().filter_map(|id| self.sources.borrow().get(id).cloned()).collect();
        Ok(Shown { snapshots, unreadable: BTreeMap::new() })
    }

    async fn shared(&self, owners: &[AccountId], shard: &Shard, next: Option<&str>) -> Result<Page, CallError> {
        self.note(Call::Ec2("shared"));
        self.clock.set(self.clock.get() + self.page_takes.get());
        owners.iter().try_for_each(|owner| self.answers(owner.as_str()))?;
        let sources = self.sources.borrow();
        let base: Vec<&SourceSnapshot> = sources.values().filter(|source| owners.contains(&source.owner)).collect();
        let begin = next.map_or(0, |next| next.parse().unwrap());
        if next.is_some() && self.stale_token.get() == Some(begin) {
            let code = "InvalidNextToken".to_owned();
            return Err(CallError { code, ..CallError::not_read() });
        }
        let (found, next) = self.cut(&base, begin, |source| shard.contains(&source.id));
        let snapshots = found.into_iter().cloned().cloned().collect();
        Ok(Page { snapshots, next: next.map(|next| next.to_string()), unreadable: Vec::new() })
    }

    async fn copies_of(&self, region: &Region, sources: &[SnapshotId]) -> Result<Copies, CallError> {
        if !sources.is_empty() {
            self.note(Call::Ec2("copies of"));
        }
        self.found(region, |copy| sources.contains(source_of(copy)))
    }

    async fn copies_in(&self, region: &Region, shard: &Shard, most: usize) -> Result<CopiesIn, CallError> {
        if self.hangs.get() {
            std::future::pending::<()>().await;
        }
        self.answers(region.as_str())?;
        let copies = self.copies.borrow();
        let base: Vec<&DescribedCopy> =
            copies.iter().filter(|(there, _)| there == region).map(|(_, copy)| copy).collect();
        let (mut pages, mut count, mut begin) = (0, 0, 0);
        for _ in 0..self.foreign.get() / self.page.get().max(1) {
            self.note(Call::Ec2("copies in"));
            pages += 1;
            if is_mostly_empty(pages, count) {
                return Ok(CopiesIn::MostlyEmpty);
            }
        }
        loop {
            self.note(Call::Ec2("copies in"));
            let (found, next) = self.cut(&base, begin, |copy| shard.contains(source_of(copy)));
            (pages, count) = (pages + 1, count + found.len());
            match next {
                _ if count > most => return Ok(CopiesIn::TooMany),
                Some(_) if is_mostly_empty(pages, count) => return Ok(CopiesIn::MostlyEmpty),
                Some(next) => begin = next,
                None => break,
            }
        }
        drop(copies);
        self.found(region, |copy| shard.contains(source_of(copy))).map(CopiesIn::All)
    }

    async fn copies_of_lineages(&self, region: &Region, lineages: &[Lineage]) -> Result<Copies, CallError> {
        self.note(Call::Ec2("copies of lineages"));
        self.found(region, |copy| copy.tags.source_volume.as_ref().is_some_and(|volume| lineages.contains(volume)))
    }

    async fn copies_by_id(&self, _: &Region, _: &[SnapshotId]) -> Result<Copies, CallError> {
        self.note(Call::Ec2("copies by ID"));
        Ok(Copies::default())
    }

    async fn keys(&self) -> BTreeMap<KeyArn, KeyFact> {
        self.keys.borrow().clone()
    }

    async fn copy(&self, request: &CopyRequest<'_>, _: Timestamp) -> Result<SnapshotId, CopyError> {
        self.note(Call::Copy(request.source.id.clone()));
        self.clock.set(self.clock.get() + self.copy_takes.get());
        if self.refused.borrow().contains(&request.source.id) {
            return Err(error(CopyFailure::Refused { reason: CopyFailed::KeyRefused, remedy: "" }));
        }
        let spent =
            self.without_duration.borrow().clone().filter(|_| request.target.completion_duration_minutes.is_some());
        match spent.or_else(|| self.answers.borrow_mut().pop()) {
            Some(error) => Err(error),
            None => Ok(id(0xc000 + self.asked.borrow().len())),
        }
    }

    async fn obligation(&self, identity: &Identity) -> Result<Option<Item>, CallError> {
        self.note(Call::Read("obligation"));
        let stored = self.obligations.borrow().get(identity).cloned();
        Ok(stored.map(|obligation| Item { obligation, is_placed: true }))
    }

    async fn obligations(&self, shard: &Shard, most: usize) -> Result<Option<Items>, CallError> {
        self.note(Call::Read("obligations"));
        let obligations = self.obligations.borrow();
        let is_open = |stored: &&Obligation| !stored.has_ended() || stored.may_return();
        let open = obligations.values().filter(is_open).filter(|stored| shard.contains(&stored.identity.source));
        let items: Vec<Item> = open.cloned().map(|obligation| Item { obligation, is_placed: true }).collect();
        Ok((items.len() <= most).then_some((items, Vec::new())))
    }

    async fn line(
        &self,
        line: &str,
        after: Option<&str>,
        before: Option<&str>,
        most: usize,
    ) -> Result<Vec<Obligation>, CallError> {
        self.note(Call::Read("line"));
        let obligations = self.obligations.borrow();
        let mut found: Vec<(String, &Obligation)> = obligations
            .values()
            .filter_map(|obligation| Some((place(obligation)?, obligation)))
            .filter(|(place, _)| place.line == line)
            .map(|(place, obligation)| (place.order, obligation))
            .filter(|(order, _)| after.is_none_or(|after| order.as_str() > after))
            .filter(|(order, _)| before.is_none_or(|before| order.as_str() < before))
            .collect();
        found.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(found.into_iter().take(most).map(|(_, obligation)| obligation.clone()).collect())
    }

    async fn write(&self, obligation: &Obligation) -> Result<Written, CallError> {
        self.note(Call::Write("obligation"));
        self.clock.set(self.clock.get() + self.write_takes.get());
        if self.is_unwritable.get() || (self.is_endless.get() && obligation.has_ended()) {
            return Err(CallError::not_read());
        }
        Ok(put(&self.obligations, obligation.identity.clone(), obligation, |stored| stored.revision))
    }

    async fn turns(&self, region: &Region) -> Result<Vec<Turn>, CallError> {
        self.note(Call::Read("turns"));
        let turns = self.turns.borrow();
        Ok(turns.iter().filter(|((there, _), _)| there == region).map(|(_, turn)| turn.clone()).collect())
    }

    async fn write_turn(&self, region: &Region, turn: &Turn) -> Result<Written, CallError> {
        self.note(Call::Write("turn"));
        Ok(put(&self.turns, (region.clone(), turn.account.clone()), turn, |stored| stored.revision))
    }

    async fn remove_turn(&self, region: &Region, turn: &Turn) -> Result<Written, CallError> {
        self.note(Call::Write("turn"));
        self.turns.borrow_mut().remove(&(region.clone(), turn.account.clone()));
        Ok(Written::Done)
    }

    async fn hints(&self) -> Result<Vec<Hint>, CallError> {
        self.note(Call::Read("hints"));
        Ok(self.hints.borrow().values().cloned().collect())
    }

    async fn write_hint(&self, hint: &Hint) -> Result<Written, CallError> {
        self.note(Call::Write("hint"));
        Ok(put(&self.hints, hint.source.clone(), hint, |stored| stored.revision))
    }

    async fn remove_hint(&self, hint: &Hint) -> Result<Written, CallError> {
        self.note(Call::Write("hint"));
        self.hints.borrow_mut().remove(&hint.source);
        Ok(Written::Done)
    }

    async fn round(&self) -> Result<Option<Round>, CallError> {
        self.note(Call::Read("round"));
        Ok(self.round.borrow().clone())
    }

    async fn write_round(&self, round: &Round) -> Result<Written, CallError> {
        self.note(Call::Write("round"));
        let stored = self.round.borrow().as_ref().map_or(0, |stored| stored.revision + 1);
        if stored != round.revision {
            return Ok(Written::Stale);
        }
        self.round.replace(Some(round.clone()));
        Ok(Written::Done)
    }
}
