//! The parts of a round: shards of what is shared, copied and owed; or, in a walk, pages of what each owner shares, and then shards
//! of what is owed.

use std::cell::RefCell;
use std::collections::BTreeSet;

use snapferry_core::ids::AccountId;
use snapferry_core::ledger::{Round, Shard, Stretch};

use super::lineages::Sweeper;
use super::read::{self, Read};
use super::take::{self, Taken};
use super::walk;
use crate::World;
use crate::run::Run;

/// A part of a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// What is shared, copied and owed of a shard.
    Shard(Shard),
    /// What is shared and copied of an owner, a page of it.
    Stretch(Stretch),
    /// What is owed of a shard.
    Ledger(Shard),
}

/// What became of a part.
pub(super) enum Done {
    /// This it adds to the round, and this is left of it.
    Taken(Box<Taken>, Vec<Part>),
    /// It does not fit into memory: these are to be read instead.
    TooMuch(Vec<Part>),
    /// EC2's pages of a shard are mostly empty.
    MostlyEmpty,
    /// It is to be read later, behind the others.
    Unread,
    /// There was no time left for all of it: it is to be read first.
    Cut,
}

/// The first part that is not read yet, and not being read.
pub(super) fn next(round: &Round, begun: &[Part]) -> Option<Part> {
    match &round.walk {
        None => round.left.iter().cloned().map(Part::Shard).find(|part| !begun.contains(part)),
        // Behind the whole walk: then it is known of which owners it could not read all.
        Some(walk) if walk.is_empty() => {
            round.left.iter().cloned().map(Part::Ledger).find(|part| !begun.contains(part))
        }
        Some(walk) => walk.iter().cloned().map(Part::Stretch).find(|part| !begun.contains(part)),
    }
}

/// Reads a part and takes it in. `unread` are the owners of which the round could not read all so far.
pub(super) async fn read<W: World>(
    run: &Run<'_, W>,
    sweeper: &RefCell<Sweeper>,
    round: &str,
    part: Part,
    unread: BTreeSet<AccountId>,
) -> (Part, Done) {
    let (read, rest) = match &part {
        Part::Shard(shard) => (read::shard(run, shard).await, None),
        Part::Stretch(stretch) => walk::pages(run, stretch).await,
        Part::Ledger(shard) => (walk::ledger(run, shard).await, None),
    };
    let seen = match read {
        Read::All(seen) => seen,
        Read::TooMuch => {
            let parts = match &part {
                Part::Shard(shard) => shard.parts().map(Part::Shard).collect(),
                Part::Ledger(shard) => shard.parts().map(Part::Ledger).collect(),
                Part::Stretch(_) => vec![part.clone()],
            };
            return (part, Done::TooMuch(parts));
        }
        Read::MostlyEmpty => return (part, Done::MostlyEmpty),
        Read::Unread => return (part, Done::Unread),
        Read::Cut => return (part, Done::Cut),
    };
    let taken = match &part {
        Part::Shard(_) | Part::Stretch(_) => take::shared(run, sweeper, round, seen).await,
        Part::Ledger(_) => take::ledger(run, sweeper, round, seen, &unread).await,
    };
    match taken {
        Ok(None) => (part, Done::Cut),
        Ok(Some(taken)) => (part, Done::Taken(Box::new(taken), rest.into_iter().map(Part::Stretch).collect())),
        Err(error) => {
            run.ledger_failed(0, &error);
            (part, Done::Unread)
        }
    }
}

/// Takes a part out of the round, and puts these in its place, behind all others.
pub(super) fn replace(round: &mut Round, part: &Part, by: Vec<Part>) {
    match part {
        Part::Shard(shard) | Part::Ledger(shard) => round.left.retain(|other| other != shard),
        Part::Stretch(stretch) => round.walk.iter_mut().for_each(|walk| walk.retain(|other| other != stretch)),
    }
    for part in by {
        match part {
            Part::Shard(shard) | Part::Ledger(shard) => round.left.push(shard),
            Part::Stretch(stretch) => round.walk.get_or_insert_default().push(stretch),
        }
    }
}

/// Begins the round anew, as a walk. What it costs counts on.
pub(super) fn fall_back<W: World>(run: &Run<'_, W>, round: &mut Round) {
    let walk = walk::stretches(run);
    round.left = vec![Shard::all()];
    round.shards = u32::try_from(walk.len().saturating_add(1)).unwrap_or(u32::MAX);
    round.walk = Some(walk);
    (round.owed, round.totals) = Default::default();
}
