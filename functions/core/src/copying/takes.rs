//! Which snapshots pass a policy's filters.

use crate::facts::{SourceKind, SourceSnapshot};
use crate::policy::{Policy, SourceType};

/// Whether a snapshot is of a kind that a policy copies, and passes its filter for that kind.
#[must_use]
pub fn takes(policy: &Policy, snapshot: &SourceSnapshot) -> bool {
    let (source_type, database) = match &snapshot.kind {
        SourceKind::Volume => (SourceType::EbsSnapshot, None),
        SourceKind::Instance(database) => (SourceType::DbSnapshot, Some(database)),
        SourceKind::Cluster(database) => (SourceType::DbClusterSnapshot, Some(database)),
    };
    policy.source_types.contains(&source_type)
        && match database {
            None => policy.description.matches(&snapshot.description),
            Some(it) => policy.databases.takes(&it.snapshot, &it.database, &it.engine),
        }
}
