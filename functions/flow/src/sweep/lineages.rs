//! What a sharded round owes of sources that are older than their retention: the newest of each lineage of which nothing is
//! kept. That takes a look at the whole lineage, whose snapshots are in many shards.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};

use jiff::Timestamp;
use snapferry_core::copying::{CopiedLineage, Decision, Facts, Subject, copied};
use snapferry_core::facts::{CallError, Lineage};
use snapferry_core::ids::Region;
use snapferry_core::ledger::{By, Obligation, Round};

use super::owe;
use crate::run::Run;
use crate::{World, wish};

/// So many lineages of which something is kept are remembered. Beyond, a round decides on no source that is older than its
/// retention.
const MOST_KEPT: usize = 2_000_000;

/// So many candidates are remembered. The rest is left to the next round, for which these are no candidates any more.
const MOST_CANDIDATES: usize = 50_000;

/// Lineages looked at in one call.
const AT_ONCE: usize = 200;

/// What a warm environment remembers of the round under way. It counts only if this environment read the whole round.
#[derive(Debug, Default)]
pub struct Sweeper {
    round: Option<(String, Timestamp)>,
    /// Whether all shards that were read so far were read here.
    is_whole: bool,
    hasher: RandomState,
    /// The lineages of which something is kept, by their hashes: there may be hundreds of thousands.
    kept: HashSet<u64>,
    candidates: HashMap<CopiedLineage, Obligation>,
}

impl Sweeper {
    /// Goes on with a round, or begins with it where nothing of it was read yet.
    pub(super) fn goes_on(&mut self, round: &Round) {
        let this = Some((round.id.clone(), round.began));
        if self.round != this {
            *self = Self { round: this, is_whole: round.is_fresh(), ..Self::default() };
        }
    }

    /// Begins anew with a round.
    pub(super) fn begins(&mut self, round: &Round) {
        *self = Self::default();
        self.goes_on(round);
    }

    /// Takes in what is kept of what was read.
    pub(super) fn keep(&mut self, kept: impl Iterator<Item = CopiedLineage>) {
        self.kept.extend(kept.map(|lineage| self.hasher.hash_one(&lineage)));
        if self.kept.len() > MOST_KEPT {
            *self = Self { round: self.round.take(), ..Self::default() };
        }
    }

    /// Takes in what a shard shows.
    pub(super) fn set_aside<W: World>(
        &mut self,
        run: &Run<'_, W>,
        facts: &Facts,
        candidates: BTreeMap<CopiedLineage, Decision<'_>>,
    ) {
        for (lineage, decision) in candidates {
            // Once there is no room for more, what comes does not come again in this round; what is there is of the whole round.
            if self.candidates.len() >= MOST_CANDIDATES && !self.candidates.contains_key(&lineage) {
                continue;
            }
            let Some(candidate) = obligation(run, facts, &decision) else { continue };
            let known = self.candidates.entry(lineage).or_insert_with(|| candidate.clone());
            if known.start < candidate.start {
                *known = candidate;
            }
        }
    }

    /// At the round's end: puts in line the newest of each lineage of which nothing is kept, after one more look at it.
    ///
    /// # Errors
    /// The ledger's.
    pub(super) async fn close<W: World>(self, run: &Run<'_, W>) -> Result<(), CallError> {
        let Self { is_whole, hasher, kept, candidates, .. } = self;
        if !is_whole {
            return Ok(());
        }
        let mut regions: BTreeMap<Region, Vec<(CopiedLineage, Obligation)>> = BTreeMap::new();
        for (lineage, candidate) in candidates {
            if !kept.contains(&hasher.hash_one(&lineage)) {
                regions.entry(lineage.region.clone()).or_default().push((lineage, candidate));
            }
        }
        for (region, candidates) in regions {
            for some in candidates.chunks(AT_ONCE) {
                let volumes: Vec<Lineage> = some.iter().map(|(lineage, _)| lineage.lineage.clone()).collect();
                // What cannot be read is decided in the next round.
                let Ok(copies) = run.world.copies_of_lineages(&region, &volumes).await else { continue };
                let copied: HashSet<CopiedLineage> = copied(&region, &copies.copies).collect();
                let owed = some.iter().filter(|(lineage, _)| !copied.contains(lineage));
                owe::put(run, owed.map(|(_, candidate)| candidate.clone()).collect(), || true).await?;
            }
        }
        Ok(())
    }
}

fn obligation<W: World>(run: &Run<'_, W>, facts: &Facts, decision: &Decision<'_>) -> Option<Obligation> {
    let Subject::Seen(source) = decision.subject else { return None };
    let identity = decision.identity()?;
    let request = wish::request(run.setup, &identity, source).ok()?;
    let now = run.world.now();
    match facts.obligations.get(&identity) {
        None => Some(Obligation::new(identity, source, request.volume(), By::Sweep, now)),
        Some(over) => over.wanted_again(By::Sweep, now),
    }
}
