//! Putting into the ledger what a shard shows to be wanted.

use std::cell::Cell;
use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt as _};
use jiff::Timestamp;
use snapferry_core::copying::{CopyRequest, Decision, Deferral, Facts, Refusal, Subject, Verdict};
use snapferry_core::facts::{CallError, Copy, SourceKind, SourceSnapshot};
use snapferry_core::ids::Region;
use snapferry_core::ledger::{By, Identity, Obligation};
use snapferry_core::tags::Status;

use crate::run::Run;
use crate::wish::in_place_of;
use crate::{World, Written, line, wish};

/// How many items are written at the same time: index writes push back on the table.
pub(super) const WRITES: usize = 25;

/// Puts into the ledger what is wanted and does not stand there, and counts by Region what waits; nothing where the time was over
/// before all was written.
///
/// # Errors
/// The ledger's.
pub(super) async fn owe<W: World>(
    run: &Run<'_, W>,
    facts: &Facts,
    decisions: &[Decision<'_>],
    began: Timestamp,
) -> Result<Option<BTreeMap<Region, u64>>, CallError> {
    let mut waiting: BTreeMap<Region, u64> = BTreeMap::new();
    let mut wanted = Vec::new();
    for decision in decisions {
        let Some(request) = waits(run, decision) else { continue };
        let is_refused = !matches!(decision.verdict, Verdict::Copy(_));
        if !is_refused {
            let count = waiting.entry(request.target.region.clone()).or_default();
            *count = count.saturating_add(1);
        }
        let stands = facts.obligations.get(&request.identity());
        let owed = match stands {
            None => Some(Obligation::new(request.identity(), request.source, request.volume(), By::Sweep, began)),
            Some(stands) => stands.wanted_again(By::Sweep, began),
        };
        // What cannot be asked for now waits for its pause, and is told of here.
        let delayed = owed.as_ref().and_then(|owed| match decision.verdict {
            Verdict::Refuse(_) => owed.refused(began),
            Verdict::Defer(_) => owed.put_off(began),
            Verdict::Copy(_) | Verdict::Skip(_) => None,
        });
        wanted.extend(delayed.or(owed).map(|owed| in_place_of(stands, owed)));
    }
    Ok(put(run, wanted, || run.has_time()).await?.then_some(waiting))
}

/// The request of a decision whose copy is wanted and waits, or will wait, in line.
fn waits<'f, W: World>(run: &'f Run<'_, W>, decision: &Decision<'f>) -> Option<CopyRequest<'f>> {
    let source = match (&decision.verdict, decision.subject) {
        (Verdict::Copy(request), _) => return Some(*request),
        (
            Verdict::Refuse(Refusal::Key(..) | Refusal::Source(..) | Refusal::AttemptsExhausted { .. })
            | Verdict::Defer(Deferral::KeyUnread(_)),
            Subject::Seen(source),
        ) => source,
        _ => return None,
    };
    let (policy, region) = (decision.policy?.clone(), decision.region?.clone());
    wish::request(run.setup, &Identity { policy, source: source.id.clone(), region }, source).ok()
}

/// Puts obligations in line while there is time; tells whether all were.
///
/// # Errors
/// The first error of the ledger; the rest is not written.
pub(super) async fn put<W: World>(
    run: &Run<'_, W>,
    wanted: Vec<Obligation>,
    has_time: impl Fn() -> bool,
) -> Result<bool, CallError> {
    for obligation in &wanted {
        // One after the other: most are of accounts that have their turn already.
        line::keep_turn(run, &obligation.identity.region, &obligation.account).await?;
    }
    let (begun, is_all) = (Cell::new(0), Cell::new(true));
    let mut writes = stream::iter(wanted)
        .map(async |wanted| {
            // Some are written in any case, so that the next tick has less to do.
            begun.set(begun.get() + 1);
            if begun.get() > WRITES && !has_time() {
                is_all.set(false);
                return Ok(Written::Stale);
            }
            line::stand(run, &wanted).await
        })
        .buffer_unordered(WRITES);
    while let Some(written) = writes.next().await {
        // Stale: somebody else sees to it.
        written?;
    }
    drop(writes);
    Ok(is_all.get())
}

/// Takes in copies that are under way and of which the ledger knows nothing: those of an earlier version, or of a table that
/// was lost.
///
/// # Errors
/// The ledger's.
pub(super) async fn adopt<W: World>(run: &Run<'_, W>, facts: &Facts) -> Result<(), CallError> {
    let Ok(sources) = &facts.snapshots else { return Ok(()) };
    let mut adopted = Vec::new();
    for (region, copies) in &facts.regions {
        let Ok(copies) = copies else { continue };
        for copy in copies.copies.iter().filter(|copy| copy.status == Some(Status::Copying) && copy.is_live()) {
            let identity =
                Identity { policy: copy.origin.policy.clone(), source: copy.source.clone(), region: region.clone() };
            let source = sources.binary_search_by(|source| source.id.cmp(&copy.source)).ok();
            let source = source.and_then(|at| sources.get(at));
            if let (Some(source), false) = (source, facts.obligations.contains_key(&identity)) {
                adopted.extend(adoption(run, identity, source, copy));
            }
        }
    }
    let mut writes = stream::iter(&adopted).map(|adopted| run.world.write(adopted)).buffer_unordered(WRITES);
    while let Some(written) = writes.next().await {
        written?;
    }
    Ok(())
}

fn adoption<W: World>(
    run: &Run<'_, W>,
    identity: Identity,
    source: &SourceSnapshot,
    copy: &Copy,
) -> Option<Obligation> {
    let request = wish::request(run.setup, &identity, source).ok()?;
    let owed = Obligation::new(identity, source, request.volume(), By::Sweep, copy.start_time);
    // RDS may not date a copy that it makes, which then counts as old as its source, and would be told as stalled at once.
    let since = match source.kind {
        SourceKind::Volume => copy.start_time,
        SourceKind::Instance(_) | SourceKind::Cluster(_) => run.world.now(),
    };
    let adopted = owed.copying(copy.id.clone(), since)?;
    Some(Obligation { revision: 0, ..adopted })
}
