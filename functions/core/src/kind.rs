//! The kinds of snapshots that there are copies of.

/// A kind of snapshot that a policy can be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SourceType {
    /// Of an EBS volume.
    EbsSnapshot,
    /// Of an RDS instance.
    DbSnapshot,
    /// Of a cluster, Aurora's or a Multi-AZ one.
    DbClusterSnapshot,
}

impl SourceType {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::EbsSnapshot, Self::DbSnapshot, Self::DbClusterSnapshot];

    /// The word in the document.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EbsSnapshot => "EBS_SNAPSHOT",
            Self::DbSnapshot => "DB_SNAPSHOT",
            Self::DbClusterSnapshot => "DB_CLUSTER_SNAPSHOT",
        }
    }

    /// Whether RDS makes such snapshots.
    #[must_use]
    pub fn is_of_databases(self) -> bool {
        match self {
            Self::EbsSnapshot => false,
            Self::DbSnapshot | Self::DbClusterSnapshot => true,
        }
    }
}
