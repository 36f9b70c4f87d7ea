//! What deserves a look in a policy's `DatabaseFilter`: members that let no snapshot of a database pass.

use serde_json::Value;
use snapferry_core::policy::{Policy, SourceType, nearest};

use super::filter;
use super::finding::{Finding, Level};
use super::outline::{Outline, member};

/// The engines of RDS and Aurora: the valid values of `Engine` (RDS API reference, CreateDBInstance and CreateDBCluster). Those that
/// Snapferry leaves out are errors, so Neptune's is not among them.
const ENGINES: [&str; 25] = [
    "aurora-mysql",
    "aurora-postgresql",
    "custom-oracle-ee",
    "custom-oracle-ee-cdb",
    "custom-oracle-se2",
    "custom-oracle-se2-cdb",
    "custom-sqlserver-dev",
    "custom-sqlserver-ee",
    "custom-sqlserver-se",
    "custom-sqlserver-web",
    "db2-ae",
    "db2-ce",
    "db2-se",
    "mariadb",
    "mysql",
    "oracle-ee",
    "oracle-ee-cdb",
    "oracle-se2",
    "oracle-se2-cdb",
    "postgres",
    "sqlserver-dev-ee",
    "sqlserver-ee",
    "sqlserver-ex",
    "sqlserver-se",
    "sqlserver-web",
];

/// Looks at one policy.
pub(crate) fn advise(policy: &Policy, outline: &Outline<'_>) -> Vec<Finding> {
    let Some(filter) = outline.database_filter() else { return Vec::new() };
    let path = member(&outline.parameters(), "DatabaseFilter");
    let engines = filter.get("Engines").and_then(Value::as_array).into_iter().flatten();
    let engines = engines.filter_map(Value::as_str).enumerate();
    let of_engines = engines.flat_map(|(index, engine)| of_engine(policy, engine, &format!("{path}.Engines[{index}]")));
    of_engines.chain(of_names(policy, &path)).collect()
}

fn of_engine(policy: &Policy, engine: &str, path: &str) -> Vec<Finding> {
    let warning = |code, message| Finding::new(Level::Warning, code, policy.name.as_str(), path.to_owned(), message);
    let Some(kinds) = kinds(engine) else {
        let meant =
            nearest(engine, ENGINES).map_or_else(|| ":".to_owned(), |meant| format!(", did you mean {meant:?}?"));
        let message = format!(
            "{engine:?}{meant} RDS's API lists no such engine, and only snapshots whose engine has exactly this name would pass by it"
        );
        return vec![Finding { allowed: Some(ENGINES.join(", ")), ..warning("engine-unknown", message) }];
    };
    let mut found = Vec::new();
    if let Some(kind) = kinds.first().filter(|_| !kinds.iter().any(|kind| policy.source_types.contains(kind))) {
        let message = format!(
            "{engine:?} is an engine whose snapshots are {}, which SourceTypes does not name, so none passes by it",
            kind.as_str()
        );
        found.push(warning("engine-kind", message));
    }
    // RDS API reference, CopyDBSnapshot.
    if engine.starts_with("custom-") {
        let message = format!(
            "{engine:?} is an engine of RDS Custom, whose snapshots RDS does not copy: each request is refused"
        );
        found.push(warning("engine-custom", message));
    }
    found
}

fn of_names(policy: &Policy, path: &str) -> Vec<Finding> {
    let (snapshot, database) = (policy.databases.snapshot.as_str(), policy.databases.database.as_str());
    let warning =
        |code, name, message| Finding::new(Level::Warning, code, policy.name.as_str(), member(path, name), message);
    let of_names = [("SnapshotRegex", snapshot, "snapshots"), ("DatabaseRegex", database, "instances and clusters")];
    let capital = of_names.into_iter().filter(|(_, regex, _)| filter::needs_a_capital(regex)).map(|(name, regex, whose)| {
        let message = format!(
            "{regex:?} matches only names with a capital letter, and RDS keeps the names of {whose} in lower case, so no \
             snapshot passes and nothing is copied; write it in lower case, or as {:?}, which takes both",
            format!("(?i){regex}")
        );
        warning("regex-capital", name, message)
    });
    let no_name = filter::begins_with(snapshot, &["rds:", "arn:"]).then(|| {
        let message = format!(
            "{snapshot:?} matches only what begins with rds: or arn:, so nothing is copied: it is held against the names of \
             snapshots, not against their ARNs, and those that RDS made and named itself (rds:…) cannot be shared"
        );
        warning("regex-no-name", "SnapshotRegex", message)
    });
    capital.chain(no_name).collect()
}

/// Of which kinds the snapshots of an engine are, if RDS knows it: Aurora has clusters alone, and of the others only these two have
/// clusters, too (RDS API reference, CreateDBCluster, `Engine`).
fn kinds(engine: &str) -> Option<&'static [SourceType]> {
    match engine {
        _ if !ENGINES.contains(&engine) => None,
        "mysql" | "postgres" => Some(&[SourceType::DbSnapshot, SourceType::DbClusterSnapshot]),
        _ if engine.starts_with("aurora-") => Some(&[SourceType::DbClusterSnapshot]),
        _ => Some(&[SourceType::DbSnapshot]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_has_the_kinds_that_rds_makes_of_it() {
        use SourceType::{DbClusterSnapshot, DbSnapshot};
        for (engine, expected) in [
            ("postgres", Some([DbSnapshot, DbClusterSnapshot].as_slice())),
            ("aurora-mysql", Some([DbClusterSnapshot].as_slice())),
            ("oracle-ee", Some([DbSnapshot].as_slice())),
            ("hsqldb", None),
        ] {
            assert_eq!(kinds(engine), expected, "{engine}");
        }
    }
}
