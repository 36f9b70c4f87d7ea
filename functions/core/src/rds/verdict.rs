//! Whether an available copy is what was asked for.
//!
//! Only members that RDS documents as the copy's own decide. What else differs is noted: whether RDS keeps it is unproven.

use super::described::{AVAILABLE, Own};
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
    /// The source's `EngineVersion`.
    pub engine_version: Option<String>,
    /// The source's `DbiResourceId` or `DbClusterResourceId`.
    pub resource_id: Option<String>,
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
        (shown.engine_version != expected.engine_version, Difference::EngineVersion),
        (shown.resource_id != expected.resource_id, Difference::ResourceId),
    ];
    Some((holding(mismatches), holding(differences)))
}

fn holding<T, const N: usize>(all: [(bool, T); N]) -> Vec<T> {
    all.into_iter().filter_map(|(holds, what)| holds.then_some(what)).collect()
}
