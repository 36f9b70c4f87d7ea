//! What `SnapshotQuotaExceeded` means: RDS says the same of a Region that is busy and of one that is full.

/// How many manual snapshots of a kind an account has in a Region, and may have (RDS API reference, `AccountQuota`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// `Used`.
    pub used: u64,
    /// `Max`.
    pub max: u64,
}

/// Why RDS took no further copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// As many copies run as may: it is asked for again when one has ended.
    InFlight,
    /// The quota of manual snapshots is used up: no wait helps, only a higher quota or fewer snapshots.
    ManualSnapshots,
    /// Nobody could read the usage. It is asked for again like [`Self::InFlight`], and said to be unknown.
    Unknown,
}

/// Why RDS refused, by the usage that was read after the refusal.
#[must_use]
pub fn refusal(usage: Option<Usage>) -> Refusal {
    match usage {
        None => Refusal::Unknown,
        Some(Usage { used, max }) if used >= max => Refusal::ManualSnapshots,
        Some(_) => Refusal::InFlight,
    }
}
