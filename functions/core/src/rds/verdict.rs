//! Whether an available copy is what was asked for.
//!
//! Only members that RDS documents as the copy's own decide. What else differs is noted: whether RDS keeps it is unproven.

use super::arn::SnapshotArn;
use super::described::{AVAILABLE, Own};
use super::tags::CopyTags;
use crate::ids::KeyArn;

/// What the copy has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// The source's ARN.
    pub source_arn: String,
    /// The key asked for; none for a copy in the clear.
    pub key: Option<KeyArn>,
    /// The source's `Engine`.
    pub engine: String,
    /// The source's `AllocatedStorage`, in GiB.
    pub allocated_storage: i32,
    /// The source's `EngineVersion`, where it is known.
    pub engine_version: Option<String>,
    /// The source's `DbiResourceId` or `DbClusterResourceId`, where it is known.
    pub resource_id: Option<String>,
}

impl Expected {
    /// What the snapshot `copy` has to be by its own tags: they stay when the source goes.
    #[must_use]
    pub fn of(copy: &SnapshotArn, tags: &CopyTags) -> Self {
        Self {
            source_arn: tags.source_of(copy).to_string(),
            key: tags.kms_key.clone(),
            engine: tags.source_engine.clone(),
            allocated_storage: tags.source_size_gib,
            engine_version: None,
            resource_id: tags.source_resource.clone(),
        }
    }
}

/// What rejects a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mismatch {
    /// It is not encrypted, although a key was asked for.
    Unencrypted,
    /// It is under another key.
    Key,
    /// It says that it is another snapshot's copy, or nobody's.
    Source,
    /// It is another engine's.
    Engine,
    /// It is of another size.
    AllocatedStorage,
}

/// What is noted and rejects nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Difference {
    /// `EngineVersion`.
    EngineVersion,
    /// `DbiResourceId` or `DbClusterResourceId`.
    ResourceId,
}

/// The mismatches and the differences of a copy that is `available`; none of a copy that is not, which is not judged.
#[must_use]
pub fn compare(expected: &Expected, shown: &Own) -> Option<(Vec<Mismatch>, Vec<Difference>)> {
    if shown.status != AVAILABLE {
        return None;
    }
    let unencrypted = expected.key.is_some() && !shown.encrypted;
    let mismatches = [
        (unencrypted, Mismatch::Unencrypted),
        (!unencrypted && expected.key.is_some() && shown.key != expected.key, Mismatch::Key),
        (shown.source_arn.as_ref() != Some(&expected.source_arn), Mismatch::Source),
        (shown.engine.as_ref() != Some(&expected.engine), Mismatch::Engine),
        (shown.allocated_storage != Some(expected.allocated_storage), Mismatch::AllocatedStorage),
    ];
    let differences = [
        (is_other(expected.engine_version.as_ref(), shown.engine_version.as_ref()), Difference::EngineVersion),
        (is_other(expected.resource_id.as_ref(), shown.resource_id.as_ref()), Difference::ResourceId),
    ];
    Some((holding(mismatches), holding(differences)))
}

fn is_other(expected: Option<&String>, shown: Option<&String>) -> bool {
    expected.is_some() && shown != expected
}

fn holding<T, const N: usize>(all: [(bool, T); N]) -> Vec<T> {
    all.into_iter().filter_map(|(holds, what)| holds.then_some(what)).collect()
}
