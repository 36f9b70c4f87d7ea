//! What waits and has no copy must be in each sweep's counts, with its age, whatever could not be read.

use snapferry_core::audit::Sweep;
use snapferry_core::ledger::{Obligation, State};

use crate::clock::{HOUR, MINUTE, Ms, SECOND, ms};
use crate::cloud::Cloud;
use crate::copies::{Copy, Identity};
use crate::ends::wish;
use crate::policies::Phase;

/// A round that is older was given up.
const A_ROUND: Ms = 3 * HOUR;

/// What some document of the run does not want is left out.
const ALL_OFF: Phase = Phase { is_production_off: true, is_ben_out: true, is_target_out: true };

impl Cloud {
    /// A sweep tells of at least all that waits since before it began.
    pub(crate) fn is_told(&mut self, sweep: &Sweep, at: Ms) {
        // A round that was edited meanwhile may have lost a part.
        if self.meddled > at - A_ROUND {
            return;
        }
        let waiting: Vec<Ms> = self.table.all().filter(|open| self.waits_for_long(open, at)).map(since).collect();
        let Some(first) = waiting.iter().min() else { return };
        self.ec2.laws.count("sweeps-with-long-waits");
        let age = (at - first - 15 * MINUTE) / SECOND;
        let is_old = sweep.oldest_unprotected_seconds.is_some_and(|oldest| oldest >= age);
        if !is_old || sweep.unprotected < u64::try_from(waiting.len()).unwrap_or(u64::MAX) {
            let what = format!("{} wait, the first for {age} s, and the sweep tells {sweep:?}", waiting.len());
            self.ec2.laws.breach("silent", at, &what);
        }
    }

    fn waits_for_long(&self, open: &Obligation, at: Ms) -> bool {
        let waits = matches!(open.state, State::Owed | State::Delayed { .. }) && since(open) < at - A_ROUND;
        let Some(source) = self.ec2.number(&open.identity.source).filter(|_| waits) else { return false };
        let wish = wish(&open.identity);
        ALL_OFF.wants(self.ec2.sources[source].owner(), wish)
            && !self.poisoned.contains_key(&open.identity)
            && !self.ec2.copies_of(&Identity { source, wish }).any(Copy::is_live)
    }
}

fn since(open: &Obligation) -> Ms {
    ms(open.wanted)
}
