//! Volumes and databases in words: what a text is about is called what it is.

use std::collections::BTreeSet;

use snapferry_core::policy::{Policy, SourceType};

use super::table::counted;

/// Whose snapshots something is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lineages {
    Volumes,
    Databases,
    Both,
}

impl Lineages {
    /// Those that policies copy.
    pub(crate) fn of_policies(policies: &[Policy]) -> Self {
        let kinds = || policies.iter().flat_map(|policy| &policy.source_types);
        Self::new(kinds().any(|kind| *kind == SourceType::EbsSnapshot), kinds().any(|kind| kind.is_of_databases()))
    }

    /// Those that have these IDs: a volume's own, or the resource ID of an instance or cluster.
    pub(crate) fn of_ids<'i>(ids: impl IntoIterator<Item = &'i str>) -> Self {
        let ids: BTreeSet<bool> = ids.into_iter().map(is_of_database).collect();
        Self::new(ids.contains(&false), ids.contains(&true))
    }

    /// Of no kind at all are volumes: so it was before there were databases.
    fn new(has_volumes: bool, has_databases: bool) -> Self {
        match (has_volumes, has_databases) {
            (_, false) => Self::Volumes,
            (false, true) => Self::Databases,
            (true, true) => Self::Both,
        }
    }

    /// One of them.
    pub(crate) fn one(self) -> &'static str {
        match self {
            Self::Volumes => "volume",
            Self::Databases => "database",
            Self::Both => "volume or database",
        }
    }

    /// Several.
    pub(crate) fn many(self) -> &'static str {
        match self {
            Self::Volumes => "volumes",
            Self::Databases => "databases",
            Self::Both => "volumes and databases",
        }
    }

    /// How many of each kind these are; each stands there once.
    pub(crate) fn counted<'i>(self, ids: impl IntoIterator<Item = &'i str>) -> String {
        let (databases, volumes): (Vec<&str>, Vec<&str>) = ids.into_iter().partition(|id| is_of_database(id));
        let (volumes, databases) = (counted(volumes.len(), "volume"), counted(databases.len(), "database"));
        match self {
            Self::Volumes => volumes,
            Self::Databases => databases,
            Self::Both => format!("{volumes} and {databases}"),
        }
    }
}

/// How many of each kind these are, of the kinds that are among them.
pub(crate) fn each_counted<'i>(ids: impl IntoIterator<Item = &'i str> + Clone) -> String {
    Lineages::of_ids(ids.clone()).counted(ids)
}

/// Whether it is the resource ID of an instance or cluster.
pub(crate) fn is_of_database(id: &str) -> bool {
    !id.is_empty() && !id.starts_with("vol-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_called_what_it_is() {
        assert_eq!(each_counted([]), "0 volumes");
        assert_eq!(each_counted(["vol-1"]), "1 volume");
        assert_eq!(each_counted(["db-A", "cluster-A"]), "2 databases");
        assert_eq!(each_counted(["db-A", "vol-1", "vol-2"]), "2 volumes and 1 database");
        assert_eq!(Lineages::of_ids(["vol-1", "db-A"]).counted(["vol-1"]), "1 volume and 0 databases");
        let words = |ids: &[&str]| {
            let these = Lineages::of_ids(ids.iter().copied());
            (these.one(), these.many())
        };
        assert_eq!(words(&["vol-1"]), ("volume", "volumes"));
        assert_eq!(words(&["cluster-1"]), ("database", "databases"));
        assert_eq!(words(&["vol-1", "cluster-1"]), ("volume or database", "volumes and databases"));
    }
}
