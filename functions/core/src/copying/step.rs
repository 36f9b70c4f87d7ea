//! What an obligation becomes by what was answered to the request for its copy.

use jiff::Timestamp;

use super::{Deferral, Outcome};
use crate::ledger::Obligation;

/// What is written in place of `asked`, the intent of a request with this outcome; `before` is what stood there before the
/// intent. Nothing where the answer does not say whether there is a copy: the intent stands until its hold ends.
#[must_use]
pub fn step(before: &Obligation, asked: &Obligation, outcome: &Outcome, now: Timestamp) -> Option<Obligation> {
    match outcome {
        Outcome::Started { copy, at } => asked.copying(copy.clone(), *at),
        Outcome::Failed { .. } => asked.refused(now),
        Outcome::Deferred(Deferral::AnswerLost(_) | Deferral::AnswerJustLost(_)) | Outcome::Stands => None,
        Outcome::Deferred(_) => asked.not_now(before),
    }
}
