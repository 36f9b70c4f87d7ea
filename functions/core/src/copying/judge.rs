//! What is to be done about one identity.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{CopyRequest, Deferral, MAX_ATTEMPTS, Refusal, Skip, Stands, Verdict, obstacle};
use crate::facts::{CallError, Copy, KeyFact};
use crate::ids::{KeyArn, SnapshotId};
use crate::ledger::{End, HOLD, Obligation, State};
use crate::policy::Encryption;
use crate::standing::{Standing, Weighed, weigh};

/// Judges one identity by its copies, by what the ledger holds of it, and by what KMS says of its key.
///
/// What EC2 shows comes first. Where it shows no live copy, the ledger's hold stands in for one that EC2 hides: none is asked
/// for within [`HOLD`] of an intent, of a copy that EC2 named, or of a verdict. `now` is when the reading of the copies began.
pub fn judge<'f>(
    identity: CopyRequest<'f>,
    copies: impl Iterator<Item = &'f Copy>,
    obligation: Option<&'f Obligation>,
    keys: &'f BTreeMap<KeyArn, KeyFact>,
    now: Timestamp,
) -> (Verdict<'f>, Stands) {
    let weighed = weigh(copies);
    let since = Since { source: identity.source.start_time, obligation, now };
    if let (Standing::Protected | Standing::InFlight, Some(copy)) = (weighed.standing, weighed.copy) {
        let since = since.under_way(copy.start_time, &weighed);
        let stands = Stands { standing: weighed.standing, since };
        let skip = if weighed.others.is_empty() {
            Skip::AlreadyCopied(&copy.id)
        } else {
            Skip::Duplicate(std::iter::once(copy).chain(weighed.others).collect())
        };
        return (Verdict::Skip(skip), stands);
    }
    if let Some((verdict, started)) = obligation.and_then(|obligation| held(obligation, &weighed, now)) {
        let standing = if matches!(verdict, Verdict::Skip(_)) { Standing::InFlight } else { weighed.standing };
        return (verdict, Stands { standing, since: since.under_way(started, &weighed) });
    }
    let stands = Stands { standing: weighed.standing, since: since.open() };
    let refusal = obstacle(&identity).map(|obstacle| Refusal::Source(&identity.source.id, obstacle));
    let refusal = refusal.or_else(|| exhausted(&weighed.dead, now)).map(Verdict::Refuse);
    (refusal.or_else(|| of_key(&identity, keys)).unwrap_or(Verdict::Copy(identity)), stands)
}

/// What the ledger's hold says while EC2 shows no live copy, and since when there may be one. A time in the future counts as
/// `now`.
fn held<'f>(obligation: &'f Obligation, weighed: &Weighed<'_>, now: Timestamp) -> Option<(Verdict<'f>, Timestamp)> {
    let holds = |at: Timestamp| now.duration_since(at.min(now)) < HOLD;
    // One that EC2 shows among the dead is not hidden.
    let is_hidden =
        |copy: Option<&SnapshotId>| weighed.dead.iter().all(|dead| copy.is_some_and(|copy| dead.id != *copy));
    match &obligation.state {
        State::Asked { at } if holds(*at) => Some((Verdict::Defer(Deferral::AnswerJustLost(*at)), *at)),
        State::Copying { copy, at } if holds(*at) && is_hidden(Some(copy)) => {
            Some((Verdict::Skip(Skip::AlreadyCopied(copy)), *at))
        }
        State::Ended { at, why: End::Protected, copy } if holds(*at) && is_hidden(copy.as_ref()) => {
            Some((Verdict::Skip(Skip::JustProtected { at: *at, copy: copy.as_ref() }), *at))
        }
        _ => None,
    }
}

/// Since when an identity is not protected.
struct Since<'o> {
    /// When the source was started.
    source: Timestamp,
    obligation: Option<&'o Obligation>,
    now: Timestamp,
}

impl Since<'_> {
    /// With a copy under way: since it is wanted. Where nobody knows, since the copy was started if it is the first.
    fn under_way(&self, started: Timestamp, weighed: &Weighed<'_>) -> Timestamp {
        let unknown = if weighed.dead.is_empty() { started } else { self.source };
        self.obligation.map_or(unknown, |obligation| obligation.wanted.min(self.now))
    }

    /// With none: since it is wanted, or since its obligation ended. Where nobody knows, since the source was started.
    fn open(&self) -> Timestamp {
        let since = match self.obligation {
            Some(Obligation { state: State::Ended { at, .. }, .. }) => *at,
            Some(obligation) => obligation.wanted,
            None => self.source,
        };
        since.min(self.now)
    }
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
