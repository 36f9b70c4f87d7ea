//! Worlds that are not as the steps have to rely on, or runs that leave out what they have to do: each has to break a law, so
//! that no law is empty.

use snapferry_core::policy::SourceType;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mistake {
    /// An intent counts as written and is not.
    LosesIntents,
    /// Who comes too late is told that the item stands as written.
    TakesStaleForDone,
    /// No copy is ever shown.
    HidesCopies,
    /// No copy that failed is ever shown.
    HidesFailures,
    /// A sweep finds nothing in the ledger: what was edited there is not put back.
    ReadsNoObligations,
    /// What was shared once is always found by its ID.
    FindsWhatIsGone,
    /// An end counts as written and is not.
    LosesEnds,
    /// Ends are written and not told.
    TellsNoEnds,
    /// What stands in no line passes for what stands in its own.
    NeverRepairs,
    /// The turns of one account are not found.
    PassesOver,
    /// The process does not see its time pass.
    StoppedClock,
    /// A request without an answer is sent once more.
    RetriesBlindly,
    /// That a Region is full passes for a refusal.
    MisreadsFull,
    /// Each invocation has forgotten what was said.
    RepeatsNotices,
    /// Every description is taken.
    CopiesUnasked,
    /// No sweep ever comes.
    NeverSweeps,
    /// Copies that came to nothing do not count as attempts: their names are asked for again.
    CountsNoDead,
    /// Whatever has a copy's name passes for it.
    TakesNamesForCopies,
    /// Nobody looks whether another copy of the same database is under way.
    LeavesTurnsOut,
    /// The line of an instance is read with the newest first.
    TakesTheNewestOfAnInstance,
    /// The line of a cluster is read with the oldest first.
    TakesTheOldestOfACluster,
    /// A cluster passes for an instance, so that its snapshots wait for each other.
    TakesClustersForInstances,
}

impl Mistake {
    /// The kind of snapshots with which it is made.
    pub(crate) fn kind(self) -> SourceType {
        match self {
            Self::CountsNoDead
            | Self::TakesNamesForCopies
            | Self::LeavesTurnsOut
            | Self::TakesTheNewestOfAnInstance => SourceType::DbSnapshot,
            Self::TakesTheOldestOfACluster | Self::TakesClustersForInstances => SourceType::DbClusterSnapshot,
            _ => SourceType::EbsSnapshot,
        }
    }
}
