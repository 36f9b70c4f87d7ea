//! Which snapshots pass a policy's filters.

use crate::facts::{SourceKind, SourceSnapshot};
use crate::policy::Policy;

/// Whether a snapshot is of a kind that a policy copies, and passes its filter for that kind.
#[must_use]
pub fn takes(policy: &Policy, snapshot: &SourceSnapshot) -> bool {
    policy.source_types.contains(&snapshot.source_type())
        && match &snapshot.kind {
            SourceKind::Volume => policy.description.matches(&snapshot.description),
            SourceKind::Instance(it) | SourceKind::Cluster(it) => {
                policy.databases.takes(&it.snapshot, &it.database, &it.engine)
            }
        }
}
