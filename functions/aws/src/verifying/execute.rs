//! Writes verdicts to copies' tags, and locks what is verified. It chooses nothing.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use jiff::Timestamp;
use snapferry_core::facts::{CallError, DescribedCopy};
use snapferry_core::ids::Region;
use snapferry_core::tags::{self, Lock, Status};
use snapferry_core::verifying::{Decision, Facts, Locking, Naming, Outcome, Verdict};

use super::notes::Notes;
use crate::clients::Clients;
use crate::deadline::{Deadline, RESERVE};
use crate::vault::Vault;
use crate::writes;

/// Carries out `decisions`: Regions at the same time, within a Region one after the other in the given order. `report`
/// is told of each outcome as soon as there is one, and of a verdict or a lock before the tags that keep it are written: what
/// EC2 does without answering is told, too. What a verdict makes of its obligation is noted once the tags are written. Gives the
/// number of decisions that the time did not suffice for, or that were too many for one run.
pub async fn execute<'f>(
    vault: &impl Vault,
    notes: &Notes<'_>,
    facts: &Facts,
    decisions: &[Decision<'f>],
    deadline: Deadline,
    report: impl Fn(&Decision<'f>, &Outcome),
) -> u64 {
    let mut regions: BTreeMap<&Region, Vec<&Decision<'f>>> = BTreeMap::new();
    for decision in decisions {
        regions.entry(decision.region).or_default().push(decision);
    }
    let report = &report;
    let left = join_all(regions.into_values().map(async |decisions| {
        let mut left = 0;
        for decision in decisions {
            left += u64::from(!carry_out(vault, notes, facts, decision, deadline, report).await);
        }
        left
    }));
    left.await.into_iter().sum()
}

/// Writes the lineages that became known, one after the other. `report` is told of each as soon as it is written or not. Gives
/// how many the time did not suffice for.
pub async fn name<'f>(
    clients: &Clients,
    namings: &[Naming<'f>],
    deadline: Deadline,
    report: impl Fn(&Naming<'f>, &Result<(), CallError>),
) -> u64 {
    for (done, naming) in namings.iter().enumerate() {
        if deadline.left() < RESERVE {
            return u64::try_from(namings.len() - done).unwrap_or(u64::MAX);
        }
        let named = [(tags::SOURCE_VOLUME, naming.lineage.to_string())];
        report(naming, &writes::tag(clients, naming.region, &naming.copy.id, &named).await);
    }
    0
}

/// Gives whether there was time and room for it.
async fn carry_out<'f>(
    vault: &impl Vault,
    notes: &Notes<'_>,
    facts: &Facts,
    decision: &Decision<'f>,
    deadline: Deadline,
    report: &impl Fn(&Decision<'f>, &Outcome),
) -> bool {
    let (region, lock) = (decision.region, decision.lock());
    let Some(copy) = decision.copy else {
        report(decision, &Outcome::Stands);
        return true;
    };
    if let Some(status) = decision.settlement() {
        if deadline.left() < RESERVE || !notes.may_judge() {
            return false;
        }
        if !notes.is_told(facts, decision).await {
            report(decision, &Outcome::Judged);
        }
        if let Err(error) = settle(vault, region, copy, status).await {
            report(decision, &Outcome::NotSettled(error));
            return true;
        }
        notes.note(facts, decision).await;
        if lock == Locking::None {
            return true;
        }
    }
    if let Verdict::AnotherNamed(_) = decision.verdict {
        notes.note(facts, decision).await;
    }
    match lock {
        Locking::None | Locking::RuleGone => report(decision, &Outcome::Stands),
        Locking::Lock(_) | Locking::Held(_) if deadline.left() < RESERVE => return false,
        Locking::Lock(request) => match vault.lock(region, copy, &request).await {
            Ok(()) => note_lock(vault, decision, copy, report).await,
            Err(error) => report(decision, &Outcome::NotLocked(error)),
        },
        Locking::Held(_) => note_lock(vault, decision, copy, report).await,
    }
    true
}

/// Status, time and the copy's own ID in one call: a copy never has the one without the others.
async fn settle(vault: &impl Vault, region: &Region, copy: &DescribedCopy, status: Status) -> Result<(), CallError> {
    let settled = [
        (tags::STATUS, status.as_str().to_owned()),
        (tags::SETTLED_AT, Timestamp::now().to_string()),
        (tags::COPY, copy.id.to_string()),
    ];
    vault.tag(region, copy, &settled).await
}

/// When this comes too late for the invocation's end, the next run finds the lock held and notes it.
async fn note_lock<'f>(
    vault: &impl Vault,
    decision: &Decision<'f>,
    copy: &DescribedCopy,
    report: &impl Fn(&Decision<'f>, &Outcome),
) {
    report(decision, &Outcome::Locked);
    let locked = [(tags::LOCK, Lock::Locked.as_str().to_owned())];
    if let Err(error) = vault.tag(decision.region, copy, &locked).await {
        report(decision, &Outcome::LockNotNoted(error));
    }
}
