//! Which shared snapshots of databases a policy wants, and which of them RDS cannot copy as it wants them.

use std::fmt;

use super::described::{AVAILABLE, Shared};
use super::kind::Kind;
use crate::ids::Region;
use crate::policy::{Encryption, Policy, PolicyState, SourceType, Target, UNTRIED};

/// Why a policy has nothing to do with a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unwanted {
    /// The policy's State is DISABLED.
    PolicyDisabled,
    /// Its kind is not in the policy's SourceTypes.
    TypeNotListed,
    /// Its owner is not in the policy's SnapshotOwner.
    OwnerNotListed,
    /// It is of an engine that is left out until somebody has tried it: Neptune's or DocumentDB's.
    EngineUntried,
    /// Its engine is not in the policy's DatabaseFilter.
    EngineNotListed,
    /// Its name does not match SnapshotRegex.
    SnapshotMismatch,
    /// Its instance's or cluster's name does not match DatabaseRegex.
    DatabaseMismatch,
    /// It is not available.
    NotAvailable,
}

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

impl fmt::Display for Uncopyable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
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
        })
    }
}

/// Why `policy` has nothing to do with `snapshot`, if it has not.
#[must_use]
pub fn unwanted(policy: &Policy, snapshot: &Shared) -> Option<Unwanted> {
    let arn = &snapshot.source.arn;
    let filter = &policy.databases;
    if policy.state == PolicyState::Disabled {
        Some(Unwanted::PolicyDisabled)
    } else if !policy.source_types.contains(&source_type(arn.kind)) {
        Some(Unwanted::TypeNotListed)
    } else if !policy.owners.contains(&arn.account) {
        Some(Unwanted::OwnerNotListed)
    } else if UNTRIED.iter().any(|engine| snapshot.engine.starts_with(engine)) {
        Some(Unwanted::EngineUntried)
    } else if !filter.takes_engine(&snapshot.engine) {
        Some(Unwanted::EngineNotListed)
    } else if !filter.snapshot.matches(&arn.name) {
        Some(Unwanted::SnapshotMismatch)
    } else if !filter.database.matches(&snapshot.database) {
        Some(Unwanted::DatabaseMismatch)
    } else if snapshot.status != AVAILABLE {
        Some(Unwanted::NotAvailable)
    } else {
        None
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

fn source_type(kind: Kind) -> SourceType {
    match kind {
        Kind::Instance => SourceType::DbSnapshot,
        Kind::Cluster => SourceType::DbClusterSnapshot,
    }
}
