//! The ledger's table in memory: items that are read and written consistently, and an index that follows after a moment.

use std::collections::BTreeMap;
use std::collections::btree_map;

use snapferry_core::ids::{AccountId, Region, SnapshotId};
use snapferry_core::ledger::{Hint, Identity, Obligation, Place, Round, Shard, State, Turn, place};
use snapferry_flow::{Item, Written};

use crate::clock::{DAY, Ms, timestamp};

/// As the table's TTL has it for what is over.
const KEPT: Ms = 7 * DAY;

/// An obligation with the index attributes that stand in its item.
#[derive(Debug, Clone)]
struct Stored {
    obligation: Obligation,
    place: Option<Place>,
}

/// The table. It does what it is told; what goes wrong on the way is the [`World`](snapferry_flow::World)'s.
#[derive(Debug, Default)]
pub(crate) struct Table {
    obligations: BTreeMap<Identity, Stored>,
    turns: BTreeMap<(Region, AccountId), Turn>,
    hints: BTreeMap<SnapshotId, Hint>,
    round: Option<Round>,
    index: Index,
    /// How often all of it was lost.
    pub(crate) lost: u64,
}

impl Table {
    pub(crate) fn obligation(&self, identity: &Identity) -> Option<Item> {
        self.obligations.get(identity).map(item)
    }

    /// What is not over, or stands in a line.
    pub(crate) fn obligations(&self, shard: &Shard) -> Vec<Item> {
        self.obligations
            .values()
            .filter(|stored| {
                let obligation = &stored.obligation;
                !obligation.has_ended() || obligation.may_return() || stored.place.is_some()
            })
            .filter(|stored| shard.contains(&stored.obligation.identity.source))
            .map(item)
            .collect()
    }

    /// All that stand, without their places.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Obligation> {
        self.obligations.values().map(|stored| &stored.obligation)
    }

    /// Writes an obligation. The index shows it from `shown` on.
    pub(crate) fn write(&mut self, obligation: &Obligation, shown: Ms) -> Written {
        let stored = self.obligations.get(&obligation.identity).map(|stored| stored.obligation.revision);
        if !follows(stored, obligation.revision) {
            return Written::Stale;
        }
        self.put(obligation.clone(), place(obligation), shown);
        Written::Done
    }

    /// Puts an item, whatever stands there: by hand.
    pub(crate) fn put(&mut self, obligation: Obligation, place: Option<Place>, shown: Ms) {
        let identity = obligation.identity.clone();
        self.index.note(identity.clone(), place.clone().map(|place| (place, obligation.clone())), shown);
        self.obligations.insert(identity, Stored { obligation, place });
    }

    /// Up to `most` of one line of the index behind `after` and before `before`, as the index has it at `at`.
    pub(crate) fn line(
        &mut self,
        line: &str,
        after: Option<&str>,
        before: Option<&str>,
        most: usize,
        at: Ms,
    ) -> Vec<Obligation> {
        self.index.follow(at);
        let from = Place { line: line.to_owned(), order: after.unwrap_or_default().to_owned() };
        let found = self.index.shown.range(from..).take_while(|(place, _)| place.line == line);
        let behind = found.filter(|(place, _)| after.is_none_or(|after| place.order.as_str() > after));
        let within = behind.take_while(|(place, _)| before.is_none_or(|before| place.order.as_str() < before));
        within.flat_map(|(_, here)| here.values()).take(most).cloned().collect()
    }

    pub(crate) fn turns(&self, region: &Region) -> Vec<Turn> {
        self.turns.iter().filter(|((there, _), _)| there == region).map(|(_, turn)| turn.clone()).collect()
    }

    pub(crate) fn write_turn(&mut self, region: &Region, turn: &Turn) -> Written {
        let key = (region.clone(), turn.account.clone());
        if !follows(self.turns.get(&key).map(|turn| turn.revision), turn.revision) {
            return Written::Stale;
        }
        self.turns.insert(key, turn.clone());
        Written::Done
    }

    pub(crate) fn remove_turn(&mut self, region: &Region, turn: &Turn) -> Written {
        remove_if(&mut self.turns, &(region.clone(), turn.account.clone()), |found| found.revision == turn.revision)
    }

    pub(crate) fn hints(&self) -> Vec<Hint> {
        self.hints.values().cloned().collect()
    }

    pub(crate) fn write_hint(&mut self, hint: &Hint) -> Written {
        if !follows(self.hints.get(&hint.source).map(|hint| hint.revision), hint.revision) {
            return Written::Stale;
        }
        self.hints.insert(hint.source.clone(), hint.clone());
        Written::Done
    }

    pub(crate) fn remove_hint(&mut self, hint: &Hint) -> Written {
        remove_if(&mut self.hints, &hint.source, |found| found.revision == hint.revision)
    }

    pub(crate) fn round(&self) -> Option<Round> {
        self.round.clone()
    }

    pub(crate) fn write_round(&mut self, round: &Round) -> Written {
        if !follows(self.round.as_ref().map(|round| round.revision), round.revision) {
            return Written::Stale;
        }
        self.round = Some(round.clone());
        Written::Done
    }

    /// Edits the round, a turn or a hint by hand.
    pub(crate) fn others(
        &mut self,
    ) -> (&mut Option<Round>, impl Iterator<Item = &mut Turn>, impl Iterator<Item = &mut Hint>) {
        (&mut self.round, self.turns.values_mut(), self.hints.values_mut())
    }

    /// All of it is gone.
    pub(crate) fn empty(&mut self) {
        *self = Self { lost: self.lost + 1, ..Self::default() };
    }

    /// Removes what is long over.
    pub(crate) fn expire(&mut self, at: Ms) {
        let is_old = |obligation: &Obligation| matches!(obligation.state, State::Ended { at: ended, .. } if ended < timestamp(at - KEPT));
        self.obligations.retain(|_, stored| !is_old(&stored.obligation));
    }
}

fn item(stored: &Stored) -> Item {
    Item { obligation: stored.obligation.clone(), is_placed: place(&stored.obligation) == stored.place }
}

/// The condition of each write.
fn follows(stored: Option<u64>, revision: u64) -> bool {
    stored.map_or(Some(0), |stored| stored.checked_add(1)) == Some(revision)
}

fn remove_if<K: Ord, V>(items: &mut BTreeMap<K, V>, key: &K, is_the_one: impl Fn(&V) -> bool) -> Written {
    if !items.get(key).is_some_and(is_the_one) {
        return Written::Stale;
    }
    items.remove(key);
    Written::Done
}

/// What the index shows of an item, and where.
type Entry = (Place, Obligation);

/// The index: what it shows, and what it is to show later.
#[derive(Debug, Default)]
struct Index {
    shown: BTreeMap<Place, BTreeMap<Identity, Obligation>>,
    places: BTreeMap<Identity, Place>,
    coming: BTreeMap<(Ms, u64), (Identity, Option<Entry>)>,
    /// When the last change of an identity comes: those of one item come in their order.
    last: BTreeMap<Identity, Ms>,
    noted: u64,
}

impl Index {
    fn note(&mut self, identity: Identity, entry: Option<Entry>, shown: Ms) {
        let last = self.last.entry(identity.clone()).or_insert(shown);
        *last = shown.max(*last);
        self.noted += 1;
        self.coming.insert((*last, self.noted), (identity, entry));
    }

    fn follow(&mut self, at: Ms) {
        let later = self.coming.split_off(&(at + 1, 0));
        for (_, (identity, entry)) in std::mem::replace(&mut self.coming, later) {
            if let Some(btree_map::Entry::Occupied(mut there)) =
                self.places.remove(&identity).map(|place| self.shown.entry(place))
            {
                there.get_mut().remove(&identity);
                if there.get().is_empty() {
                    there.remove();
                }
            }
            if let Some((place, obligation)) = entry {
                self.places.insert(identity.clone(), place.clone());
                self.shown.entry(place).or_default().insert(identity, obligation);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use snapferry_core::ids::PolicyName;
    use snapferry_core::ledger::By;

    use super::*;
    use crate::clock::SECOND;
    use crate::policies::ANNA;
    use crate::sources::sample;

    fn owed() -> Obligation {
        let source = sample(ANNA);
        let identity = Identity {
            policy: PolicyName::parse("nightly").unwrap(),
            source: source.id.clone(),
            region: Region::parse("eu-west-1").unwrap(),
        };
        Obligation::new(identity, &source, source.volume.clone(), By::Sweep, timestamp(0))
    }

    #[test]
    fn of_two_writers_one_is_stale() {
        let (mut table, first) = (Table::default(), owed());
        assert_eq!(table.write(&first, 0), Written::Done);
        assert_eq!(table.write(&first, 0), Written::Stale, "there is one already");
        let (one, other) = (first.asked(timestamp(1)).unwrap(), first.refused(timestamp(1)).unwrap());
        assert_eq!(table.write(&one, 0), Written::Done);
        assert_eq!(table.write(&other, 0), Written::Stale);
        assert_eq!(table.obligation(&first.identity).map(|item| item.obligation), Some(one));
    }

    #[test]
    fn the_index_follows_in_the_order_of_the_writes() {
        let (mut table, first) = (Table::default(), owed());
        let place = place(&first).unwrap();
        let shown = |table: &mut Table, at: Ms| table.line(&place.line, None, None, 9, at).len();
        table.write(&first, 5 * SECOND);
        assert_eq!(shown(&mut table, 4 * SECOND), 0);
        assert_eq!(shown(&mut table, 5 * SECOND), 1);
        table.write(&first.asked(timestamp(5 * SECOND)).unwrap(), 9 * SECOND);
        // Written later and on its way for a shorter time, it does not come before the one before it.
        table.write(&first.asked(timestamp(5 * SECOND)).unwrap().not_now(&first).unwrap(), 6 * SECOND);
        assert_eq!(shown(&mut table, 8 * SECOND), 1);
        assert_eq!(shown(&mut table, 9 * SECOND), 1);
        assert_eq!(table.line(&place.line, Some(&place.order), None, 9, 9 * SECOND), []);
        assert_eq!(table.line(&place.line, None, Some(&place.order), 9, 9 * SECOND), []);
    }

    #[test]
    fn what_is_over_is_kept_for_a_week() {
        let (mut table, first) = (Table::default(), owed());
        table.write(&first, 0);
        table.write(&first.ended(snapferry_core::ledger::End::Missed, timestamp(DAY)).unwrap(), 0);
        table.expire(7 * DAY);
        assert_eq!(table.all().count(), 1);
        table.expire(9 * DAY);
        assert_eq!(table.all().count(), 0);
    }
}
