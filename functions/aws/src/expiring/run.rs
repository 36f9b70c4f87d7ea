//! A run of an expirer: gather, decide, execute, audit.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Instant;

use jiff::Timestamp;
use snapferry_core::audit::{Ran, Record, Told};
use snapferry_core::expiring::{
    Attempts, Deletion, Facts, Limits, Outcome, Plan, completed, decide, dropped, kept, key_in_doubt, lineage_unknown,
    name, record, refused, rest,
};
use snapferry_core::facts::Copies;
use snapferry_core::ids::{AccountId, Region};
use snapferry_core::notices::Notices;
use snapferry_core::policy::Policy;

use super::{execute, gather};
use crate::audit::Audit;
use crate::deadline::Deadline;
use crate::keys::KeyCache;
use crate::vault::Vault;

/// What an expirer of copies of one kind keeps from one run to the next.
pub struct Expirer {
    policies: Vec<Policy>,
    regions: BTreeSet<Region>,
    limits: Limits,
    keys: KeyCache,
    notices: RefCell<Notices>,
    audit: Audit,
}

impl Expirer {
    /// Of a function that begins.
    #[must_use]
    pub fn new(policies: Vec<Policy>, regions: BTreeSet<Region>, limits: Limits, audit: Audit) -> Self {
        Self { policies, regions, limits, keys: KeyCache::default(), notices: RefCell::default(), audit }
    }

    /// Deletes what may go of `account`'s own copies in `vault`; `run` is the schedule's ID of it, where it said so. What could not be
    /// done is in the audit, and the next run does it: there is nothing that a repetition of this one would do better.
    pub async fn run(&self, vault: &impl Vault, account: Option<AccountId>, run: Option<&str>, deadline: Deadline) {
        let began = (Instant::now(), vault.calls());
        let facts = gather(vault, &self.keys, &self.regions, account, deadline).await;
        let plan = decide(&self.policies, &facts, self.limits, Timestamp::now());
        self.notices.borrow_mut().forget(Timestamp::now());
        let told = RefCell::default();
        self.report_kept(&plan, run, &told);
        let report = |deletion: &Deletion<'_>, outcome: &Outcome| {
            let now = Timestamp::now();
            let record = record(deletion, outcome, now);
            told.borrow_mut().add(record.reason, 1);
            if self.is_news(deletion.notice(outcome), now) {
                self.write(record, run);
            }
        };
        let attempts = Attempts::new(&plan.deletions, self.limits.max_deletes, Timestamp::now());
        let untried = execute(vault, &self.keys, attempts, deadline, report).await;
        for (why, region, count) in untried {
            self.tell(rest(why, region, count, Timestamp::now()), run, &told);
        }
        let mut ran = read(&facts);
        ran.dropped_volumes = self.report_dropouts(&facts, run);
        ran.duration_ms = u64::try_from(began.0.elapsed().as_millis()).unwrap_or(u64::MAX);
        ran.calls = vault.calls() - began.1;
        self.write(completed(&told.into_inner(), &ran, Timestamp::now()), run);
    }

    /// What stays for a reason that is known before anything is tried.
    fn report_kept(&self, plan: &Plan<'_>, run: Option<&str>, told: &RefCell<Told>) {
        let now = Timestamp::now();
        if let Some(alarm) = &plan.alarm {
            self.tell(refused(alarm, now), run, told);
        }
        if plan.lineage_unknown > 0 {
            self.tell(lineage_unknown(plan.lineage_unknown, now), run, told);
        }
        if plan.key_in_doubt > 0 {
            self.tell(key_in_doubt(plan.key_in_doubt, now), run, told);
        }
        for stays in &plan.kept {
            told.borrow_mut().add(stays.keep.reason(), stays.copies());
            if self.is_news(stays.notice(), now) {
                self.write(kept(stays, now), run);
            }
        }
    }

    /// Names the volumes that dropped out, each once a day, and gives how many there are.
    fn report_dropouts(&self, facts: &Facts, run: Option<&str>) -> Option<u64> {
        let now = Timestamp::now();
        let dropouts = dropped(&self.policies, facts, now)?;
        let named = name(&dropouts, &mut self.notices.borrow_mut(), now);
        named.into_iter().for_each(|record| self.write(record, run));
        u64::try_from(dropouts.len()).ok()
    }

    /// Whether something is to be said now: what is said once a day only if it was not said within the last one.
    fn is_news(&self, notice: Option<String>, now: Timestamp) -> bool {
        notice.is_none_or(|notice| self.notices.borrow_mut().note(notice, now))
    }

    /// Says what holds for as many copies as its count.
    fn tell(&self, record: Record, run: Option<&str>, told: &RefCell<Told>) {
        told.borrow_mut().add(record.reason, record.count.unwrap_or(1));
        self.write(record, run);
    }

    fn write(&self, record: Record, run: Option<&str>) {
        self.audit.write(&record.scheduled(run));
    }
}

/// What was read for a decision.
fn read(facts: &Facts) -> Ran {
    let mut ran = Ran::default();
    for (region, found) in &facts.regions {
        let found = found.as_ref().ok();
        ran.saw(region, found.map(|found| found.copies.len()));
        let endangered = found.into_iter().flat_map(Copies::endangered);
        ran.endangered_keys.extend(endangered.map(|key| key.key.to_owned()));
    }
    ran
}
