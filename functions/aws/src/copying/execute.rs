//! Carries out the copies that were decided. It chooses nothing: what may be asked for again, and when a Region said stop,
//! [`Lane`] knows.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use jiff::Timestamp;
use snapferry_core::copying::{CopyRequest, Decision, Lane, Outcome, Step, Verdict};
use snapferry_core::ids::Region;

use crate::clients::Clients;
use crate::copy_call::copy_snapshot;
use crate::deadline::Deadline;

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
        let mut lane = Lane::default();
        for (decision, request) in copies {
            let outcome = next(clients, &mut lane, request, deadline).await;
            report(decision, outcome);
        }
    }))
    .await;
}

/// Asks for the copy at the head of the line, as often as the line says.
async fn next(clients: &Clients, lane: &mut Lane, request: &CopyRequest<'_>, deadline: Deadline) -> Outcome {
    loop {
        if let Some(outcome) = lane.without_asking(request.policy, &request.source.owner, deadline.left()) {
            return outcome;
        }
        let at = Timestamp::now();
        let answer = copy_snapshot(clients, request, at).await;
        match lane.answered(request.policy, &request.source.owner, answer, at, deadline.left(), fastrand::f64()) {
            Step::Again(pause) => tokio::time::sleep(pause).await,
            Step::Next(outcome) => return outcome,
        }
    }
}
