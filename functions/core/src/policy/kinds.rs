//! `SourceTypes`: which kinds of snapshots a policy is about.

use std::collections::BTreeSet;

use super::path::{Path, Problem, quoted};
use crate::kind::SourceType;

/// Said where a policy that names databases is refused. To copy its volumes only would let its author believe that the databases
/// are copied, too.
pub(super) const NO_DATABASES: &str = "this version of Snapferry copies no snapshots of databases";

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
