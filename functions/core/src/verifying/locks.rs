//! Which lock a verified copy gets (EC2 API reference, LockSnapshot).

use jiff::{SignedDuration, Timestamp};

use super::checks::Today;
use crate::facts::{DescribedCopy, HeldLock};
use crate::policy::{LockMode, LockRule};
use crate::tags::Lock;

/// What LockSnapshot is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockRequest {
    /// `LockMode`.
    pub mode: LockMode,
    /// `LockDuration`: the rule's interval from now, in days of this calendar.
    pub days: u32,
    /// `CoolOffPeriod` in hours, in compliance mode only.
    pub cool_off_hours: Option<u32>,
}

/// What is to be done about a verified copy's lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Locking {
    /// Nothing: it was asked for without one.
    None,
    /// Lock it.
    Lock(LockRequest),
    /// EC2 holds the lock already: only the tag that says so was lost.
    Held(LockMode),
    /// Its tag asks for a lock, and today's document has no LockRule for it.
    RuleGone,
}

/// Whether a copy gets a lock says its tag; which one says today's LockRule.
pub(super) fn locking(copy: &DescribedCopy, today: Today<'_>, now: Timestamp) -> Locking {
    if copy.tags.lock != Some(Lock::Pending) {
        return Locking::None;
    }
    match today.target().and_then(|target| target.lock.as_ref()) {
        None => Locking::RuleGone,
        Some(rule) => match copy.lock.filter(|held| satisfies(held, rule, now)) {
            Some(held) => Locking::Held(held.mode),
            None => {
                let (mode, days) = (rule.mode, rule.interval.days_from(now));
                Locking::Lock(LockRequest { mode, days, cool_off_hours: rule.cool_off_hours })
            }
        },
    }
}

/// Whether the lock is as strict as the rule and as long, counted from when it was made. One that was set with an expiration
/// date has no duration; where EC2 does not even say since when, it is as if made now.
fn satisfies(held: &HeldLock, rule: &LockRule, now: Timestamp) -> bool {
    let strict = held.mode == rule.mode || held.mode == LockMode::Compliance;
    let long = match (held.days, held.since, held.until) {
        (Some(days), Some(since), _) => days >= rule.interval.days_from(since),
        (_, since, Some(until)) => {
            let since = since.unwrap_or(now);
            until.duration_since(since) >= SignedDuration::from_hours(24 * i64::from(rule.interval.days_from(since)))
        }
        _ => false,
    };
    strict && long
}
