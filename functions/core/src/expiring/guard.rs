//! A clock that is wrong by years must not empty the vault.

use std::fmt;

use crate::audit::CopyRefused;
use jiff::{SignedDuration, Timestamp};

/// So many copies may go at once whatever their share: below it a vault is too small for shares to mean anything.
pub const MASS: usize = 10;

/// How far this clock may be behind EC2's.
pub const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_mins(15);

/// Why nothing is deleted in this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alarm {
    /// The clock is behind EC2's by more than [`CLOCK_TOLERANCE`]: a copy was started in what it takes for the future.
    ClockBehind {
        /// When the newest copy was started.
        newest: Timestamp,
        /// How many copies would have been deleted, run by run.
        deletions: usize,
    },
    /// More than half of all verified copies would go at once.
    MassExpiry {
        /// Verified copies that would be deleted, run by run.
        expiring: usize,
        /// All verified copies.
        verified: usize,
        /// How many copies would have been deleted, run by run.
        deletions: usize,
    },
}

impl Alarm {
    /// The audit record's reason.
    #[must_use]
    pub fn reason(&self) -> CopyRefused {
        match self {
            Self::ClockBehind { .. } => CopyRefused::ClockBehind,
            Self::MassExpiry { .. } => CopyRefused::MassExpiry,
        }
    }

    /// How many copies would have been deleted, run by run.
    #[must_use]
    pub fn deletions(&self) -> usize {
        match self {
            Self::ClockBehind { deletions, .. } | Self::MassExpiry { deletions, .. } => *deletions,
        }
    }
}

impl fmt::Display for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClockBehind { newest, .. } => write!(
                f,
                "Nothing is deleted: the newest copy was started at {newest}, which is more than {} minutes later than now, so \
                 the clock cannot be right.",
                CLOCK_TOLERANCE.as_mins()
            ),
            Self::MassExpiry { expiring, verified, .. } => write!(
                f,
                "Nothing is deleted: {expiring} out of {verified} verified copies would go at once, which looks like a wrong \
                 clock or a mistaken policy."
            ),
        }?;
        f.write_str(
            " If this is what you want, set SNAPFERRY_ALLOW_MASS_EXPIRY (the stack's AllowMassExpiry) to true for as long as \
             it takes.",
        )
    }
}

/// What the guard counts over all Regions that could be read.
#[derive(Debug, Default)]
pub(super) struct Census {
    newest: Option<Timestamp>,
    verified: usize,
    expiring: usize,
}

impl Census {
    /// Notes when a copy that is decided on was started.
    pub(super) fn seen(&mut self, start_time: Timestamp) {
        self.newest = self.newest.max(Some(start_time));
    }

    /// Counts the verified copies of one lineage: those whose time is over, and those of them that would go. What is kept
    /// although its time is over is no deletion. Where all that are due are kept, they do not count at all: the last
    /// copies of lineages that went silent long ago would otherwise hide how much of the others goes.
    pub(super) fn lineage(&mut self, verified: usize, due: usize, expiring: usize) {
        self.verified += if expiring == 0 { verified.saturating_sub(due) } else { verified };
        self.expiring += expiring;
    }

    pub(super) fn alarm(&self, now: Timestamp, deletions: usize) -> Option<Alarm> {
        let Self { newest, verified, expiring } = *self;
        match newest {
            Some(newest) if newest.duration_since(now) > CLOCK_TOLERANCE => {
                Some(Alarm::ClockBehind { newest, deletions })
            }
            _ if expiring > MASS && expiring > verified / 2 => {
                Some(Alarm::MassExpiry { expiring, verified, deletions })
            }
            _ => None,
        }
    }
}
