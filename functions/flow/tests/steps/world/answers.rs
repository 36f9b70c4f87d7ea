//! What the world answers, and what is asked of it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use snapferry_core::audit::{CopyFailed, Record};
use snapferry_core::copying::{CopyError, CopyFailure, CopyRequest};
use snapferry_core::facts::{CallError, Copies, DescribedCopy, KeyFact, Lineage, SourceSnapshot, State};
use snapferry_core::ids::{AccountId, KeyArn, Region, SnapshotId};
use snapferry_core::ledger::{Hint, Identity, Obligation, Round, Shard, Turn, place};
use snapferry_core::policy::SourceType;
use snapferry_flow::{CopiesIn, Item, Items, Page, Shown, World, Written, is_mostly_empty};

use super::{Call, Scripted, error, id};

fn source_of(copy: &DescribedCopy) -> &SnapshotId {
    copy.tags.source_snapshot.as_ref().expect("a copy of a known source")
}

fn put<K: Ord, V: Clone>(items: &RefCell<BTreeMap<K, V>>, key: K, item: &V, revision: impl Fn(&V) -> u64) -> Written {
    let mut items = items.borrow_mut();
    if items.get(&key).map_or(0, |stored| revision(stored) + 1) != revision(item) {
        return Written::Stale;
    }
    items.insert(key, item.clone());
    Written::Done
}

impl World for Scripted {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap() + SignedDuration::from_secs(self.clock.get())
    }

    fn left(&self) -> Duration {
        Duration::from_secs(u64::try_from(300 - (self.clock.get() - self.began.get())).unwrap_or_default())
    }

    fn random(&self) -> f64 {
        0.5
    }

    async fn sleep(&self, time: Duration) {
        self.clock.set(self.clock.get() + i64::try_from(time.as_secs()).unwrap());
    }

    fn say(&self, record: &Record) {
        self.said.borrow_mut().push(record.clone());
    }

    fn calls(&self) -> u64 {
        0
    }

    async fn sources(&self, ids: &[SnapshotId]) -> Result<Shown, CallError> {
        self.note(Call::Ec2("sources"));
        let snapshots = ids.iter().filter_map(|id| self.sources.borrow().get(id).cloned()).collect();
        Ok(Shown { snapshots, unreadable: BTreeMap::new() })
    }

    async fn shared(&self, owners: &[AccountId], shard: &Shard, next: Option<&str>) -> Result<Page, CallError> {
        self.note(Call::Ec2("shared"));
        self.clock.set(self.clock.get() + self.page_takes.get());
        owners.iter().try_for_each(|owner| self.answers(owner.as_str()))?;
        let sources = self.sources.borrow();
        let base: Vec<&SourceSnapshot> = sources.values().filter(|source| owners.contains(&source.owner)).collect();
        let begin = next.map_or(0, |next| next.parse().unwrap());
        if next.is_some() && self.stale_token.get() == Some(begin) {
            let code = "InvalidNextToken".to_owned();
            return Err(CallError { code, ..CallError::not_read() });
        }
        let (found, next) = self.cut(&base, begin, |source| shard.contains(&source.id));
        let snapshots = found.into_iter().cloned().cloned().collect();
        Ok(Page { snapshots, next: next.map(|next| next.to_string()), unreadable: Vec::new() })
    }

    async fn copies_of(&self, region: &Region, sources: &[SnapshotId]) -> Result<Copies, CallError> {
        if !sources.is_empty() {
            self.note(Call::Ec2("copies of"));
        }
        let is_under_way = |copy: &DescribedCopy| copy.state == State::Pending && source_of(copy).is_of_database();
        self.found(region, |copy| is_under_way(copy) || sources.contains(source_of(copy)))
    }

    async fn copies_in(&self, region: &Region, shard: &Shard, most: usize) -> Result<CopiesIn, CallError> {
        if self.hangs.get() {
            std::future::pending::<()>().await;
        }
        self.answers(region.as_str())?;
        let copies = self.copies.borrow();
        let base: Vec<&DescribedCopy> =
            copies.iter().filter(|(there, _)| there == region).map(|(_, copy)| copy).collect();
        let (mut pages, mut count, mut begin) = (0, 0, 0);
        for _ in 0..self.foreign.get() / self.page.get().max(1) {
            self.note(Call::Ec2("copies in"));
            pages += 1;
            if is_mostly_empty(pages, count) {
                return Ok(CopiesIn::MostlyEmpty);
            }
        }
        loop {
            self.note(Call::Ec2("copies in"));
            let (found, next) = self.cut(&base, begin, |copy| shard.contains(source_of(copy)));
            (pages, count) = (pages + 1, count + found.len());
            match next {
                _ if count > most => return Ok(CopiesIn::TooMany),
                Some(_) if is_mostly_empty(pages, count) => return Ok(CopiesIn::MostlyEmpty),
                Some(next) => begin = next,
                None => break,
            }
        }
        drop(copies);
        self.found(region, |copy| shard.contains(source_of(copy))).map(CopiesIn::All)
    }

    async fn copies_of_lineages(&self, region: &Region, lineages: &[Lineage]) -> Result<Copies, CallError> {
        self.note(Call::Ec2("copies of lineages"));
        self.found(region, |copy| copy.tags.source_volume.as_ref().is_some_and(|volume| lineages.contains(volume)))
    }

    async fn copies_by_id(&self, _: &Region, _: &[SnapshotId]) -> Result<Copies, CallError> {
        self.note(Call::Ec2("copies by ID"));
        Ok(Copies::default())
    }

    async fn keys(&self) -> BTreeMap<KeyArn, KeyFact> {
        self.keys.borrow().clone()
    }

    async fn copy(&self, request: &CopyRequest<'_>, _: Timestamp) -> Result<SnapshotId, CopyError> {
        self.note(Call::Copy(request.source.id.clone()));
        self.clock.set(self.clock.get() + self.copy_takes.get());
        if self.refused.borrow().contains(&request.source.id) {
            return Err(error(CopyFailure::Refused { reason: CopyFailed::KeyRefused, remedy: "" }));
        }
        let spent =
            self.without_duration.borrow().clone().filter(|_| request.target.completion_duration_minutes.is_some());
        match spent.or_else(|| self.answers.borrow_mut().pop()) {
            Some(error) => Err(error),
            None => Ok(id(0xc000 + self.asked.borrow().len())),
        }
    }

    async fn obligation(&self, identity: &Identity) -> Result<Option<Item>, CallError> {
        self.note(Call::Read("obligation"));
        let stored = self.obligations.borrow().get(identity).cloned();
        Ok(stored.map(|obligation| Item { obligation, is_placed: true }))
    }

    async fn obligations(&self, shard: &Shard, most: usize) -> Result<Option<Items>, CallError> {
        self.note(Call::Read("obligations"));
        let obligations = self.obligations.borrow();
        let is_open = |stored: &&Obligation| !stored.has_ended() || stored.may_return();
        let open = obligations.values().filter(is_open).filter(|stored| shard.contains(&stored.identity.source));
        let items: Vec<Item> = open.cloned().map(|obligation| Item { obligation, is_placed: true }).collect();
        Ok((items.len() <= most).then_some((items, Vec::new())))
    }

    async fn line(
        &self,
        line: &str,
        after: Option<&str>,
        before: Option<&str>,
        most: usize,
    ) -> Result<Vec<Obligation>, CallError> {
        self.note(Call::Read("line"));
        if self.unread_lines.borrow().iter().any(|region| line.contains(region)) {
            return Err(CallError::not_read());
        }
        let obligations = self.obligations.borrow();
        let mut found: Vec<(String, &Obligation)> = obligations
            .values()
            .filter_map(|obligation| Some((place(obligation)?, obligation)))
            .filter(|(place, _)| place.line == line)
            .map(|(place, obligation)| (place.order, obligation))
            .filter(|(order, _)| after.is_none_or(|after| order.as_str() > after))
            .filter(|(order, _)| before.is_none_or(|before| order.as_str() < before))
            .collect();
        found.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(found.into_iter().take(most).map(|(_, obligation)| obligation.clone()).collect())
    }

    async fn write(&self, obligation: &Obligation) -> Result<Written, CallError> {
        self.note(Call::Write("obligation"));
        self.clock.set(self.clock.get() + self.write_takes.get());
        if self.is_doubled.take() {
            self.beside();
        }
        let is_denied = self.unwritable.borrow().contains(&obligation.identity.source);
        if is_denied || self.is_unwritable.get() || (self.is_endless.get() && obligation.has_ended()) {
            return Err(CallError::not_read());
        }
        Ok(put(&self.obligations, obligation.identity.clone(), obligation, |stored| stored.revision))
    }

    async fn turns(&self, region: &Region) -> Result<Vec<Turn>, CallError> {
        self.note(Call::Read("turns"));
        let turns = self.turns.borrow();
        Ok(turns.iter().filter(|((there, _), _)| there == region).map(|(_, turn)| turn.clone()).collect())
    }

    async fn write_turn(&self, region: &Region, turn: &Turn) -> Result<Written, CallError> {
        self.note(Call::Write("turn"));
        Ok(put(&self.turns, (region.clone(), turn.account.clone()), turn, |stored| stored.revision))
    }

    async fn remove_turn(&self, region: &Region, turn: &Turn) -> Result<Written, CallError> {
        self.note(Call::Write("turn"));
        self.turns.borrow_mut().remove(&(region.clone(), turn.account.clone()));
        Ok(Written::Done)
    }

    async fn hints(&self) -> Result<Vec<Hint>, CallError> {
        self.note(Call::Read("hints"));
        Ok(self.hints.borrow().values().cloned().collect())
    }

    async fn write_hint(&self, hint: &Hint) -> Result<Written, CallError> {
        self.hint().await;
        if self.is_hintless.get() {
            return Err(CallError::not_read());
        }
        Ok(put(&self.hints, hint.source.clone(), hint, |stored| stored.revision))
    }

    async fn remove_hint(&self, hint: &Hint) -> Result<Written, CallError> {
        self.hint().await;
        if self.is_unremovable.get() {
            return Err(CallError::not_read());
        }
        self.hints.borrow_mut().remove(&hint.source);
        Ok(Written::Done)
    }

    async fn round(&self) -> Result<Option<Round>, CallError> {
        self.note(Call::Read("round"));
        Ok(self.round.borrow().clone())
    }

    async fn other_rounds(&self) -> Result<BTreeMap<SourceType, Round>, CallError> {
        self.note(Call::Read("other rounds"));
        if self.are_others_unread.get() { Err(CallError::not_read()) } else { Ok(self.other_rounds.borrow().clone()) }
    }

    async fn write_round(&self, round: &Round) -> Result<Written, CallError> {
        self.note(Call::Write("round"));
        let stored = self.round.borrow().as_ref().map_or(0, |stored| stored.revision + 1);
        if stored != round.revision {
            return Ok(Written::Stale);
        }
        self.round.replace(Some(round.clone()));
        Ok(Written::Done)
    }
}
