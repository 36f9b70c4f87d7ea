//! `SourceTypes`: which kinds of snapshots a policy is about. This version copies one of them.

use serde_json::Value;

use super::path::{Path, Problem, quoted};

const VOLUMES: &str = "EBS_SNAPSHOT";

/// Words that are kept for snapshots of databases, so that nobody takes them for a misspelling.
const DATABASES: [&str; 2] = ["DB_SNAPSHOT", "DB_CLUSTER_SNAPSHOT"];

const NO_DATABASES: &str = "this version of Snapferry copies no snapshots of databases";

/// Checks `SourceTypes` and `DatabaseFilter` of the parameters at `path`. A policy that names databases is refused as a
/// whole: to copy its volumes only would let its author believe that the databases are copied, too.
pub(super) fn check(types: Option<&[String]>, filter: Option<&Value>, path: &Path) -> Result<(), Problem> {
    let allowed = format!("[\"{VOLUMES}\"], or absent, which means the same");
    if types.is_some_and(<[String]>::is_empty) {
        return Err(path.member("SourceTypes").wrong("an empty array", allowed));
    }
    for (index, written) in types.unwrap_or_default().iter().enumerate() {
        let path = path.member("SourceTypes").item(index);
        if DATABASES.contains(&written.as_str()) {
            return Err(path.wrong(format!("{}, but {NO_DATABASES}", quoted(written)), VOLUMES));
        }
        if written != VOLUMES {
            return Err(path.none_of(&[VOLUMES], written));
        }
    }
    match filter {
        None => Ok(()),
        Some(_) => {
            let message = format!("a filter of databases, but {NO_DATABASES}");
            Err(path.member("DatabaseFilter").wrong(message, "absent; DescriptionRegex is the filter of EBS snapshots"))
        }
    }
}
