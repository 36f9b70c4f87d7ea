//! What goes wrong, where, when and how often.

use fastrand::Rng;

use crate::clock::{HOUR, MINUTE, Ms};

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
    /// Per cent of the invocations that are killed.
    pub(crate) kills: u32,
    /// Per cent of the events that never come.
    pub(crate) lost_events: u32,
    /// By Region: when nothing there answers.
    down: [Vec<(Ms, Ms)>; 3],
    /// By Region: when it answers reads, but not CopySnapshot.
    deaf: [Vec<(Ms, Ms)>; 3],
    /// By Region: when its keys are disabled.
    keys_off: [Vec<(Ms, Ms)>; 3],
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
        let (kills, lost_events) = (some(6), some(30));
        let mut windows = |count: usize, least: Ms, most: Ms| {
            let mut begin = |_| rng.i64(0..until);
            let begins: Vec<Ms> = (0..count).map(&mut begin).collect();
            begins.into_iter().map(|begin| (begin, (begin + rng.i64(least..most)).min(until))).collect()
        };
        let down = std::array::from_fn(|_| windows(2, 5 * MINUTE, 3 * HOUR));
        let deaf = std::array::from_fn(|_| windows(4, MINUTE, HOUR));
        let keys_off = std::array::from_fn(|_| windows(6, MINUTE, HOUR));
        Self { until, calls, reads, slow_reads, failing, wrong_key, kills, lost_events, down, deaf, keys_off }
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

    pub(crate) fn is_key_off(&self, region: usize, at: Ms) -> bool {
        within(&self.keys_off[region], at)
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
