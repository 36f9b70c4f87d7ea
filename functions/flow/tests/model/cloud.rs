//! The world outside the processes: EC2, the table, the verifier, and what is known of who did what.

use std::collections::{BTreeMap, BTreeSet};

use snapferry_core::audit::{Record, Sweep};
use snapferry_core::facts::Lineage;
use snapferry_core::ids::{AccountId, Region};
use snapferry_core::ledger::{Identity, Obligation, State, Turn};
use snapferry_flow::Written;

use crate::clock::{HOUR, MINUTE, Ms, SECOND, ms};
use crate::ec2::Ec2;
use crate::ends::{Ends, Life, wish};
use crate::laws;
use crate::policies::{Phase, REGIONS, number};
use crate::table::Table;
use crate::verifier::Verifier;
use crate::waits::Waits;

/// A write that takes effect after it was given up.
type Late = Box<dyn FnOnce(&mut Cloud, Ms)>;

pub(crate) struct Cloud {
    pub(crate) ec2: Ec2,
    pub(crate) table: Table,
    pub(crate) verifier: Verifier,
    pub(crate) ends: Ends,
    pub(crate) waits: Waits,
    /// All processes that ever were, and what the document was for each.
    pub(crate) lives: Vec<Life>,
    pub(crate) phases_of: Vec<Phase>,
    /// Who wrote each obligation last, unless somebody edited it.
    writers: BTreeMap<Identity, Option<usize>>,
    /// The databases of which a process asked for a copy in a Region: it asks for no other one, whatever became of that.
    asked_of: BTreeSet<(usize, usize, AccountId, Lineage)>,
    /// What was edited by hand, and when.
    pub(crate) poisoned: BTreeMap<Identity, Ms>,
    /// When anything was last edited, or all lost.
    pub(crate) meddled: Ms,
    /// What the last sweep counted, and when it told.
    pub(crate) swept: Option<(Ms, Sweep)>,
    late: Vec<(Ms, Late)>,
    next_expiry: Ms,
}

impl Cloud {
    pub(crate) fn new(ec2: Ec2) -> Self {
        Self {
            ec2,
            table: Table::default(),
            verifier: Verifier::default(),
            ends: Ends::default(),
            waits: Waits::default(),
            lives: Vec::new(),
            phases_of: Vec::new(),
            writers: BTreeMap::new(),
            asked_of: BTreeSet::new(),
            poisoned: BTreeMap::new(),
            meddled: Ms::MIN,
            swept: None,
            late: Vec::new(),
            next_expiry: 0,
        }
    }

    /// Lets time pass.
    pub(crate) fn advance(&mut self, to: Ms) {
        while let Some(first) = (0..self.late.len()).min_by_key(|&n| self.late[n].0).filter(|&n| self.late[n].0 <= to) {
            let (at, write) = self.late.swap_remove(first);
            self.ec2.advance(at.max(self.ec2.now()));
            self.verify(at);
            write(self, at);
        }
        self.ec2.advance(to);
        self.verify(to);
        if self.next_expiry <= to {
            self.table.expire(to);
            self.next_expiry = to + HOUR;
        }
    }

    /// A process begins.
    pub(crate) fn born(&mut self, phase: Phase, at: Ms) -> usize {
        self.lives.push(Life { began: at, ended: None });
        self.phases_of.push(phase);
        self.lives.len() - 1
    }

    /// A process ends.
    pub(crate) fn over(&mut self, process: usize, at: Ms) {
        self.lives[process].ended = Some(at);
        self.waits.over(process);
        self.asked_of.retain(|(of, ..)| *of != process);
    }

    /// Lets a write take effect later.
    pub(crate) fn later(&mut self, at: Ms, write: impl FnOnce(&mut Self, Ms) + 'static) {
        self.late.push((at, Box::new(write)));
    }

    /// A write of an obligation: by a process, or by the verifier.
    pub(crate) fn write(&mut self, process: Option<usize>, obligation: &Obligation, at: Ms) -> Written {
        let shown = at + self.lag();
        let written = self.table.write(obligation, shown);
        if written == Written::Done {
            self.writers.insert(obligation.identity.clone(), process);
            self.waits.written(obligation, at);
            self.end_written(process, obligation, at);
        } else {
            self.ec2.laws.count("write-stale");
        }
        written
    }

    pub(crate) fn write_turn(&mut self, region: &Region, turn: &Turn) -> Written {
        let before = self.table.turns(region).into_iter().find(|before| before.account == turn.account);
        let written = self.table.write_turn(region, turn);
        if written == Written::Done && before.is_some_and(|before| before.tried != turn.tried) {
            self.waits.had_its_turn(number(region), &turn.account);
        }
        written
    }

    fn lag(&mut self) -> Ms {
        let lag = self.ec2.weather.lag;
        if self.ec2.rng.u32(0..10) == 0 { self.ec2.rng.i64(0..=lag) } else { self.ec2.rng.i64(0..=lag / 20) }
    }

    /// A request reaches EC2: the table must hold a fresh intent of the same process.
    pub(crate) fn is_asked(&mut self, process: usize, identity: &Identity, skew: Ms, at: Ms) {
        let region = number(&identity.region);
        let item = self.table.obligation(identity).map(|item| item.obligation);
        let intent = item.as_ref().and_then(|item| match item.state {
            State::Asked { at } => Some(ms(at) - skew),
            _ => None,
        });
        let is_fresh = intent.is_some_and(|intent| (at - 31 * SECOND..=at).contains(&intent));
        let is_its_own = self.writers.get(identity) == Some(&Some(process));
        if !(is_fresh && is_its_own) && at > self.meddled + MINUTE {
            let stands = item.map(|item| item.state);
            let what = format!("{} in {}: the table holds {stands:?}", identity.source, REGIONS[region]);
            self.ec2.laws.breach("unasked", at, &what);
        }
        // Whose turn it is is told by clocks: one that is minutes off upsets the order for as long.
        if let Some(item) = self.table.obligation(identity).filter(|_| self.ec2.weather.skew <= SECOND) {
            let began = self.lives[process].began;
            let turns = self.table.turns(&identity.region);
            let has_turn = |account: &AccountId| turns.iter().any(|turn| turn.account == *account);
            self.keeps_order(process, &item.obligation, at);
            let (account, lineage) = (item.obligation.account.clone(), item.obligation.lineage.clone());
            self.asked_of.insert((process, region, account, lineage));
            let (ec2, asked_of) = (&self.ec2, &self.asked_of);
            let busy = ec2.busy(region, began - MINUTE);
            let is_free = |identity: &Identity| {
                let source = ec2.number(&identity.source).map(|number| ec2.sources[number].fact());
                !ec2.are_increments()
                    || source.is_none_or(|source| {
                        let database = (source.owner.clone(), source.volume.clone());
                        !busy.contains(&database) && !asked_of.contains(&(process, region, database.0, database.1))
                    })
            };
            for what in self.waits.tried(process, began, &item.obligation, has_turn, is_free) {
                self.ec2.laws.breach("starved", at, &what);
            }
        }
    }

    /// A day after all was calm: nothing that was edited may still want for its copy.
    pub(crate) fn delayed(&mut self, phase: Phase, at: Ms) {
        for missing in laws::missing(&self.ec2, phase, at) {
            let source = self.ec2.sources[missing.source].id().clone();
            let is_edited = self.poisoned.keys().any(|edited| edited.source == source && wish(edited) == missing.wish);
            if is_edited {
                self.ec2.laws.breach("delayed", at, &format!("{source} for {:?}", missing.wish));
            }
        }
    }

    /// A record was put into the audit.
    pub(crate) fn noted(&mut self, record: &Record, at: Ms) {
        if let Some(sweep) = &record.sweep {
            self.is_told(sweep, at);
            self.swept = Some((at, sweep.clone()));
        }
    }

    /// All that the table held is gone.
    pub(crate) fn empty_table(&mut self, at: Ms) {
        let ec2 = &mut self.ec2;
        let hidden = |number: &&usize| ec2.copies[**number].shown_from > at;
        let hidden: Vec<_> =
            ec2.identities.iter().filter(|(_, all)| all.iter().any(|number| hidden(&number))).collect();
        // A name is taken whatever is shown, while the copy is not behind one that came to nothing.
        let is_named = |all: &&Vec<usize>| ec2.kind.is_of_databases() && all.len() == 1;
        let hidden = hidden.into_iter().filter(|(_, all)| !is_named(all)).map(|(identity, _)| *identity);
        ec2.laws.excused.extend(hidden.collect::<Vec<_>>());
        ec2.laws.count("table-emptied");
        self.table.empty();
        self.writers.clear();
        self.waits.forget();
        self.meddled = at;
    }
}
