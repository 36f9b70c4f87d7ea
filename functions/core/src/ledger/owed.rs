//! An obligation as it is told to those who only look: since when it is owed, and what it waits for.

use std::fmt;

use jiff::Timestamp;

use super::obligation::{End, Obligation, State};
use super::pauses::{HOLD, IN_VAIN, after};
use crate::facts::Lineage;
use crate::ids::{AccountId, SnapshotId};

/// What is told of an obligation; for which policy and Region says the place that it is kept in. Times are whole seconds, and none
/// of the past is later than now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owed {
    /// The source.
    pub source: SnapshotId,
    /// Of a database's snapshot its ARN.
    pub arn: Option<Box<str>>,
    /// The source's owner.
    pub account: AccountId,
    /// What the source is a snapshot of.
    pub lineage: Lineage,
    /// When the source was started.
    pub start: Timestamp,
    /// Since when its copy is wanted.
    pub since: Timestamp,
    /// What it waits for.
    pub wait: Wait,
    /// How often in a row its copy was refused.
    pub refused: u32,
    /// How often in a row it could not be told whether it may be copied.
    pub put_off: u32,
    /// How many of its copies failed or were rejected.
    pub failed: u32,
    /// Whether the last sweep did not see the source.
    pub is_gone: bool,
}

/// What an obligation waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wait {
    /// Its turn.
    InLine,
    /// The end of its pause, and then its turn.
    Delayed {
        /// When the pause ends.
        until: Timestamp,
    },
    /// The service's answer, or its copy.
    Asked {
        /// When it was asked for.
        at: Timestamp,
    },
    /// The verdict on its copy.
    Copying {
        /// The copy.
        copy: SnapshotId,
        /// When the service named it.
        at: Timestamp,
    },
    /// Nothing any more: its source went before there was a good copy.
    Missed {
        /// When that was told.
        at: Timestamp,
    },
}

impl Owed {
    /// What is told of an obligation at `now`; nothing of one that is protected or withdrawn.
    #[must_use]
    pub fn new(obligation: &Obligation, now: Timestamp) -> Option<Self> {
        // A time in the future counts as now, until a sweep puts it right.
        let repaired = obligation.repaired(now);
        let obligation = repaired.as_ref().unwrap_or(obligation);
        let past = |time: Timestamp| seconds(time.min(now));
        let wait = match &obligation.state {
            State::Owed => Wait::InLine,
            State::Delayed { .. } => Wait::Delayed { until: seconds(obligation.due()?) },
            State::Asked { at } => Wait::Asked { at: past(*at) },
            State::Copying { copy, at } => Wait::Copying { copy: copy.clone(), at: past(*at) },
            State::Ended { at, why: End::Missed, .. } => Wait::Missed { at: past(*at) },
            State::Ended { why: End::Protected | End::Withdrawn, .. } => return None,
        };
        Some(Self {
            source: obligation.identity.source.clone(),
            arn: obligation.arn.clone(),
            account: obligation.account.clone(),
            lineage: obligation.lineage.clone(),
            start: past(obligation.start),
            since: past(obligation.wanted),
            wait,
            refused: obligation.refused,
            put_off: obligation.put_off,
            failed: obligation.failed,
            is_gone: obligation.gone.is_some(),
        })
    }

    /// What its owner calls the source: a snapshot of a volume by its ID, one of a database by its ARN.
    #[must_use]
    pub fn name(&self) -> &str {
        self.arn.as_deref().unwrap_or_else(|| self.source.as_str())
    }

    /// As of [`Obligation::is_in_vain`].
    #[must_use]
    pub fn is_in_vain(&self) -> bool {
        self.failed >= IN_VAIN.0 || self.refused >= IN_VAIN.1
    }

    /// Whether it is over, and was missed.
    #[must_use]
    pub fn is_missed(&self) -> bool {
        matches!(self.wait, Wait::Missed { .. })
    }
}

impl Wait {
    /// Its name for machines.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::InLine => "in-line",
            Self::Delayed { .. } => "delayed",
            Self::Asked { .. } => "asked",
            Self::Copying { .. } => "copying",
            Self::Missed { .. } => "missed",
        }
    }

    /// Until when nothing is asked for, whatever is free.
    #[must_use]
    pub fn until(&self) -> Option<Timestamp> {
        match self {
            Self::Delayed { until } => Some(*until),
            Self::Asked { at } => Some(after(*at, HOLD)),
            Self::InLine | Self::Copying { .. } | Self::Missed { .. } => None,
        }
    }

    /// The copy that the service named.
    #[must_use]
    pub fn copy(&self) -> Option<&SnapshotId> {
        match self {
            Self::Copying { copy, .. } => Some(copy),
            Self::InLine | Self::Delayed { .. } | Self::Asked { .. } | Self::Missed { .. } => None,
        }
    }
}

/// Why it waits, in a sentence or two.
impl fmt::Display for Owed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let service = if self.arn.is_some() { "RDS" } else { "EC2" };
        match &self.wait {
            Wait::InLine if self.arn.is_some() => write!(
                f,
                "It stands in the Region's line and waits for its turn, or for the end of an older copy of its database."
            )?,
            Wait::InLine => write!(f, "It stands in the Region's line and waits for its turn.")?,
            Wait::Delayed { until } => {
                match (self.refused, self.failed) {
                    _ if self.put_off > 0 => write!(
                        f,
                        "{service} did not show the snapshot, or as not completed, or KMS did not answer for its key"
                    ),
                    (_, 0) => write!(f, "{service} refused its copy, or its key cannot encrypt"),
                    (0, _) => write!(f, "Its copy failed"),
                    _ => write!(f, "Its copy failed, and another was refused since"),
                }?;
                write!(
                    f,
                    ": it is asked for again after {until}, behind those that were not refused and did not fail."
                )?;
            }
            Wait::Asked { at } => {
                let until = after(*at, HOLD);
                write!(
                    f,
                    "It was asked for at {at}; without {service}'s answer its copy is looked for until {until}."
                )?;
            }
            // What a copy of a database is counted by is no name that RDS knows.
            Wait::Copying { at, .. } if self.arn.is_some() => {
                write!(f, "It is being copied since {at}, without a verdict yet.")?;
            }
            Wait::Copying { copy, at } => write!(f, "It is being copied as {copy} since {at}, without a verdict yet.")?,
            Wait::Missed { at } => {
                write!(
                    f,
                    "Two sweeps did not see the snapshot, which was told at {at}: it went before there was a good copy."
                )?;
            }
        }
        if self.is_gone && !self.is_missed() {
            write!(f, " The last sweep did not see the snapshot; if the next does not either, it is missed.")?;
        }
        Ok(())
    }
}

fn seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}
