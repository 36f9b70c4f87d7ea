//! A clock that is wrong by years must not empty the vault.

use std::fmt;

use jiff::Timestamp;

/// So many copies may be due at once whatever their share: below it a vault is too small for shares to mean anything.
pub const MASS: usize = 10;

/// Why nothing is deleted in this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alarm {
    /// The clock is behind EC2's: a copy was started in what it takes for the future.
    ClockBehind {
        /// When the newest copy was started.
        newest: Timestamp,
        /// How many copies would have been deleted, run by run.
        deletions: usize,
    },
    /// More than half of all verified copies are due at once.
    MassExpiry {
        /// Verified copies whose time is over.
        due: usize,
        /// All verified copies.
        verified: usize,
        /// How many copies would have been deleted, run by run.
        deletions: usize,
    },
}

impl Alarm {
    /// The audit record's reason.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::ClockBehind { .. } => "clock-behind",
            Self::MassExpiry { .. } => "mass-expiry",
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
                "Nothing is deleted: the newest copy was started at {newest}, which is later than now, so the clock cannot \
                 be right."
            ),
            Self::MassExpiry { due, verified, .. } => write!(
                f,
                "Nothing is deleted: the time of {due} out of {verified} verified copies is over at once, which looks like a \
                 wrong clock or a mistaken policy."
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
    due: usize,
}

impl Census {
    /// Notes when the newest copy of a Region was started.
    pub(super) fn seen(&mut self, newest: Option<Timestamp>) {
        self.newest = self.newest.max(newest);
    }

    /// Counts the verified copies of one volume. Where all that are due stay as its last ones, they count neither as due
    /// nor at all: volumes that went silent long ago would otherwise stop the expiry of all others for good.
    pub(super) fn volume(&mut self, verified: usize, due: usize, deletions: usize) {
        if deletions == 0 {
            self.verified += verified.saturating_sub(due);
        } else {
            self.verified += verified;
            self.due += due;
        }
    }

    pub(super) fn alarm(&self, now: Timestamp, deletions: usize) -> Option<Alarm> {
        let Self { newest, verified, due } = *self;
        match newest {
            Some(newest) if now < newest => Some(Alarm::ClockBehind { newest, deletions }),
            _ if due > MASS && due > verified / 2 => Some(Alarm::MassExpiry { due, verified, deletions }),
            _ => None,
        }
    }
}
