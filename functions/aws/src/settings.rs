//! The function's environment, read once at the cold start. A bad value stops it and is named.

use anyhow::{Context as _, anyhow};
use jiff::Timestamp;
use snapferry_core::ids::Region;
use snapferry_core::policy::{self, Parsed};

/// Reads `SNAPFERRY_POLICY`: the document itself, when its first non-blank character is `{` or `[`, or a path to it
/// (a relative one starts at the function's package, `LAMBDA_TASK_ROOT`).
///
/// # Errors
/// When it is missing, cannot be read or is not a valid policy; the message is one line.
pub fn policies() -> anyhow::Result<Parsed> {
    let value = variable("SNAPFERRY_POLICY")
        .context("SNAPFERRY_POLICY is not set: give the policy document or a path to it")?;
    let document = if value.trim_start().starts_with(['{', '[']) {
        value
    } else {
        let root = variable("LAMBDA_TASK_ROOT").unwrap_or_else(|| ".".to_owned());
        let path = std::path::Path::new(&root).join(value.trim());
        std::fs::read_to_string(&path)
            .with_context(|| format!("SNAPFERRY_POLICY: the policy file {} cannot be read", path.display()))?
    };
    policy::parse(&document).map_err(|error| anyhow!("SNAPFERRY_POLICY: {error}"))
}

/// Reads `SNAPFERRY_SWEEP_SINCE`: sweeps ignore snapshots started before it.
///
/// # Errors
/// When it is not an RFC 3339 timestamp.
pub fn sweep_since() -> anyhow::Result<Option<Timestamp>> {
    parsed("SNAPFERRY_SWEEP_SINCE", "an RFC 3339 timestamp such as 2026-11-22T00:00:00Z", |text| text.parse().ok())
}

/// Reads `AWS_REGION`, the home Region.
///
/// # Errors
/// When it is missing or no Region code.
pub fn home_region() -> anyhow::Result<Region> {
    let region = |text: &str| Region::parse(text).ok();
    parsed("AWS_REGION", "a Region code such as eu-central-1", region)?.context("AWS_REGION is not set")
}

/// A variable that is set and not blank.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

fn parsed<T>(name: &str, expected: &str, parse: impl Fn(&str) -> Option<T>) -> anyhow::Result<Option<T>> {
    variable(name)
        .map(|text| parse(text.trim()).with_context(|| format!("{name}: {expected} expected, found {text:?}")))
        .transpose()
}
