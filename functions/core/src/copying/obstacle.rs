//! What keeps a snapshot that a policy wants from being copied to a target, until somebody changes something.

use super::CopyRequest;
use crate::audit::CopyRefused;
use crate::facts::{SourceKind, Storage};
use crate::ids::Region;
use crate::policy::Encryption;

/// What is in the way of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// The snapshot is kept where EC2 copies nothing from.
    Storage(Storage),
    /// A cluster's snapshot that is not encrypted, and a policy that wants its copy encrypted.
    UnencryptedCluster,
    /// The copy of a database's snapshot that is to be encrypted, and a policy that names no key for it.
    NoKey,
    /// A database's snapshot from one Region of China to the other.
    AcrossChina,
}

impl Obstacle {
    /// The audit record's reason.
    #[must_use]
    pub fn reason(self) -> CopyRefused {
        match self {
            Self::Storage(Storage::Outpost) => CopyRefused::SourceOnOutpost,
            Self::Storage(Storage::LocalZone) => CopyRefused::SourceInLocalZone,
            Self::Storage(Storage::Archive | Storage::Standard) => CopyRefused::SourceArchived,
            Self::UnencryptedCluster => CopyRefused::ClusterNotEncrypted,
            Self::NoKey => CopyRefused::KeyNotNamed,
            Self::AcrossChina => CopyRefused::RegionsOfChina,
        }
    }

    /// What it is, and what somebody does about it.
    #[must_use]
    pub fn problem(self) -> &'static str {
        match self {
            Self::Storage(storage) => storage.problem(),
            Self::UnencryptedCluster => {
                "RDS cannot encrypt the copy of an unencrypted cluster's snapshot, and it is not copied in the clear where the \
                 policy says Encrypted. Restore it in the source account into an encrypted cluster, and share that one's \
                 snapshots."
            }
            Self::NoKey => {
                "RDS encrypts the copy of another account's snapshot only under a key that the request names. Name a key of the \
                 target Region in CmkArn."
            }
            Self::AcrossChina => {
                "RDS copies no snapshots between the Regions of China. Name the Region in which they are shared as Target."
            }
        }
    }
}

/// What is in the way of the copy that is asked for, if anything is.
#[must_use]
pub fn obstacle(request: &CopyRequest<'_>) -> Option<Obstacle> {
    let source = request.source;
    let is_cluster = match source.kind {
        SourceKind::Volume => return Some(source.storage).filter(|at| *at != Storage::Standard).map(Obstacle::Storage),
        SourceKind::Instance(_) => false,
        SourceKind::Cluster(_) => true,
    };
    match (&request.target.encryption, source.encrypted) {
        _ if is_across_china(request.home, &request.target.region) => Some(Obstacle::AcrossChina),
        (Encryption::Key(_), false) if is_cluster => Some(Obstacle::UnencryptedCluster),
        (Encryption::Key(_), _) | (Encryption::AsSource, false) => None,
        // RDS has no default key as EBS does: without one in the request the copy of a plain snapshot would be plain.
        (Encryption::DefaultKey, _) | (Encryption::AsSource, true) => Some(Obstacle::NoKey),
    }
}

/// RDS copies nothing from one Region of China to another (RDS User Guide, "Copying a DB snapshot").
fn is_across_china(home: &Region, target: &Region) -> bool {
    home != target && [home, target].iter().any(|region| region.partition() == "aws-cn")
}
