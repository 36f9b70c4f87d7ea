//! Which build of Snapferry this is.
//!
//! `make dist` names version and commit in the environment of the compiler; any other build has the workspace's version
//! and no commit, so that not every commit compiles everything again.

use std::sync::LazyLock;

const VERSION: &str = match option_env!("SNAPFERRY_VERSION") {
    Some(version) => version,
    None => env!("CARGO_PKG_VERSION"),
};
const COMMIT: Option<&str> = option_env!("SNAPFERRY_COMMIT");

/// The build as a semantic version, the commit being its build metadata: `0.1.0+abcdef123456`.
#[must_use]
pub fn semantic() -> &'static str {
    static BUILD: LazyLock<String> = LazyLock::new(|| as_semantic(VERSION, COMMIT));
    &BUILD
}

/// The build as people read it: `0.1.0 (abcdef123456)`.
#[must_use]
pub fn readable() -> &'static str {
    static BUILD: LazyLock<String> = LazyLock::new(|| as_readable(VERSION, COMMIT));
    &BUILD
}

fn as_semantic(version: &str, commit: Option<&str>) -> String {
    match commit {
        None => version.to_owned(),
        // Semantic Versioning, rule 10: one plus sign, behind which dots separate what there is.
        Some(commit) if version.contains('+') => format!("{version}.{commit}"),
        Some(commit) => format!("{version}+{commit}"),
    }
}

fn as_readable(version: &str, commit: Option<&str>) -> String {
    commit.map_or_else(|| version.to_owned(), |commit| format!("{version} ({commit})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commit_stands_behind_the_version() {
        for (version, commit, semantic, readable) in [
            ("0.1.0", None, "0.1.0", "0.1.0"),
            ("0.1.0", Some("abcdef123456"), "0.1.0+abcdef123456", "0.1.0 (abcdef123456)"),
            (
                "1.0.0-rc.1",
                Some("abcdef123456-dirty"),
                "1.0.0-rc.1+abcdef123456-dirty",
                "1.0.0-rc.1 (abcdef123456-dirty)",
            ),
            ("1.0.0+7", Some("abcdef123456"), "1.0.0+7.abcdef123456", "1.0.0+7 (abcdef123456)"),
        ] {
            assert_eq!(as_semantic(version, commit), semantic);
            assert_eq!(as_readable(version, commit), readable);
        }
    }

    #[test]
    fn a_build_names_its_version() {
        assert!(semantic().starts_with(VERSION));
        assert!(readable().starts_with(VERSION));
    }
}
