//! `SourceTypes`: which kinds of snapshots a policy is about.

use std::collections::BTreeSet;

use super::path::{Path, Problem};
use crate::kind::SourceType;

/// Reads the `SourceTypes` at `path`.
pub(super) fn check(written: Option<&[String]>, path: &Path) -> Result<BTreeSet<SourceType>, Problem> {
    let Some(written) = written else { return Ok([SourceType::EbsSnapshot].into()) };
    if written.is_empty() {
        let kinds = SourceType::ALL.map(SourceType::as_str).join(", ");
        return Err(path.wrong("an empty array", format!("one or more of {kinds}; absent it means EBS_SNAPSHOT")));
    }
    let allowed = SourceType::ALL.map(SourceType::as_str);
    let each = |(index, written): (usize, &String)| {
        let known = SourceType::ALL.into_iter().find(|known| known.as_str() == written);
        known.ok_or_else(|| path.item(index).none_of(&allowed, written))
    };
    written.iter().enumerate().map(each).collect()
}
