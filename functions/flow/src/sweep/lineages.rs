//! What a sharded round owes of sources that are older than their retention: the newest of each lineage of which nothing is
//! kept. That takes a look at the whole lineage, whose snapshots are in many shards.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};

use jiff::Timestamp;
use snapferry_core::copying::{CopiedLineage, Decision, Facts, Subject, copied, kept};
use snapferry_core::facts::{CallError, Lineage};
use snapferry_core::ids::Region;
use snapferry_core::ledger::{By, Obligation, Round};

use super::owe;
use crate::run::Run;
use crate::{World, wish};

/// So many lineages, and so many candidates, are remembered. Beyond, a round decides on none, and the next one tries again.
const MOST_KEPT: usize = 2_000_000;
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
        let is_fresh = usize::try_from(round.shards).is_ok_and(|shards| shards == round.left.len());
        if self.round != this {
            *self = Self { round: this, is_whole: is_fresh, ..Self::default() };
        }
    }

    /// Takes in what a shard shows.
    pub(super) fn set_aside<W: World>(
        &mut self,
        run: &Run<'_, W>,
        facts: &Facts,
        candidates: BTreeMap<CopiedLineage, Decision<'_>>,
    ) {
        self.kept.extend(kept(facts).map(|lineage| self.hasher.hash_one(&lineage)));
        for (lineage, decision) in candidates {
            let Some(candidate) = obligation(run, &lineage, &decision) else { continue };
            if facts.obligations.contains_key(&candidate.identity) {
                continue;
            }
            let known = self.candidates.entry(lineage).or_insert_with(|| candidate.clone());
            if known.start < candidate.start {
                *known = candidate;
            }
        }
        if self.kept.len() > MOST_KEPT || self.candidates.len() > MOST_CANDIDATES {
            *self = Self { round: self.round.take(), ..Self::default() };
        }
    }

    /// At the round's end: puts in line the newest of each lineage of which nothing is kept, after one more look at it.
    ///
    /// # Errors
    /// The ledger's.
    pub(super) async fn close<W: World>(&mut self, run: &Run<'_, W>) -> Result<(), CallError> {
        let Self { is_whole, hasher, kept, candidates, .. } = std::mem::take(self);
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
                let copied: HashSet<CopiedLineage> = copied(&region, &copies).collect();
                let owed = some.iter().filter(|(lineage, _)| !copied.contains(lineage));
                owe::put(run, owed.map(|(_, candidate)| candidate.clone()).collect()).await?;
            }
        }
        Ok(())
    }
}

fn obligation<W: World>(run: &Run<'_, W>, lineage: &CopiedLineage, decision: &Decision<'_>) -> Option<Obligation> {
    let Subject::Seen(source) = decision.subject else { return None };
    let identity = snapferry_core::ledger::Identity {
        policy: lineage.policy.clone(),
        source: source.id.clone(),
        region: lineage.region.clone(),
    };
    let request = wish::request(run.setup, &identity, source).ok()?;
    Some(Obligation::new(identity, source, request.volume(), By::Sweep, run.world.now()))
}
