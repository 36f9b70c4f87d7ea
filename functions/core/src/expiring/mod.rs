//! Which copies are deleted now, and why others stay although their time is over.
//!
//! A copy goes when its own tags say that its time is over, when it is proven that it is dispensable, and when nothing
//! looks as if the clock were wrong. Whatever is in doubt stays. What a sender can influence (which snapshots it shares
//! and when, their descriptions, volumes and start times) never lets a copy go before the time in its own tag, which
//! this account wrote: newer snapshots of a volume only end the protection that its last copies have beyond that time.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::facts::CallError;
use crate::ids::{AccountId, Region, SnapshotId};
use crate::policy::Policy;
use crate::tags::Status;

mod attempts;
mod guard;
mod outcome;
mod reasons;
mod recheck;
mod survivors;
mod vault;

pub use self::attempts::{Attempts, FRUITLESS};
pub use self::guard::{Alarm, CLOCK_TOLERANCE, MASS};
pub use self::outcome::{Outcome, Rest, kept, record, refused, rest, volume_unknown};
pub use self::reasons::{Cause, Change, Keep, Refusal};
pub use self::recheck::recheck;
pub use self::vault::{HeldCopy, Inventory, Origin, SeenCopy, Vault};

/// How long a failed or rejected copy stays after its verdict, so that somebody can look at it.
pub const UNSOUND_STAY: SignedDuration = SignedDuration::from_hours(24);

/// All that the decision stands on.
#[derive(Debug)]
pub struct Facts {
    /// This account; owners are not compared with it when it is not known.
    pub account: Option<AccountId>,
    /// The copies in each Region, retired ones included.
    pub regions: BTreeMap<Region, Result<Vault, CallError>>,
}

/// What the operator allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// `SNAPFERRY_MAX_DELETES_PER_RUN`.
    pub max_deletes: usize,
    /// `SNAPFERRY_ALLOW_MASS_EXPIRY`: lifts the [`guard`](Alarm) altogether.
    pub allow_mass_expiry: bool,
}

/// A copy that is to be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deletion<'f> {
    /// Its Region.
    pub region: &'f Region,
    /// The copy.
    pub copy: &'f HeldCopy,
    /// Why.
    pub cause: Cause,
    /// Since when it may go.
    pub due: Timestamp,
    /// A copy that stays and makes this one dispensable; none where the policy or the cause asks for none.
    pub survivor: Option<&'f HeldCopy>,
    /// Whether its lock should still hold, going by its tags and today's rule. EC2 is asked all the same, but last.
    pub likely_locked: bool,
}

/// A copy, or all of a Region, that stays although its time is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept<'f> {
    /// The Region.
    pub region: &'f Region,
    /// Why.
    pub keep: Keep<'f>,
}

/// What is to be done.
#[derive(Debug, Default)]
pub struct Plan<'f> {
    /// What may go: what has been due for longest first, what is likely locked last. [`Attempts`] says how much of it is
    /// tried in a run.
    pub deletions: Vec<Deletion<'f>>,
    /// What stays although its time is over.
    pub kept: Vec<Kept<'f>>,
    /// How many more stay, because EC2 named no volume for their sources: see [`volume_unknown`].
    pub volume_unknown: usize,
    /// Why nothing goes at all: `deletions` is empty then.
    pub alarm: Option<Alarm>,
}

/// Decides for every copy whose time is over. What could not be read is not touched.
#[must_use]
pub fn decide<'f>(policies: &[Policy], facts: &'f Facts, limits: Limits, now: Timestamp) -> Plan<'f> {
    let mut plan = Plan::default();
    let mut census = guard::Census::default();
    for (region, vault) in &facts.regions {
        match vault {
            Ok(vault) => {
                let account = facts.account.as_ref();
                survivors::judge(&survivors::Scene { policies, account, region, now }, vault, &mut plan, &mut census);
            }
            Err(error) => plan.kept.push(Kept { region, keep: Keep::RegionUnread(error) }),
        }
    }
    plan.deletions.sort_unstable_by(|a, b| a.order().cmp(&b.order()));
    if !plan.deletions.is_empty() && !limits.allow_mass_expiry {
        plan.alarm = census.alarm(now, plan.deletions.len());
    }
    if plan.alarm.is_some() {
        plan.deletions.clear();
    }
    plan
}

impl<'f> Deletion<'f> {
    fn order(&self) -> (bool, Timestamp, &'f Region, &'f SnapshotId) {
        (self.likely_locked, self.due, self.region, &self.copy.id)
    }
}

/// Since when the copy may go by its own tags, and why; nothing when its time is not over.
fn due(copy: &HeldCopy, now: Timestamp) -> Option<(Cause, Timestamp)> {
    let (cause, at) = match copy.status {
        Status::Copying => return None,
        Status::Verified => (Cause::Expired, copy.expire_after?),
        Status::Failed => (Cause::Failed, copy.settled_at?.checked_add(UNSOUND_STAY).ok()?),
        Status::Rejected => (Cause::Rejected, copy.settled_at?.checked_add(UNSOUND_STAY).ok()?),
    };
    (at < now).then_some((cause, at))
}
