//! The two kinds of snapshots that RDS makes.

use crate::kind::SourceType;

/// A snapshot of an instance (`DBSnapshot`) or of a cluster (`DBClusterSnapshot`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Of a DB instance.
    Instance,
    /// Of a DB cluster, Aurora's or a Multi-AZ one.
    Cluster,
}

impl Kind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Instance, Self::Cluster];

    /// The kind as a policy has it.
    #[must_use]
    pub fn source_type(self) -> SourceType {
        match self {
            Self::Instance => SourceType::DbSnapshot,
            Self::Cluster => SourceType::DbClusterSnapshot,
        }
    }

    /// How many copies RDS makes at the same time for an account into a Region (RDS User Guide and Aurora User Guide,
    /// "Quotas and constraints").
    #[must_use]
    pub fn in_flight_limit(self) -> u32 {
        match self {
            Self::Instance => 20,
            Self::Cluster => 5,
        }
    }

    /// The `AccountQuotaName` of its manual snapshots (RDS API reference, `AccountQuota`).
    #[must_use]
    pub fn quota_name(self) -> &'static str {
        match self {
            Self::Instance => "ManualSnapshots",
            Self::Cluster => "ManualClusterSnapshots",
        }
    }

    /// The type of a snapshot in its ARN.
    #[must_use]
    pub fn arn_type(self) -> &'static str {
        match self {
            Self::Instance => "snapshot",
            Self::Cluster => "cluster-snapshot",
        }
    }
}
