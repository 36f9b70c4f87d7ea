//! Which copies get a verdict now.

use jiff::{SignedDuration, Timestamp};

use super::causes::Cause;
use super::checks::{self, Today};
use super::decision::{Decision, Verdict};
use super::facts::Facts;
use super::locks::{self, Locking};
use crate::facts::{DescribedCopy, KeyFact, KeyLife, State};
use crate::homes::{is_anothers, is_named};
use crate::ids::{PolicyName, Region};
use crate::policy::Policy;
use crate::tags::{Lock, Status};

/// How long a copy may be pending before that is said once a day. Copies of the largest volumes and databases take hours.
pub const STALLED_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// Decides for each copy that has no verdict or no lock yet, in each Region the oldest first. What is pending and
/// younger than a day needs no decision.
///
/// Under a doomed key nothing is verified and nothing locked: it is no backup, and a lock would keep for years what nobody can
/// read. Under a key in doubt all goes on, with a warning: a verdict compares what EC2 says, which no key is needed for, the
/// copy lets no other go anyway, and a key that is enabled again must not find its copies deleted for want of a lock.
#[must_use]
pub fn decide<'f>(policies: &'f [Policy], facts: &'f Facts, now: Timestamp) -> Vec<Decision<'f>> {
    let mut decisions = Vec::new();
    for (region, candidates) in &facts.regions {
        let candidates = match candidates {
            Ok(candidates) => candidates,
            Err(error) => {
                decisions.push(Decision { region, copy: None, verdict: Verdict::Unread(error), wanted: None });
                continue;
            }
        };
        let is_named = |policy: &PolicyName| is_named(policies, &facts.retired_policies, policy);
        let is_ours = |copy: &&DescribedCopy| {
            !is_anothers(&facts.homes, copy.tags.source_region.as_ref())
                && copy.tags.policy.as_ref().is_none_or(is_named)
        };
        let mut candidates: Vec<&DescribedCopy> = candidates.iter().filter(is_ours).collect();
        candidates.sort_by_key(|copy| (copy.start_time, &copy.id));
        decisions.extend(candidates.into_iter().filter_map(|copy| {
            let verdict = verdict(policies, facts, region, copy, now)?;
            let wanted = facts.obligation_of(region, copy).map(|obligation| obligation.wanted.min(now));
            Some(Decision { region, copy: Some(copy), verdict, wanted })
        }));
    }
    decisions
}

fn verdict<'f>(
    policies: &'f [Policy],
    facts: &'f Facts,
    region: &Region,
    copy: &'f DescribedCopy,
    now: Timestamp,
) -> Option<Verdict<'f>> {
    let today = match &copy.tags.policy {
        Some(name) => Today::of(policies, name, region),
        None => Today::PolicyGone,
    };
    // Tags that something copied here from another snapshot are reported by whoever reads all copies, and say nothing.
    if copy.tags.are_of_another() {
        return None;
    }
    // What is not encrypted has no key to lose.
    let key = copy.kms_key.as_ref().map(|_| facts.key_of(copy));
    let life = key.map_or(KeyLife::Alive, |fact| fact.map_or(KeyLife::InDoubt, KeyFact::life));
    let doomed = key.flatten().filter(|_| life == KeyLife::Doomed);
    let is_unbound = copy.tags.status == Some(Status::Verified) && copy.tags.copy.is_none();
    match (copy.tags.status, copy.state) {
        (Some(Status::Copying | Status::Verified), State::Completed)
            if is_unbound || copy.tags.status == Some(Status::Copying) =>
        {
            let differences = checks::differences(copy, facts.account.as_ref(), today);
            let warnings = checks::warnings(copy, life, today);
            Some(match doomed {
                _ if !differences.is_empty() => Verdict::Reject { differences, warnings },
                Some(key) => Verdict::KeyDoomed(key),
                None => match facts.named_instead(region, copy) {
                    Some(named) => Verdict::AnotherNamed(named),
                    None => Verdict::Verify { warnings, lock: locks::locking(copy, today, now) },
                },
            })
        }
        (Some(Status::Copying), State::Error) => Some(Verdict::Fail(Cause::of(copy))),
        (Some(Status::Copying), State::Pending | State::Other) => {
            let since = copy.started().or_else(|| facts.copying_since(region, copy))?;
            (now.duration_since(since) > STALLED_AFTER).then_some(Verdict::Stall)
        }
        (Some(Status::Verified), State::Completed) if copy.tags.lock == Some(Lock::Pending) => {
            Some(match (locks::locking(copy, today, now), doomed) {
                (Locking::Lock(_), Some(key)) => Verdict::KeyDoomed(key),
                (lock, _) => Verdict::Lock(lock),
            })
        }
        _ => None,
    }
}
