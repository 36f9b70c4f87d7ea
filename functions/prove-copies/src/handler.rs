//! One run: the copies of which nothing is proven yet, one after the other until the time is over.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use lambda_runtime::LambdaEvent;
use serde_json::{Value, json};
use snapferry_aws::audit::Audit;
use snapferry_aws::clients::Clients;
use snapferry_aws::deadline::Deadline;
use snapferry_aws::ledger::{Place, Table, Written};
use snapferry_aws::proving::{
    Blocks, Candidate, Goes, Sides, Sought, gather, go_on, is_unchanged, owe_again, settle, source_of,
};
use snapferry_core::audit::{Ran, Record, Told};
use snapferry_core::facts::CallError;
use snapferry_core::ids::{AccountId, Region, SnapshotId};
use snapferry_core::notices::Notices;
use snapferry_core::policy::Policy;
use snapferry_core::proving::{Finding, Level, MOST_REJECTED, Progress, Seed, completed, record, region_unread, stuck};
use snapferry_core::verifying::ledger_unread;
use snapferry_runtime::Failure;

/// No proof is begun when less of the invocation remains.
const BEGIN: Duration = Duration::from_secs(45);

/// The function, and what it keeps from one run to the next.
pub(crate) struct Prover {
    clients: Clients,
    ledger: Table,
    policies: Vec<Policy>,
    regions: BTreeSet<Region>,
    notices: RefCell<Notices>,
    audit: Audit,
}

/// One run, and what it came to.
struct Run<'r> {
    /// The schedule's execution.
    id: Option<&'r str>,
    deadline: Deadline,
    told: RefCell<Told>,
    ran: RefCell<Ran>,
    rejected: Cell<u32>,
    /// The Regions of copies whose turn came: whether any of them was read.
    turns: RefCell<BTreeMap<Region, bool>>,
}

impl Prover {
    pub(crate) fn new(
        clients: Clients,
        ledger: Table,
        policies: Vec<Policy>,
        regions: BTreeSet<Region>,
        audit: Audit,
    ) -> Self {
        Self { clients, ledger, policies, regions, notices: RefCell::default(), audit }
    }

    /// Handles one input, whatever it is. What could not be done is in the audit, and the next run goes on.
    pub(crate) async fn handle(&self, event: LambdaEvent<Value>) -> Result<Value, Failure> {
        let (began, calls) = (Instant::now(), self.clients.calls());
        let account = AccountId::of_arn(&event.context.invoked_function_arn);
        let run = Run {
            id: event.payload.get("run").and_then(Value::as_str),
            deadline: Deadline::from_epoch_ms(event.context.deadline),
            told: RefCell::default(),
            ran: RefCell::default(),
            rejected: Cell::new(0),
            turns: RefCell::default(),
        };
        self.notices.borrow_mut().forget(Timestamp::now());
        let sought = Sought { policies: &self.policies, regions: &self.regions, account: account.as_ref() };
        let (candidates, unread) = gather(&self.clients, sought, run.deadline).await;
        run.ran.borrow_mut().copies = u64::try_from(candidates.len()).unwrap_or(u64::MAX);
        for (region, error) in &unread {
            run.ran.borrow_mut().saw(region, None);
            self.tell(region_unread(region, error, Timestamp::now()), None, &run);
        }
        for candidate in self.begun_first(candidates).await {
            if run.deadline.left() < BEGIN || run.rejected.get() >= MOST_REJECTED {
                break;
            }
            self.prove(&candidate, &run).await;
        }
        // Else one Region in which all goes well would hide for good that in another nothing can be read.
        let in_vain = run.turns.take().into_iter().filter(|(_, is_read)| !is_read);
        in_vain.for_each(|(region, _)| run.ran.borrow_mut().saw(&region, None));
        let mut ran = run.ran.take();
        ran.duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        ran.calls = self.clients.calls() - calls;
        self.audit.write(&completed(&run.told.take(), &ran, Timestamp::now()).scheduled(run.id));
        Ok(json!({}))
    }

    /// The candidates, those first whose proof an earlier run began: large ones would never end otherwise. Where the ledger does not
    /// answer they have their turn by age.
    async fn begun_first(&self, candidates: Vec<Candidate>) -> Vec<Candidate> {
        let mut begun: BTreeSet<(Region, SnapshotId)> = BTreeSet::new();
        for region in &self.regions {
            match self.ledger.proofs(region).await {
                Ok(copies) => begun.extend(copies.into_iter().map(|copy| (region.clone(), copy))),
                Err(error) => {
                    tracing::warn!(code = error.code, message = error.message, "the ledger did not answer");
                    break;
                }
            }
        }
        let is_begun = |each: &Candidate| begun.contains(&(each.region.clone(), each.copy.id.clone()));
        let (mut first, then): (Vec<_>, Vec<_>) = candidates.into_iter().partition(is_begun);
        first.extend(then);
        first
    }

    async fn prove(&self, candidate: &Candidate, run: &Run<'_>) {
        let mut place = match self.ledger.proof(&candidate.region, &candidate.copy.id).await {
            Ok(place) => place,
            Err(error) => return self.unread(candidate, error, run),
        };
        let found = self.find(candidate, &mut place, run).await;
        *run.turns.borrow_mut().entry(candidate.region.clone()).or_default() |= found.is_ok();
        if let (Ok(None) | Err(_), Some(progress)) = (&found, &place.progress)
            && let Some((record, notice)) = stuck(&candidate.region, &candidate.copy, progress, Timestamp::now())
        {
            self.tell(record, Some(notice), run);
        }
        let finding = match found {
            Ok(Some(finding)) => finding,
            Ok(None) => return run.ran.borrow_mut().under_way += 1,
            Err(error) => return self.unread(candidate, error, run),
        };
        // A rejection begins to count before it is written: what EC2 does without answering counts, too.
        run.rejected.set(run.rejected.get() + u32::from(matches!(finding, Finding::Differs(..))));
        let (region, copy) = (&candidate.region, &candidate.copy);
        // Told before the tags are written: what EC2 does without answering is told all the same.
        self.tell(record(region, copy, &finding, None, Timestamp::now()), None, run);
        if let Err(error) = settle(&self.clients, candidate, &finding).await {
            return self.tell(record(region, copy, &finding, Some(&error), Timestamp::now()), None, run);
        }
        run.ran.borrow_mut().settled += 1;
        if let Finding::Differs(..) = finding
            && let Err(error) = owe_again(&self.ledger, candidate).await
        {
            self.tell(ledger_unread(&error, 1, Timestamp::now()), None, run);
        }
        self.forget(candidate, &place).await;
    }

    /// What the proof finds; nothing when it has to go on in the next run.
    async fn find(
        &self,
        candidate: &Candidate,
        place: &mut Place,
        run: &Run<'_>,
    ) -> Result<Option<Finding>, CallError> {
        let begins = || Progress::new(candidate.rule, Seed(fastrand::u64(..)), Timestamp::now());
        let mut progress = place.progress.clone().unwrap_or_else(begins);
        let sides = self.sides(candidate, &mut progress).await?;
        if place.progress.is_none()
            && candidate.region == self.clients.home
            && let Some(source) = &candidate.copy.tags.source_snapshot
            && is_unchanged(&sides, source).await
        {
            return Ok(Some(Finding::Proved(Level::Unchanged, progress)));
        }
        let before = progress.read;
        let keep = async |progress: &Progress| self.keep(candidate, place, progress).await;
        let went = go_on(&sides, &mut progress, run.deadline, keep).await;
        let after = match &went {
            Ok(Some(Finding::Proved(_, progress) | Finding::Differs(_, progress))) => progress.read,
            _ => progress.read,
        };
        run.ran.borrow_mut().blocks += after.saturating_sub(before);
        // What was read so far need not be read again, whether the time or an answer ended it.
        if !matches!(went, Ok(Some(_))) {
            self.keep(candidate, place, &progress).await;
        }
        went
    }

    /// The blocks of the copy and, if it can be compared, of its source.
    async fn sides(&self, candidate: &Candidate, progress: &mut Progress) -> Result<Sides, CallError> {
        let copy = Blocks::new(self.clients.ebs(&candidate.region), candidate.copy.id.clone());
        let mut source = candidate.copy.tags.source_snapshot.clone().filter(|_| progress.is_comparing());
        if source.is_some()
            && let Err(incomparable) = source_of(&self.clients, &candidate.copy).await?
        {
            progress.leave_source(&incomparable.to_string());
            source = None;
        }
        let source = source.map(|source| Blocks::new(self.clients.ebs(&self.clients.home), source));
        Ok(Sides { copy, source })
    }

    /// A place that could not be kept costs what is read until it is.
    async fn keep(&self, candidate: &Candidate, place: &mut Place, progress: &Progress) -> Goes {
        match self.ledger.write_proof(&candidate.region, &candidate.copy.id, place, progress).await {
            Ok(Written::Done) => Goes::Here,
            Ok(Written::Stale) => Goes::Elsewhere,
            Err(error) => {
                tracing::warn!(code = error.code, message = error.message, "how far a proof is could not be kept");
                Goes::Here
            }
        }
    }

    /// What is left behind goes by itself in thirty days.
    async fn forget(&self, candidate: &Candidate, place: &Place) {
        if let Err(error) = self.ledger.remove_proof(&candidate.region, &candidate.copy.id, place).await {
            tracing::warn!(code = error.code, message = error.message, "a proof that is over could not be forgotten");
        }
    }

    fn unread(&self, candidate: &Candidate, error: CallError, run: &Run<'_>) {
        let finding = Finding::Unread(error);
        let notice = finding.notice(&candidate.region, &candidate.copy);
        self.tell(record(&candidate.region, &candidate.copy, &finding, None, Timestamp::now()), notice, run);
    }

    /// Counts a record, and prints it unless its notice was given within the last day.
    fn tell(&self, record: Record, notice: Option<String>, run: &Run<'_>) {
        run.told.borrow_mut().add(record.reason, 1);
        if notice.is_none_or(|notice| self.notices.borrow_mut().note(notice, record.time)) {
            self.audit.write(&record.scheduled(run.id));
        }
    }
}
