//! What is to be done about one identity.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{CopyRequest, Deferral, MAX_ATTEMPTS, Refusal, Skip, Stands, Verdict};
use crate::facts::{CallError, Copy, KeyFact, RecentCopy};
use crate::ids::KeyArn;
use crate::policy::Encryption;
use crate::standing::{Standing, weigh};

/// Judges one identity by its copies, those asked for a moment ago included, and by what KMS says of its key.
pub fn judge<'f>(
    identity: CopyRequest<'f>,
    copies: impl Iterator<Item = &'f Copy>,
    recent: &'f [RecentCopy],
    keys: &'f BTreeMap<KeyArn, KeyFact>,
    now: Timestamp,
) -> (Verdict<'f>, Stands) {
    let weighed = weigh(copies);
    let since_source = identity.source.start_time;
    let first = |started: Timestamp| if weighed.dead.is_empty() { started } else { since_source };
    if let (Standing::Protected | Standing::InFlight, Some(copy)) = (weighed.standing, weighed.copy) {
        let stands = Stands { standing: weighed.standing, since: first(copy.start_time) };
        let skip = if weighed.others.is_empty() {
            Skip::AlreadyCopied(&copy.id)
        } else {
            Skip::Duplicate(std::iter::once(copy).chain(weighed.others).collect())
        };
        return (Verdict::Skip(skip), stands);
    }
    let stands = Stands { standing: weighed.standing, since: since_source };
    let of_this = |recent: &&RecentCopy| {
        recent.region == identity.target.region
            && recent.policy == *identity.policy
            && recent.source == identity.source.id
    };
    for recent in recent.iter().filter(of_this).filter(|recent| recent.holds(now)) {
        match &recent.copy {
            Some(copy) if weighed.dead.iter().all(|seen| seen.id != *copy) => {
                let stands = Stands { standing: Standing::InFlight, since: first(recent.at) };
                return (Verdict::Skip(Skip::AlreadyCopied(copy)), stands);
            }
            None => return (Verdict::Defer(Deferral::AnswerJustLost(recent.at)), stands),
            Some(_) => {}
        }
    }
    let refusal = exhausted(&weighed.dead, now).map(Verdict::Refuse);
    (refusal.or_else(|| of_key(&identity, keys)).unwrap_or(Verdict::Copy(identity)), stands)
}

/// Counted from the failed copies that EC2 still shows: they are deleted a day after they settled, not before.
fn exhausted<'f>(dead: &[&'f Copy], now: Timestamp) -> Option<Refusal<'f>> {
    let day = SignedDuration::from_hours(24);
    let failed: Vec<&Copy> = dead.iter().copied().filter(|copy| copy.start_time > now - day).collect();
    let first = failed.iter().map(|copy| copy.start_time).min()?;
    let last = failed.iter().max_by_key(|copy| (copy.start_time, &copy.id))?;
    let next = first + day;
    (failed.len() >= MAX_ATTEMPTS).then_some(Refusal::AttemptsExhausted { failed: failed.len(), last: &last.id, next })
}

/// What is in the way of a copy under its configured key, if anything is.
fn of_key<'f>(identity: &CopyRequest<'f>, keys: &'f BTreeMap<KeyArn, KeyFact>) -> Option<Verdict<'f>> {
    let Encryption::Key(key) = &identity.target.encryption else { return None };
    match keys.get(key) {
        Some(KeyFact::Usable) => None,
        None => Some(Verdict::Defer(Deferral::KeyUnread(CallError::not_read()))),
        Some(KeyFact::Unusable(problem)) => Some(Verdict::Refuse(Refusal::Key(key, problem))),
        Some(KeyFact::Unread(error)) => Some(Verdict::Defer(Deferral::KeyUnread(error.clone()))),
    }
}
