//! What became of a decision, and the record that joins both.

use jiff::Timestamp;

use super::{CopyRequest, Decision, Deferral, Skip, Subject, Verdict};
use crate::audit::{Copy, CopyDeferred, CopyFailed, CopyStarted, Record, Source};
use crate::facts::CallError;
use crate::ids::{Region, SnapshotId};
use crate::text::printable;

/// How much of a description an audit record keeps, in characters: EC2 allows no more.
const DESCRIPTION_KEPT: usize = 255;

/// What became of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// There was nothing to carry out.
    Stands,
    /// EC2 took the request and named the copy. It may still fail.
    Started {
        /// The copy's ID.
        copy: SnapshotId,
        /// When it was asked for: its expiry counts from here.
        at: Timestamp,
    },
    /// The copy was not asked for, or nobody knows whether it was.
    Deferred(Deferral),
    /// EC2 refused the request; there is no copy.
    Failed {
        /// Why.
        reason: CopyFailed,
        /// What the operator does next.
        remedy: &'static str,
        /// EC2's words.
        error: CallError,
    },
}

/// The audit record of a decision and what became of it.
#[must_use]
pub fn record(decision: &Decision<'_>, outcome: &Outcome, home: &Region, now: Timestamp) -> Record {
    let mut record = match (&decision.verdict, outcome) {
        (Verdict::Skip(skip), _) => Record::new(skip.reason(), now).message(skip.to_string()),
        (Verdict::Refuse(refusal), _) => {
            Record::new(refusal.reason(), now).message(refusal.to_string()).error(refusal.error())
        }
        (Verdict::Defer(deferral), _) | (Verdict::Copy(_), Outcome::Deferred(deferral)) => {
            Record::new(deferral.reason(), now).message(deferral.to_string()).error(deferral.error())
        }
        (Verdict::Copy(_), Outcome::Failed { reason, remedy, error }) => {
            Record::new(*reason, now).message((*remedy).to_owned()).error(Some(error))
        }
        (Verdict::Copy(_), Outcome::Started { .. }) => Record::new(CopyStarted::Matched, now),
        // Every executor gives an outcome; were one to forget, the operator must see it.
        (Verdict::Copy(_), Outcome::Stands) => Record::new(CopyDeferred::NotCarriedOut, now),
    };
    if let Verdict::Refuse(super::Refusal::KeyOfCopies(endangered)) = &decision.verdict {
        record.count = u64::try_from(endangered.copies).ok();
    }
    record.policy = decision.policy.map(ToString::to_string);
    record.source = source(&decision.subject, home);
    if let (Verdict::Copy(request), Some(source)) = (&decision.verdict, &mut record.source) {
        source.volume = Some(request.volume().to_string());
    }
    record.copy = copy(decision, outcome);
    record
}

fn source(subject: &Subject<'_>, home: &Region) -> Option<Source> {
    match subject {
        Subject::All => None,
        Subject::Named(event) => {
            Some(Source { snapshot: event.snapshot.to_string(), region: home.to_string(), ..Source::default() })
        }
        Subject::Seen(seen) => Some(Source {
            kind: None,
            snapshot: seen.id.to_string(),
            arn: seen.arn().map(str::to_owned),
            account: Some(seen.owner.to_string()),
            region: home.to_string(),
            volume: Some(seen.volume.to_string()),
            size_gib: Some(seen.size_gib),
            start_time: Some(seen.start_time),
            encrypted: Some(seen.encrypted),
            description: Some(printable(&seen.description, DESCRIPTION_KEPT)),
        }),
    }
}

fn copy(decision: &Decision<'_>, outcome: &Outcome) -> Option<Copy> {
    let mut copy = Copy { region: Some(decision.region?.to_string()), ..Copy::default() };
    match (&decision.verdict, outcome) {
        (Verdict::Copy(request), Outcome::Started { copy: id, at }) => {
            copy.snapshot = Some(id.to_string());
            asked_for(&mut copy, request, Some(*at));
        }
        (Verdict::Copy(request), _) => asked_for(&mut copy, request, None),
        (Verdict::Skip(Skip::AlreadyCopied(id)), _) => copy.snapshot = Some(id.to_string()),
        (Verdict::Skip(Skip::JustProtected { copy: id, .. }), _) => copy.snapshot = id.map(ToString::to_string),
        (Verdict::Skip(Skip::Duplicate(copies)), _) => {
            copy.snapshot = copies.first().map(|first| first.id.to_string());
            copy.others = copies.iter().skip(1).map(|other| other.id.to_string()).collect();
        }
        (Verdict::Refuse(super::Refusal::MalformedTags(tampered)), _) => copy.snapshot = Some(tampered.id.to_string()),
        (Verdict::Refuse(super::Refusal::AttemptsExhausted { last, .. }), _) => copy.snapshot = Some(last.to_string()),
        (Verdict::Refuse(super::Refusal::Key(key, _)), _) => copy.kms_key = Some(key.to_string()),
        (Verdict::Refuse(super::Refusal::KeyOfCopies(endangered)), _) => copy.kms_key = Some(endangered.key.to_owned()),
        (Verdict::Skip(_) | Verdict::Defer(_) | Verdict::Refuse(super::Refusal::Source(..)), _) => {}
    }
    Some(copy)
}

fn asked_for(copy: &mut Copy, request: &CopyRequest<'_>, at: Option<Timestamp>) {
    copy.kms_key = request.key().map(ToString::to_string);
    copy.expire_after = at.and_then(|at| request.expire_after(at));
    copy.lock = request.target.lock.as_ref().map(|_| crate::tags::Lock::Pending);
}
