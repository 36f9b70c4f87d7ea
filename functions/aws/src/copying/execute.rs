//! Carries out the copies that were decided. It chooses nothing: it only stops asking a Region that says stop.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use snapferry_core::copying::{CopyRequest, Decision, Deferral, Outcome, Verdict};
use snapferry_core::ids::Region;

use crate::clients::Clients;
use crate::copy_call::{CopyError, copy_snapshot};
use crate::deadline::{Deadline, RESERVE};
use crate::errors::CopyFailure;

/// How often one copy is asked for while EC2 throttles.
const THROTTLED_ATTEMPTS: u32 = 6;
/// The first pause after throttling; each next one is twice as long, each with full jitter.
const BACKOFF: Duration = Duration::from_millis(200);
/// The longest pause.
const BACKOFF_MOST: Duration = Duration::from_secs(5);

/// Carries out `decisions`: Regions at the same time, within a Region one after the other in the given order. `report`
/// is told of each outcome as soon as there is one, so that the audit holds what was done even if the function is
/// killed the next moment.
pub async fn execute<'f>(
    clients: &Clients,
    decisions: &[Decision<'f>],
    deadline: Deadline,
    report: impl Fn(&Decision<'f>, Outcome),
) {
    let mut regions: BTreeMap<&Region, Vec<(&Decision<'f>, &CopyRequest<'f>)>> = BTreeMap::new();
    for decision in decisions {
        match &decision.verdict {
            Verdict::Copy(request) => regions.entry(&request.target.region).or_default().push((decision, request)),
            Verdict::Skip(_) | Verdict::Defer(_) | Verdict::Refuse(_) => report(decision, Outcome::Stands),
        }
    }
    let report = &report;
    join_all(regions.into_values().map(async |copies| {
        let mut closed = None;
        for (decision, request) in copies {
            let outcome = match closed {
                Some(reason) => Outcome::Deferred(Deferral::RegionClosed(reason)),
                None => start(clients, request, deadline).await,
            };
            if let Outcome::Deferred(deferral) = &outcome {
                closed = closed.or_else(|| closes(deferral));
            }
            report(decision, outcome);
        }
    }))
    .await;
}

/// Whether a deferral closes its Region for the rest of the invocation, and the reason that the others are given.
fn closes(deferral: &Deferral) -> Option<&'static str> {
    match deferral {
        Deferral::RegionFull(_) | Deferral::Throttled(_) | Deferral::OutOfTime => Some(deferral.reason()),
        // Silence: the next call would wait as long and leave the next copy in doubt.
        Deferral::AnswerLost(error) if error.request_id.is_none() => Some("region-unreachable"),
        _ => None,
    }
}

async fn start(clients: &Clients, request: &CopyRequest<'_>, deadline: Deadline) -> Outcome {
    let mut attempt = 1;
    loop {
        if deadline.left() < RESERVE {
            return Outcome::Deferred(Deferral::OutOfTime);
        }
        let at = Timestamp::now();
        let CopyError { failure, error } = match copy_snapshot(clients, request, at).await {
            Ok(copy) => return Outcome::Started { copy, at },
            Err(error) => error,
        };
        match failure {
            CopyFailure::Throttled => {
                let pause = BACKOFF.saturating_mul(1 << attempt.min(8)).min(BACKOFF_MOST).mul_f64(fastrand::f64());
                if attempt == THROTTLED_ATTEMPTS || deadline.left() < RESERVE.saturating_add(pause) {
                    return Outcome::Deferred(Deferral::Throttled(error));
                }
                attempt += 1;
                tokio::time::sleep(pause).await;
            }
            CopyFailure::RegionFull => return Outcome::Deferred(Deferral::RegionFull(error)),
            CopyFailure::Silence | CopyFailure::Ambiguous => return Outcome::Deferred(Deferral::AnswerLost(error)),
            CopyFailure::Refused { reason, remedy } => return Outcome::Failed { reason, remedy, error },
        }
    }
}
