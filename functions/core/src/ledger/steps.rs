//! What an obligation becomes. Each step gives the item to write in place of the one that was read, or `None` where the
//! step does not follow from it.

use jiff::Timestamp;

use super::obligation::{By, End, Identity, Obligation, State};
use super::pauses::{
    HOLD, INTENT_GOOD_FOR, KEPT_ANEW, LONGEST_COPY, after, pause_after_failures, pause_after_refusals,
};
use crate::facts::{Lineage, SourceSnapshot};
use crate::ids::SnapshotId;

impl Obligation {
    /// One that nobody knew of, in its first writing.
    #[must_use]
    pub fn new(identity: Identity, source: &SourceSnapshot, lineage: Lineage, by: By, wanted: Timestamp) -> Self {
        Self {
            identity,
            account: source.owner.clone(),
            arn: source.arn().map(Into::into),
            lineage,
            start: source.start_time,
            by,
            wanted,
            generation: 0,
            state: State::Owed,
            refused: 0,
            put_off: 0,
            failed: 0,
            gone: None,
            ending: None,
            revision: 0,
        }
    }

    /// Wanted anew after it had ended: a new generation, of which nothing was refused and nothing failed.
    #[must_use]
    pub fn wanted_again(&self, by: By, wanted: Timestamp) -> Option<Self> {
        let generation = self.generation.saturating_add(1);
        let (refused, put_off, failed) = (0, 0, 0);
        let again = Self { by, wanted, generation, refused, put_off, failed, gone: None, ..self.next(State::Owed) };
        self.has_ended().then_some(again)
    }

    /// When its copy may be asked for: at once when owed, after its pause when delayed, and after the hold when a request for
    /// it may still be on its way. `None` where nothing is to be asked for.
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        match &self.state {
            State::Owed => Some(self.wanted),
            State::Delayed { since } => {
                let in_row = self.refused.max(self.put_off);
                let pause = pause_after_refusals(in_row).max(pause_after_failures(self.failed));
                Some(after(*since, pause))
            }
            State::Asked { at } => Some(after(*at, HOLD)),
            State::Copying { .. } | State::Ended { .. } => None,
        }
    }

    /// The intent to ask for its copy, written before the request. Owed ones are due whatever their time says.
    #[must_use]
    pub fn asked(&self, now: Timestamp) -> Option<Self> {
        let is_due = self.state == State::Owed || self.due().is_some_and(|due| due <= now);
        is_due.then(|| self.next(State::Asked { at: now }))
    }

    /// The intent once more, because its request did not leave in time.
    #[must_use]
    pub fn renewed(&self, now: Timestamp) -> Option<Self> {
        let State::Asked { .. } = self.state else { return None };
        Some(self.next(State::Asked { at: now }))
    }

    /// Whether a request may leave at `now` under the intent that stands.
    #[must_use]
    pub fn may_leave(&self, now: Timestamp) -> bool {
        let State::Asked { at } = self.state else { return false };
        now.duration_since(at).abs() < INTENT_GOOD_FOR
    }

    /// EC2 named its copy: in its answer, or among the Region's copies.
    #[must_use]
    pub fn copying(&self, copy: SnapshotId, at: Timestamp) -> Option<Self> {
        let waits = matches!(self.state, State::Owed | State::Delayed { .. } | State::Asked { .. });
        waits.then(|| Self { refused: 0, put_off: 0, gone: None, ..self.next(State::Copying { copy, at }) })
    }

    /// EC2 said that it did not carry out the request, for a reason that has nothing to do with this copy: full, throttled, a
    /// quota, or never sent. It goes back to its old place, and nothing is counted.
    #[must_use]
    pub fn not_now(&self, before: &Self) -> Option<Self> {
        let State::Asked { .. } = self.state else { return None };
        let state = match before.state {
            State::Delayed { since } => State::Delayed { since },
            _ => State::Owed,
        };
        Some(self.next(state))
    }

    /// EC2 refused the request, or its key cannot encrypt: it is delayed, a little longer each time.
    #[must_use]
    pub fn refused(&self, now: Timestamp) -> Option<Self> {
        let refused = self.refused.saturating_add(1);
        self.delayed(now).map(|delayed| Self { refused, put_off: 0, ..delayed })
    }

    /// Nobody could say whether it may be copied: it is delayed as after a refusal, which it is none. It may be about to end.
    #[must_use]
    pub fn put_off(&self, now: Timestamp) -> Option<Self> {
        let put_off = self.put_off.saturating_add(1);
        self.delayed(now).map(|delayed| Self { put_off, ending: self.ending, ..delayed })
    }

    fn delayed(&self, now: Timestamp) -> Option<Self> {
        let waits = matches!(self.state, State::Owed | State::Delayed { .. } | State::Asked { .. });
        waits.then(|| self.next(State::Delayed { since: now }))
    }

    /// Its copy failed, was rejected, or is lost with its key, whoever saw it first. Only this copy: another's failure says
    /// nothing of it.
    #[must_use]
    pub fn failed(&self, copy: &SnapshotId, now: Timestamp) -> Option<Self> {
        let is_this = self.copy() == Some(copy);
        is_this.then(|| Self {
            failed: self.failed.saturating_add(1),
            refused: 0,
            put_off: 0,
            ..self.next(State::Delayed { since: now })
        })
    }

    /// Its copy was verified, and its content is not its source's. Where it is over it is wanted anew, since `now`; the copy counts as
    /// failed in either case, so that no request of before holds the next one up. Nothing where it is over because of another copy,
    /// or because nobody wants it.
    #[must_use]
    pub fn disproved(&self, copy: &SnapshotId, now: Timestamp) -> Option<Self> {
        match &self.state {
            State::Ended { why: End::Protected, copy: named, .. }
                if named.as_ref().is_none_or(|named| named == copy) =>
            {
                let again = self.wanted_again(self.by, now)?;
                let failed = self.failed.saturating_add(1);
                Some(Self { failed, state: State::Delayed { since: now }, ..again })
            }
            State::Ended { .. } => None,
            _ => self.failed(copy, now),
        }
    }

    /// Its copy is not among the Region's copies, nor found by its ID, although the hold since it was named is over: somebody
    /// deleted it. It is owed again.
    #[must_use]
    pub fn vanished(&self, now: Timestamp) -> Option<Self> {
        let State::Copying { at, .. } = self.state else { return None };
        (after(at, HOLD) <= now).then(|| self.next(State::Owed))
    }

    /// Whether its copy is waited for no longer, where nobody wants it: EC2 would show it, if its Region could be read (`is_read`), or
    /// would be done with it.
    #[must_use]
    pub fn is_given_up(&self, is_read: bool, now: Timestamp) -> bool {
        match &self.state {
            State::Asked { at } => after(*at, if is_read { HOLD } else { LONGEST_COPY }) <= now,
            State::Copying { at, .. } => after(*at, LONGEST_COPY) <= now,
            State::Owed | State::Delayed { .. } | State::Ended { .. } => false,
        }
    }

    /// Whether it may have a good copy for all that anybody knows: it had one, its Region cannot be read (not `is_read`), and a key
    /// whose deletion is cancelled makes that copy good again. For as long as a copy may take its end is not told.
    #[must_use]
    pub fn may_be_protected(&self, is_read: bool, now: Timestamp) -> bool {
        !is_read && (self.generation > 0 || self.failed > 0) && now < after(self.wanted, LONGEST_COPY)
    }

    /// Its end is about to be told: of two who would tell it, one fails to write this. `None` while another's stands, whose process
    /// may still be about to tell it, and where it cannot end.
    #[must_use]
    pub fn ending(&self, why: End, now: Timestamp) -> Option<Self> {
        let is_anothers = self.ending.is_some_and(|at| now < after(at, HOLD));
        let may_end = !is_anothers && self.ended(why, now).is_some();
        may_end.then(|| Self { ending: Some(now), ..self.next(self.state.clone()) })
    }

    /// It is over: its record is printed before this is written. What was asked for runs to its verdict: it is neither missed
    /// nor withdrawn while there may be a copy of it that is still to be judged.
    #[must_use]
    pub fn ended(&self, why: End, now: Timestamp) -> Option<Self> {
        let may_end = match (&self.state, why) {
            (State::Ended { .. }, _) | (State::Copying { .. }, End::Missed) => false,
            (State::Copying { at, .. }, End::Withdrawn) => after(*at, LONGEST_COPY) <= now,
            (State::Asked { at }, End::Missed | End::Withdrawn) => after(*at, HOLD) <= now,
            (State::Owed | State::Delayed { .. }, _)
            | (State::Asked { .. } | State::Copying { .. }, End::Protected) => true,
        };
        may_end.then(|| Self { gone: None, ..self.next(State::Ended { at: now, why, copy: self.copy().cloned() }) })
    }

    /// It is over and still needed, because something passes for the copy that it names: it is kept for another while from `now`
    /// on, which is written once a day.
    #[must_use]
    pub fn kept(&self, now: Timestamp) -> Option<Self> {
        let State::Ended { at, why, copy } = &self.state else { return None };
        let is_due = now.duration_since(*at) >= KEPT_ANEW;
        is_due.then(|| self.next(State::Ended { at: now, why: *why, copy: copy.clone() }))
    }

    /// Its source was not to be seen in this round. `Ok` is what to write; `Err` says that an earlier complete round did not
    /// see it either. What was asked for waits for its verdict.
    ///
    /// # Errors
    /// `()` when the source was gone in an earlier round already: the obligation is missed if EC2 does not find it by its ID.
    #[allow(clippy::result_unit_err, reason = "the error says all: gone before")]
    pub fn gone_in(&self, round: &str) -> Option<Result<Self, ()>> {
        match (&self.state, &self.gone) {
            (State::Owed | State::Delayed { .. }, Some(earlier)) if earlier == round => None,
            (State::Owed | State::Delayed { .. }, Some(_)) => Some(Err(())),
            (State::Owed | State::Delayed { .. }, None) => {
                Some(Ok(Self { gone: Some(round.to_owned()), ..self.next(self.state.clone()) }))
            }
            (State::Asked { .. } | State::Copying { .. } | State::Ended { .. }, _) => None,
        }
    }

    /// Its source is to be seen again.
    #[must_use]
    pub fn seen(&self) -> Option<Self> {
        self.gone.as_ref().map(|_| Self { gone: None, ..self.next(self.state.clone()) })
    }

    fn next(&self, state: State) -> Self {
        Self { state, ending: None, revision: self.revision.saturating_add(1), ..self.clone() }
    }
}
