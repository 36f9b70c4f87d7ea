//! What a policy says of databases: `DatabaseFilter`, and what its targets cannot have when it copies their snapshots.

use std::collections::BTreeSet;
use std::fmt;

use regex_automata::meta::Regex;

use super::description;
use super::path::{Path, Problem, quoted};
use super::raw;
use super::target::{Encryption, Target};
use crate::kind::SourceType;

/// The most characters of an engine's name. The longest of RDS's own has 28 (RDS API reference, `CreateDBInstance`, `Engine`).
const MAX_ENGINE: usize = 64;

/// Which snapshots of databases a policy takes: those that pass every member.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DatabaseFilter {
    /// `SnapshotRegex`: by the snapshot's own name.
    pub snapshot: NameFilter,
    /// `DatabaseRegex`: by the name of the instance or cluster that it was made of.
    pub database: NameFilter,
    /// `Engines`: by their engine, as RDS calls it. Empty: of any that Snapferry copies.
    pub engines: BTreeSet<String>,
}

impl DatabaseFilter {
    /// Whether the snapshot of that name, of the instance or cluster `database` of `engine`, is taken.
    #[must_use]
    pub fn takes(&self, snapshot: &str, database: &str, engine: &str) -> bool {
        let is_of_engine = self.engines.is_empty() || self.engines.contains(engine);
        is_of_engine && !is_untried(engine) && self.snapshot.matches(snapshot) && self.database.matches(database)
    }
}

/// A regex that matches whole names; all names without one.
#[derive(Clone, Default)]
pub struct NameFilter(Option<(String, Regex)>);

impl NameFilter {
    /// Whether the whole of `name` matches.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        self.0.as_ref().is_none_or(|(_, regex)| regex.is_match(name))
    }

    /// The regex as the policy has it; `.*` when it has none.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_ref().map_or(".*", |(written, _)| written)
    }

    fn check(written: Option<String>, path: &Path) -> Result<Self, Problem> {
        let compile = |written: String| match written.as_str() {
            "" => Err(path.wrong("an empty text, which no name matches", "a regex, or absent, which means every name")),
            _ => description::whole(&written, path).map(|regex| (written, regex)),
        };
        written.map(compile).transpose().map(Self)
    }
}

impl PartialEq for NameFilter {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for NameFilter {}

impl fmt::Debug for NameFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NameFilter").field(&self.as_str()).finish()
    }
}

/// Reads the `DatabaseFilter` at `path` of a policy of `source_types`.
pub(super) fn check(
    filter: Option<raw::DatabaseFilter>,
    source_types: &BTreeSet<SourceType>,
    path: &Path,
) -> Result<DatabaseFilter, Problem> {
    let Some(filter) = filter else { return Ok(DatabaseFilter::default()) };
    if !source_types.iter().any(|source_type| source_type.is_of_databases()) {
        let message = "a filter of databases, but SourceTypes names none";
        return Err(path.wrong(message, "absent, or DB_SNAPSHOT or DB_CLUSTER_SNAPSHOT among SourceTypes"));
    }
    Ok(DatabaseFilter {
        snapshot: NameFilter::check(filter.snapshot_regex, &path.member("SnapshotRegex"))?,
        database: NameFilter::check(filter.database_regex, &path.member("DatabaseRegex"))?,
        engines: engines(filter.engines, &path.member("Engines"))?,
    })
}

fn engines(written: Option<Vec<String>>, path: &Path) -> Result<BTreeSet<String>, Problem> {
    let Some(written) = written else { return Ok(BTreeSet::new()) };
    let allowed = "engines as RDS calls them, such as [\"postgres\", \"aurora-mysql\"], or absent, which means all";
    if written.is_empty() {
        return Err(path.wrong("an empty array", allowed));
    }
    for (index, engine) in written.iter().enumerate() {
        let is_named = (1..=MAX_ENGINE).contains(&engine.len())
            && engine.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !is_named {
            return Err(path.item(index).wrong(quoted(engine), allowed));
        }
        if is_untried(engine) {
            let message = format!("{}, whose snapshots nobody has tried to copy across accounts", quoted(engine));
            return Err(path.item(index).wrong(message, "engines of RDS and Aurora"));
        }
    }
    Ok(written.into_iter().collect())
}

/// Whether snapshots of an engine are left out because nobody has tried to copy them across accounts: Neptune's and DocumentDB's,
/// which RDS's API answers, too.
#[must_use]
pub fn is_untried(engine: &str) -> bool {
    UNTRIED.iter().any(|untried| engine.starts_with(untried))
}

/// What such engines' names begin with.
const UNTRIED: [&str; 2] = ["docdb", "neptune"];

/// Checks the targets of a policy that copies snapshots of databases, each with its place.
pub(super) fn check_targets(targets: &[(Path, Target)]) -> Result<(), Problem> {
    for (path, target) in targets {
        if target.lock.is_some() {
            let message = "a lock, but RDS has none for the snapshots of databases that SourceTypes names";
            let allowed = "absent; what protects them is that no role of Snapferry may both copy and delete, and the guardrails \
                           of infra/scp. Locked copies of volumes are a policy of their own";
            return Err(path.member("LockRule").wrong(message, allowed));
        }
        if target.proof.is_some() {
            let message = "a proof by blocks, but nobody can read those of a database's snapshot";
            return Err(path.member("ProofRule").wrong(message, "absent; volumes may have a policy of their own"));
        }
        if target.completion_duration_minutes.is_some() {
            let message = "a duration, but RDS takes none";
            let path = path.member("CompletionDurationMinutes");
            return Err(path.wrong(message, "absent; volumes may have a policy of their own"));
        }
        // RDS API reference, `Tag`.
        if let Some(index) = target.tags.iter().position(|tag| tag.key.to_lowercase().starts_with("rds:")) {
            let path = path.member("TagsToAdd").item(index).member("Key");
            return Err(path.wrong("a key in the namespace rds:, which RDS keeps for itself", "keys outside of rds:"));
        }
        if target.encryption == Encryption::DefaultKey {
            let message =
                "missing, and RDS encrypts the copy of another account's snapshot only under a key that is named";
            let path = path.member("EncryptionConfiguration").member("CmkArn");
            return Err(path.wrong(message, format!("the ARN of a key in {}", target.region)));
        }
    }
    one_region_of_china(targets)
}

/// Snapshots are shared in one Region, so of two targets in China at least one is another (RDS User Guide, "Copying a DB snapshot").
fn one_region_of_china(targets: &[(Path, Target)]) -> Result<(), Problem> {
    let mut there = targets.iter().filter(|(_, target)| target.region.partition() == "aws-cn");
    match (there.next(), there.next()) {
        (Some((_, first)), Some((path, second))) => {
            let message = format!(
                "{} besides {}, but RDS copies no snapshots between the Regions of China",
                quoted(second.region.as_str()),
                first.region
            );
            Err(path.member("Target").wrong(message, "the Region in which they are shared alone"))
        }
        _ => Ok(()),
    }
}
