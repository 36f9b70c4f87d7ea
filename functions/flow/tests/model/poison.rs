//! What somebody who may write to the table, or a process gone mad, edits there: one item at a time, any member of it.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use snapferry_core::ids::{AccountId, SnapshotId};
use snapferry_core::ledger::{By, End, Obligation, Place, Shard, State, place};

use crate::clock::{Ms, timestamp};
use crate::cloud::Cloud;
use crate::copies::Identity;
use crate::ends::wish;
use crate::policies::STRANGER;

impl Cloud {
    /// Edits some items, by preference of what has no copy yet.
    pub(crate) fn poison(&mut self, many: usize, at: Ms) {
        let mut all: Vec<Obligation> = self.table.all().cloned().collect();
        self.ec2.rng.shuffle(&mut all);
        all.sort_by_key(|obligation| obligation.has_ended());
        for obligation in all.into_iter().take(many) {
            self.poison_one(obligation, at);
        }
        self.head_lines(at);
        self.poison_others();
        self.waits.forget();
        self.meddled = at;
        self.ec2.laws.count("poisoned");
    }

    fn poison_one(&mut self, mut item: Obligation, at: Ms) {
        let rng = &mut self.ec2.rng;
        let future: Timestamp = "2099-12-31T23:59:59Z".parse().unwrap();
        let now = timestamp(at);
        let mut stands = place(&item);
        match rng.u32(0..17) {
            0 => item.wanted = future,
            1 => (item.refused, item.put_off) = (u32::MAX, u32::MAX),
            2 => item.failed = u32::MAX,
            3 => item.start = future,
            4 => stands = None,
            5 => stands = Some(Place { line: "L#nowhere#000000000000".to_owned(), order: "x".to_owned() }),
            6 => item.state = State::Delayed { since: future },
            7 => item.state = State::Asked { at: future },
            8 => item.state = State::Copying { copy: SnapshotId::parse("snap-00000bad").unwrap(), at: future },
            9 => item.state = State::Ended { at: future, why: End::Missed, copy: None },
            10 => item.state = State::Ended { at: now, why: End::Protected, copy: None },
            11 => item.gone = Some("never".to_owned()),
            12 => item.generation = u32::MAX,
            13 => item.account = AccountId::parse(STRANGER).unwrap(),
            14 => item.ending = Some(future),
            15 => item.by = if item.by == By::Event { By::Sweep } else { By::Event },
            _ => {
                let since = now - SignedDuration::from_hours(1);
                (item.state, item.refused, item.failed) = (State::Delayed { since }, u32::MAX, u32::MAX);
            }
        }
        // Who edits an item leaves its revision, or not.
        if rng.bool() {
            item.revision = rng.u64(0..1 << 40);
        }
        if stands.is_some() && rng.bool() {
            stands = place(&item);
        }
        self.poisoned.insert(item.identity.clone(), at);
        self.excuse_hidden(&item, at);
        self.table.put(item, stands, at);
    }

    /// What RDS does not show is found by its name, which has the attempt: an edited item may tell another one.
    fn excuse_hidden(&mut self, item: &Obligation, at: Ms) {
        let ec2 = &mut self.ec2;
        let Some(source) = ec2.number(&item.identity.source).filter(|_| ec2.kind.is_of_databases()) else { return };
        let identity = Identity { source, wish: wish(&item.identity) };
        let is_asked = matches!(item.state, State::Asked { .. });
        if is_asked || ec2.copies_of(&identity).any(|copy| copy.shown_from > at) {
            ec2.laws.excused.insert(identity);
        }
    }

    /// Puts one item that is over, of each account and Region, before all that waits there for its pause.
    fn head_lines(&mut self, at: Ms) {
        let over = self.table.all().filter(|item| matches!(item.state, State::Ended { why: End::Protected, .. }));
        let lines: BTreeMap<String, Obligation> = over
            .map(|item| (Place::delayed(&item.identity.region, &item.account, &item.identity.policy), item.clone()))
            .collect();
        for (line, item) in lines {
            self.poisoned.insert(item.identity.clone(), at);
            self.table.put(item, Some(Place { line, order: "000000000000#".to_owned() }), at);
        }
    }

    fn poison_others(&mut self) {
        let rng = &mut self.ec2.rng;
        let future: Timestamp = "2099-12-31T23:59:59Z".parse().unwrap();
        let (round, turns, hints) = self.table.others();
        for turn in turns {
            if rng.bool() {
                (turn.tried, turn.added) = (Some(future), if rng.bool() { future } else { turn.added });
                turn.lineage = Some("zzz".to_owned());
            }
        }
        for hint in hints {
            if rng.bool() {
                (hint.since, hint.looked) = (future, future);
            }
        }
        if let Some(round) = round {
            match rng.u32(0..3) {
                0 => round.began = future,
                1 => round.left = vec![Shard("zz".to_owned()); 3],
                _ => (round.calls, round.took_ms) = (u64::MAX, u64::MAX),
            }
        }
    }
}
