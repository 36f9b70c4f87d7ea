//! How an identity (a policy's wish for a copy of a snapshot in a Region) stands, by the copies there are of it. The copier,
//! the plan and the account of coverage all ask here, so that they cannot differ.

use crate::facts::{Copy, KeyLife};

/// How an identity stands. The order is that of urgency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// Its copies failed, were rejected, or are under a doomed key.
    Failed,
    /// There is no copy.
    Missing,
    /// A copy is under way, or waits for its verdict or its lock.
    InFlight,
    /// A copy is completed, verified, and locked if it should be.
    Protected,
}

impl Standing {
    /// All of them, the most urgent first.
    pub const ALL: [Self; 4] = [Self::Failed, Self::Missing, Self::InFlight, Self::Protected];

    /// Its name for machines.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Missing => "missing",
            Self::InFlight => "in-flight",
            Self::Protected => "protected",
        }
    }

    /// Whether somebody has to look at it.
    #[must_use]
    pub fn is_finding(self) -> bool {
        matches!(self, Self::Failed | Self::Missing)
    }
}

/// The copies of one identity, weighed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weighed<'c> {
    /// How the identity stands.
    pub standing: Standing,
    /// The copy that decides: the newest good one, else the newest live one, else the one that failed last.
    pub copy: Option<&'c Copy>,
    /// The other live ones: duplicates.
    pub others: Vec<&'c Copy>,
    /// Those that failed or were rejected, and those under a doomed key.
    pub dead: Vec<&'c Copy>,
}

/// Weighs the copies of one identity, in whatever order they come.
pub fn weigh<'c>(copies: impl IntoIterator<Item = &'c Copy>) -> Weighed<'c> {
    // One live copy is nearly always all there is, and costs no list.
    let (mut best, mut others, mut dead) = (None, Vec::new(), Vec::new());
    for copy in copies {
        match best {
            _ if !copy.is_live() => dead.push(copy),
            None => best = Some(copy),
            Some(other) if rank(copy) > rank(other) => others.push(best.replace(copy).unwrap_or(other)),
            Some(_) => others.push(copy),
        }
    }
    let standing = match best {
        Some(copy) if copy.is_protection() => Standing::Protected,
        Some(_) => Standing::InFlight,
        None if dead.is_empty() => Standing::Missing,
        None => Standing::Failed,
    };
    Weighed { standing, copy: best.or_else(|| dead.iter().copied().max_by_key(|copy| rank(copy))), others, dead }
}

fn rank(copy: &Copy) -> (bool, bool, jiff::Timestamp, &str) {
    (copy.is_protection(), copy.origin.life == KeyLife::Alive, copy.start_time, copy.id.as_str())
}
