//! `SourceTypes`: which kinds of snapshots a policy is about.

use std::collections::BTreeSet;

use super::path::{Path, Problem, quoted};

/// Said where a policy that names databases is refused. To copy its volumes only would let its author believe that the databases
/// are copied, too.
pub(super) const NO_DATABASES: &str = "this version of Snapferry copies no snapshots of databases";

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

/// What a policy may say of databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Databases {
    /// Nothing.
    Refused,
    /// Which of them are copied.
    Taken,
}

impl Databases {
    fn allows(self, source_type: SourceType) -> bool {
        match self {
            Self::Refused => !source_type.is_of_databases(),
            Self::Taken => true,
        }
    }
}

/// Reads the `SourceTypes` at `path`.
pub(super) fn check(
    written: Option<&[String]>,
    databases: Databases,
    path: &Path,
) -> Result<BTreeSet<SourceType>, Problem> {
    let allowed = SourceType::ALL.into_iter().filter(|it| databases.allows(*it)).map(SourceType::as_str);
    let allowed: Vec<&str> = allowed.collect();
    let Some(written) = written else { return Ok([SourceType::EbsSnapshot].into()) };
    if written.is_empty() {
        return Err(path.wrong("an empty array", "[\"EBS_SNAPSHOT\"], or absent, which means the same"));
    }
    let each = |(index, written): (usize, &String)| {
        let path = path.item(index);
        match SourceType::ALL.into_iter().find(|known| known.as_str() == written) {
            None => Err(path.none_of(&allowed, written)),
            Some(known) if databases.allows(known) => Ok(known),
            Some(_) => Err(path.wrong(format!("{}, but {NO_DATABASES}", quoted(written)), allowed.join(", "))),
        }
    };
    written.iter().enumerate().map(each).collect()
}
