//! Which snapshots of databases RDS cannot copy as a policy wants them.

use super::described::Shared;
use super::kind::Kind;
use crate::ids::Region;
use crate::policy::{Encryption, Target};

/// Why a snapshot that is wanted cannot be copied to a target, until somebody changes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Uncopyable {
    /// A cluster's snapshot that is not encrypted, and a policy that wants its copy encrypted.
    UnencryptedCluster,
    /// A copy that is to be encrypted, and a policy that names no key for it.
    NoKey,
    /// From one Region of China to the other.
    AcrossChina,
}

impl Uncopyable {
    /// What is in the way, and what somebody does about it.
    #[must_use]
    pub fn remedy(self) -> &'static str {
        match self {
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

/// Why `snapshot` cannot be copied as `target` wants it, if it cannot.
#[must_use]
pub fn uncopyable(target: &Target, snapshot: &Shared) -> Option<Uncopyable> {
    let arn = &snapshot.source.arn;
    if is_across_china(&arn.region, &target.region) {
        return Some(Uncopyable::AcrossChina);
    }
    match (&target.encryption, snapshot.encrypted, arn.kind) {
        (Encryption::Key(_), false, Kind::Cluster) => Some(Uncopyable::UnencryptedCluster),
        (Encryption::Key(_), ..) | (Encryption::AsSource, false, _) => None,
        // RDS has no default key as EBS does: without one in the request the copy of a plain snapshot would be plain.
        (Encryption::DefaultKey, ..) | (Encryption::AsSource, true, _) => Some(Uncopyable::NoKey),
    }
}

/// Whether a copy would go from one Region of China to another, which RDS does not do (RDS User Guide, "Copying a DB
/// snapshot").
#[must_use]
pub fn is_across_china(home: &Region, target: &Region) -> bool {
    home != target && [home, target].iter().any(|region| region.partition() == "aws-cn")
}
