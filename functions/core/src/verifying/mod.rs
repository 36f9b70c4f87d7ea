//! What became of the copies that were started: verified, rejected, failed or still under way; and which of them are
//! locked now.
//!
//! A copy's status changes once, from `copying`, so a copy is judged once. Its verdict reaches the audit after the tag
//! that keeps it was written, and only then: until EC2 has taken that tag, the copy is judged anew at each run.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::facts::{CallError, State};
use crate::ids::{AccountId, Region, SnapshotId};
use crate::policy::Policy;
use crate::tags::{Lock, ReadTags, Status};

mod causes;
mod checks;
mod locks;
mod outcome;

pub use self::causes::Cause;
use self::checks::Today;
pub use self::checks::{Difference, Warning};
pub use self::locks::{HeldLock, LockRequest, Locking};
pub use self::outcome::{Outcome, out_of_time, record};

/// How long a copy may be pending before that is said once a day. Copies of the largest volumes take hours.
pub const STALLED_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// A snapshot with Snapferry's tags that waits for a verdict or for its lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its ID.
    pub id: SnapshotId,
    /// Its owner as EC2 says.
    pub owner: Option<AccountId>,
    /// Its state.
    pub state: State,
    /// EC2's words on its state: why it is in error.
    pub state_message: String,
    /// Whether it is encrypted. EC2 says so only once it is completed.
    pub encrypted: bool,
    /// The ARN of its key.
    pub kms_key: Option<String>,
    /// Its size in GiB.
    pub size_gib: u32,
    /// When it was started.
    pub start_time: Timestamp,
    /// Snapferry's tags on it.
    pub tags: ReadTags,
    /// The lock that EC2 holds on it, as far as that was read.
    pub lock: Option<HeldLock>,
}

/// All that the decision stands on.
#[derive(Debug)]
pub struct Facts {
    /// This account.
    pub account: Option<AccountId>,
    /// The candidates in each target Region, retired ones included.
    pub regions: BTreeMap<Region, Result<Vec<Candidate>, CallError>>,
}

/// One decision with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision<'f> {
    /// The Region.
    pub region: &'f Region,
    /// The copy, or all of the Region.
    pub copy: Option<&'f Candidate>,
    /// What is to be done.
    pub verdict: Verdict<'f>,
}

/// What a copy turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict<'f> {
    /// It is what the policy asked for, and is locked if the rule says so.
    Verify {
        /// What deserves a look.
        warnings: Vec<Warning<'f>>,
        /// Its lock.
        lock: Locking,
    },
    /// It is completed, but not what was asked for: all differences, the gravest first.
    Reject {
        /// In what it differs; at least one.
        differences: Vec<Difference>,
        /// What deserves a look.
        warnings: Vec<Warning<'f>>,
    },
    /// EC2 gave up on it.
    Fail(Cause),
    /// It has been pending for more than a day.
    Stall,
    /// It was verified earlier and waits for its lock.
    Lock(Locking),
    /// The Region's copies could not be read.
    Unread(&'f CallError),
}

impl Decision<'_> {
    /// The status that the copy gets. None for a copy whose policy tag cannot be read: what is not certainly
    /// Snapferry's own is not written to.
    #[must_use]
    pub fn settlement(&self) -> Option<Status> {
        self.copy.and_then(|copy| copy.tags.policy.as_ref())?;
        match self.verdict {
            Verdict::Verify { .. } => Some(Status::Verified),
            Verdict::Reject { .. } => Some(Status::Rejected),
            Verdict::Fail(_) => Some(Status::Failed),
            Verdict::Stall | Verdict::Lock(_) | Verdict::Unread(_) => None,
        }
    }

    /// The lock that the copy gets, once it is verified.
    #[must_use]
    pub fn lock(&self) -> Locking {
        match self.verdict {
            Verdict::Verify { lock, .. } | Verdict::Lock(lock) => lock,
            _ => Locking::None,
        }
    }
}

/// Decides for each copy that has no verdict or no lock yet, in each Region the oldest first. What is pending and
/// younger than a day needs no decision.
#[must_use]
pub fn decide<'f>(policies: &'f [Policy], facts: &'f Facts, now: Timestamp) -> Vec<Decision<'f>> {
    let mut decisions = Vec::new();
    for (region, candidates) in &facts.regions {
        let candidates = match candidates {
            Ok(candidates) => candidates,
            Err(error) => {
                decisions.push(Decision { region, copy: None, verdict: Verdict::Unread(error) });
                continue;
            }
        };
        let mut candidates: Vec<&Candidate> = candidates.iter().collect();
        candidates.sort_by_key(|copy| (copy.start_time, &copy.id));
        decisions.extend(candidates.into_iter().filter_map(|copy| {
            let verdict = verdict(policies, facts.account.as_ref(), region, copy, now)?;
            Some(Decision { region, copy: Some(copy), verdict })
        }));
    }
    decisions
}

fn verdict<'f>(
    policies: &'f [Policy],
    account: Option<&AccountId>,
    region: &Region,
    copy: &Candidate,
    now: Timestamp,
) -> Option<Verdict<'f>> {
    let today = match &copy.tags.policy {
        Some(name) => Today::of(policies, name, region),
        None => Today::PolicyGone,
    };
    match (copy.tags.status, copy.state) {
        (Some(Status::Copying), State::Completed) => {
            let differences = checks::differences(copy, account, today);
            let warnings = checks::warnings(copy, today);
            Some(if differences.is_empty() {
                Verdict::Verify { warnings, lock: locks::locking(copy, today, now) }
            } else {
                Verdict::Reject { differences, warnings }
            })
        }
        (Some(Status::Copying), State::Error) => Some(Verdict::Fail(Cause::of(&copy.state_message))),
        (Some(Status::Copying), State::Pending | State::Other) => {
            (now.duration_since(copy.start_time) > STALLED_AFTER).then_some(Verdict::Stall)
        }
        (Some(Status::Verified), State::Completed) if copy.tags.lock == Some(Lock::Pending) => {
            Some(Verdict::Lock(locks::locking(copy, today, now)))
        }
        _ => None,
    }
}
