//! What goes wrong, where, when and how often.

use fastrand::Rng;

use crate::clock::{HOUR, MINUTE, Ms, SECOND};

/// What happens to one CopySnapshot call on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    Throttled,
    /// A 5xx answer, and nothing happened.
    ErrorBefore,
    /// A 5xx answer, and the copy was started all the same.
    ErrorAfter,
    DroppedBefore,
    /// The connection broke after EC2 had started the copy.
    DroppedAfter,
    HungBefore,
    /// No answer in time, and EC2 starts the copy sooner or later.
    HungAfter,
}

/// What happens to one write to the table on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WriteFault {
    None,
    /// It was not carried out, and nobody said so.
    LostBefore,
    /// It was carried out, and nobody said so.
    LostAfter,
    /// It is carried out a little after it was given up.
    LostLate,
}

/// The faults of one run. From `until` on everything works.
#[derive(Debug)]
pub(crate) struct Weather {
    pub(crate) until: Ms,
    /// Per cent of the CopySnapshot calls that meet each fault.
    calls: [(Fault, u32); 7],
    /// Per cent of the reads that fail.
    reads: u32,
    /// Per cent of the reads that are slow.
    pub(crate) slow_reads: u32,
    /// Per cent of the copies that EC2 starts and gives up on.
    pub(crate) failing: u32,
    /// Per mille of the copies that come out under another key than the one asked for.
    pub(crate) wrong_key: u32,
    /// Per cent of the invocations that are killed, if they come as far as that.
    pub(crate) kills: u32,
    /// Per cent of the events that never come.
    pub(crate) lost_events: u32,
    /// By Region: when nothing there answers.
    down: [Vec<(Ms, Ms)>; 3],
    /// By Region: when it answers reads, but not CopySnapshot.
    deaf: [Vec<(Ms, Ms)>; 3],
    /// By Region: when its keys are disabled.
    keys_off: [Vec<(Ms, Ms)>; 3],
    /// By Region: when its keys wait for their deletion, until somebody cancels it.
    keys_doomed: [Vec<(Ms, Ms)>; 3],
    /// By Region: when others' manual snapshots use up the quota of databases' ones.
    quota_used: [Vec<(Ms, Ms)>; 3],
    /// When what one owner shares cannot be read.
    owner_off: [(Ms, Ms); 3],
    /// When the table does not answer.
    table_off: Vec<(Ms, Ms)>,
    /// Per mille of the table's reads that fail, and of its writes whose answer is lost.
    pub(crate) table: u32,
    /// The index lags by at most that long.
    pub(crate) lag: Ms,
    /// Per cent of the invocations during which another one runs.
    pub(crate) second: u32,
    /// Per mille of the calls that take minutes.
    pub(crate) stalls: u32,
    /// How long EC2 hides a copy at most that it named in its answer.
    pub(crate) hides: Ms,
    /// What fits into memory; at times so little that all that is shared does not.
    pub(crate) records: usize,
    /// Whether EC2 cuts pages before it filters.
    pub(crate) cuts_first: bool,
    /// By how much a process's clock may be off.
    pub(crate) skew: Ms,
}

impl Weather {
    /// All faults at once, each as bad as chance has it.
    pub(crate) fn new(rng: &mut Rng, until: Ms) -> Self {
        let mut some = |most: u32| if rng.u32(0..3) == 0 { most } else { rng.u32(1..=most) };
        let calls = [
            (Fault::Throttled, some(30)),
            (Fault::ErrorBefore, some(6)),
            (Fault::ErrorAfter, some(6)),
            (Fault::DroppedBefore, some(4)),
            (Fault::DroppedAfter, some(4)),
            (Fault::HungBefore, some(4)),
            (Fault::HungAfter, some(4)),
        ];
        let (reads, slow_reads, failing, wrong_key) = (some(10), some(30), some(15), some(20));
        let (kills, lost_events) = (10 + some(20), some(30));
        let (table, second, stalls) = (some(20), some(8), some(4));
        // A hold is as long as EC2 hides a copy, with little room: where clocks are minutes off, EC2 shows copies sooner.
        let (hides, skew) = if rng.u32(0..3) == 0 { (4 * MINUTE, 5 * MINUTE) } else { (9 * MINUTE, SECOND) };
        let lag = [50, 3 * SECOND, 10 * SECOND][rng.usize(0..3)];
        let (records, cuts_first) = ([100_000, 700][rng.usize(0..2)], rng.bool());
        let mut windows = |count: usize, least: Ms, most: Ms| {
            let mut begin = |_| rng.i64(0..until);
            let begins: Vec<Ms> = (0..count).map(&mut begin).collect();
            begins.into_iter().map(|begin| (begin, (begin + rng.i64(least..most)).min(until))).collect()
        };
        let down = std::array::from_fn(|_| windows(2, 5 * MINUTE, 3 * HOUR));
        let deaf = std::array::from_fn(|_| windows(4, MINUTE, HOUR));
        let keys_off = std::array::from_fn(|_| windows(6, MINUTE, HOUR));
        let keys_doomed = std::array::from_fn(|_| windows(1, 10 * MINUTE, 2 * HOUR));
        let table_off = windows(4, MINUTE, HOUR);
        let mut apart = Rng::with_seed(rng.get_seed());
        let mut owner_off = |from: Ms| (from, (from + apart.i64(10 * MINUTE..6 * HOUR)).min(until));
        let owner_off = [0, until / 3, until / 2].map(&mut owner_off);
        let mut quotas = Rng::with_seed(!rng.get_seed());
        let mut quota_used = |_| {
            let from = quotas.i64(0..until);
            vec![(from, (from + quotas.i64(10 * MINUTE..3 * HOUR)).min(until))]
        };
        let quota_used = std::array::from_fn(&mut quota_used);
        Self {
            until,
            calls,
            reads,
            slow_reads,
            failing,
            wrong_key,
            kills,
            lost_events,
            down,
            deaf,
            keys_off,
            keys_doomed,
            quota_used,
            owner_off,
            table_off,
            table,
            lag,
            second,
            stalls,
            hides,
            records,
            cuts_first,
            skew,
        }
    }

    pub(crate) fn is_calm(&self, at: Ms) -> bool {
        at >= self.until
    }

    pub(crate) fn is_down(&self, region: usize, at: Ms) -> bool {
        within(&self.down[region], at)
    }

    /// Whether no CopySnapshot is answered there.
    pub(crate) fn is_deaf(&self, region: usize, at: Ms) -> bool {
        self.is_down(region, at) || within(&self.deaf[region], at)
    }

    /// Whether its keys encrypt nothing.
    pub(crate) fn is_key_off(&self, region: usize, at: Ms) -> bool {
        within(&self.keys_off[region], at) || self.is_key_doomed(region, at)
    }

    pub(crate) fn is_key_doomed(&self, region: usize, at: Ms) -> bool {
        within(&self.keys_doomed[region], at)
    }

    /// Whether RDS takes no further manual snapshot there, whatever is in flight.
    pub(crate) fn is_quota_used(&self, region: usize, at: Ms) -> bool {
        within(&self.quota_used[region], at)
    }

    /// Whether what that one owner shares cannot be read.
    pub(crate) fn is_owner_off(&self, at: Ms) -> bool {
        within(&self.owner_off, at)
    }

    pub(crate) fn is_table_off(&self, at: Ms) -> bool {
        within(&self.table_off, at)
    }

    /// Whether the table does not say what is asked of it.
    pub(crate) fn table_fails(&self, rng: &mut Rng, at: Ms) -> bool {
        self.is_table_off(at) || !self.is_calm(at) && rng.u32(0..1000) < self.table
    }

    /// What happens to a write to the table.
    pub(crate) fn write(&self, rng: &mut Rng, at: Ms) -> WriteFault {
        if self.is_table_off(at) {
            return WriteFault::LostBefore;
        }
        if self.is_calm(at) || rng.u32(0..1000) >= self.table {
            return WriteFault::None;
        }
        [WriteFault::LostBefore, WriteFault::LostAfter, WriteFault::LostLate][rng.usize(0..3)]
    }

    /// Whether a read in `region` fails.
    pub(crate) fn read_fails(&self, rng: &mut Rng, region: usize, at: Ms) -> bool {
        self.is_down(region, at) || self.happens(rng, at, self.reads)
    }

    /// Whether something that happens in so many of a hundred cases happens now.
    pub(crate) fn happens(&self, rng: &mut Rng, at: Ms, per_cent: u32) -> bool {
        !self.is_calm(at) && rng.u32(0..100) < per_cent
    }

    /// What happens to a call that reaches its Region.
    pub(crate) fn call(&self, rng: &mut Rng, at: Ms) -> Fault {
        if self.is_calm(at) {
            return Fault::None;
        }
        let mut dice = rng.u32(0..100);
        for (fault, per_cent) in self.calls {
            match dice.checked_sub(per_cent) {
                Some(left) => dice = left,
                None => return fault,
            }
        }
        Fault::None
    }
}

fn within(windows: &[(Ms, Ms)], at: Ms) -> bool {
    windows.iter().any(|(from, until)| (*from..*until).contains(&at))
}
