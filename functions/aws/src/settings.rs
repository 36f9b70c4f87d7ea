//! The function's environment, read once at the cold start. A bad value stops it and is named.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::Path;

use anyhow::{Context as _, anyhow};
use jiff::Timestamp;
use snapferry_core::expiring::Limits;
use snapferry_core::ids::{MetricNamespace, PolicyName, Region};
use snapferry_core::policy::{self, Parsed, Policy};
use snapferry_core::text::Utf8;

use crate::environment::variable;

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
        let path = Path::new(&root).join(value.trim());
        text(&path).with_context(|| format!("SNAPFERRY_POLICY: the policy file {} cannot be read", path.display()))?
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

/// The Regions that the policies copy to.
#[must_use]
pub fn targets(policies: &[Policy]) -> BTreeSet<Region> {
    policies.iter().flat_map(|policy| &policy.targets).map(|target| target.region.clone()).collect()
}

/// The Regions whose copies are verified and expired: all targets of the policies, and those that were targets once
/// and that `SNAPFERRY_RETIRED_REGIONS` names.
///
/// # Errors
/// When one of the latter is no Region code.
pub fn regions(policies: &[Policy]) -> anyhow::Result<BTreeSet<Region>> {
    Ok(targets(policies).into_iter().chain(regions_in("SNAPFERRY_RETIRED_REGIONS")?).collect())
}

/// The Regions whose copies are this stack's own: `home`, and those whose stack is gone and that `SNAPFERRY_RETIRED_HOMES`
/// names.
///
/// # Errors
/// When one of the latter is no Region code.
pub fn homes(home: &Region) -> anyhow::Result<BTreeSet<Region>> {
    Ok(regions_in("SNAPFERRY_RETIRED_HOMES")?.into_iter().chain([home.clone()]).collect())
}

/// The policies that no document has any more and that `SNAPFERRY_RETIRED_POLICIES` names: their copies are still verified
/// and expired.
///
/// # Errors
/// When one of them is no `PolicyId`.
pub fn retired_policies() -> anyhow::Result<BTreeSet<PolicyName>> {
    let expected = "PolicyIds of 1 to 64 letters, digits, '-', '_' and '.', separated by commas,";
    let names = listed("SNAPFERRY_RETIRED_POLICIES", expected, |name| PolicyName::parse(name).ok())?;
    Ok(names.into_iter().collect())
}

/// Reads `SNAPFERRY_MAX_DELETES_PER_RUN`, how many copies one run may delete (100 when it is not set), and
/// `SNAPFERRY_ALLOW_MASS_EXPIRY`, whether copies are deleted although the clock or their number is suspicious (`false`
/// when it is not set).
///
/// # Errors
/// When the one is no whole number, or 0, or the other neither `true` nor `false`.
pub fn limits() -> anyhow::Result<Limits> {
    let number = |text: &str| text.parse().ok().filter(|number| *number > 0);
    let max_deletes = parsed("SNAPFERRY_MAX_DELETES_PER_RUN", "a whole number of at least 1", number)?.unwrap_or(100);
    let allow = parsed("SNAPFERRY_ALLOW_MASS_EXPIRY", "true or false", |text| text.parse().ok())?;
    Ok(Limits { max_deletes, allow_mass_expiry: allow.unwrap_or(false) })
}

/// Reads `SNAPFERRY_SILENT_OWNER_HOURS`, after how many hours without a new snapshot an owner counts as silent: 48 when it
/// is not set, 0 for never.
///
/// # Errors
/// When it is no whole number.
pub fn silent_owner_hours() -> anyhow::Result<u32> {
    let hours =
        parsed("SNAPFERRY_SILENT_OWNER_HOURS", "a whole number of hours, 0 for never,", |text| text.parse().ok())?;
    Ok(hours.unwrap_or(48))
}

/// Reads `SNAPFERRY_OWNER_METRICS`, whether each owner has a metric of its own, which costs money (`false` when it is not
/// set).
///
/// # Errors
/// When it is neither `true` nor `false`.
pub fn owner_metrics() -> anyhow::Result<bool> {
    Ok(parsed("SNAPFERRY_OWNER_METRICS", "true or false", |text| text.parse().ok())?.unwrap_or(false))
}

/// Reads `SNAPFERRY_DATABASES`, whether the stack has the functions for databases (`true` when it is not set: nothing is known).
///
/// # Errors
/// When it is neither `true` nor `false`.
pub fn databases() -> anyhow::Result<bool> {
    Ok(parsed("SNAPFERRY_DATABASES", "true or false", |text| text.parse().ok())?.unwrap_or(true))
}

/// Reads `SNAPFERRY_PROVE_OTHER_REGIONS`, whether the blocks of copies in other Regions are read from the home Region (`true` when
/// it is not set).
///
/// # Errors
/// When it is neither `true` nor `false`.
pub fn prove_other_regions() -> anyhow::Result<bool> {
    Ok(parsed("SNAPFERRY_PROVE_OTHER_REGIONS", "true or false", |text| text.parse().ok())?.unwrap_or(true))
}

/// Reads `SNAPFERRY_LEDGER`, the name of the ledger's table.
///
/// # Errors
/// When it is missing, or no name that DynamoDB takes (DynamoDB API reference, CreateTable, `TableName`).
pub fn ledger() -> anyhow::Result<String> {
    table("SNAPFERRY_LEDGER", "the ledger's table")
}

/// Reads `SNAPFERRY_CLUSTER_LEDGER`, the name of the table of the ledger of clusters' snapshots, where `SNAPFERRY_LEDGER` is that of
/// instances'.
///
/// # Errors
/// As for [`ledger`].
pub fn cluster_ledger() -> anyhow::Result<String> {
    table("SNAPFERRY_CLUSTER_LEDGER", "the table of the ledger of clusters' snapshots")
}

/// Reads `SNAPFERRY_VOLUME_LEDGER`, the name of the table of the ledger of volumes' snapshots, in a function of databases.
///
/// # Errors
/// As for [`ledger`].
pub fn volume_ledger() -> anyhow::Result<String> {
    table("SNAPFERRY_VOLUME_LEDGER", "the table of the ledger of volumes' snapshots")
}

fn table(variable: &str, of: &str) -> anyhow::Result<String> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let name = |text: &str| ((3..=255).contains(&text.len()) && text.bytes().all(is_allowed)).then(|| text.to_owned());
    let expected = "a table's name of 3 to 255 letters, digits, '-', '_' and '.'";
    parsed(variable, expected, name)?.with_context(|| format!("{variable} is not set: give the name of {of}"))
}

/// Reads `_HANDLER`, which of its functions a program is to be: Lambda has it of the function's `Handler`.
///
/// # Errors
/// When it is missing.
pub fn handler() -> anyhow::Result<String> {
    variable("_HANDLER").context("_HANDLER is not set: Lambda sets it to the function's Handler")
}

/// Reads `SNAPFERRY_METRIC_NAMESPACE`, in which the stack's metrics stand: two stacks in one Region must not share one.
///
/// # Errors
/// When it is no namespace that CloudWatch takes.
pub fn metric_namespace() -> anyhow::Result<Option<MetricNamespace>> {
    let expected = "a namespace of 1 to 255 letters, digits and . - _ / # : such as Snapferry/vault";
    parsed("SNAPFERRY_METRIC_NAMESPACE", expected, |text| MetricNamespace::parse(text).ok())
}

/// Reads `AWS_REGION`, the home Region.
///
/// # Errors
/// When it is missing or no Region code.
pub fn home_region() -> anyhow::Result<Region> {
    let region = |text: &str| Region::parse(text).ok();
    parsed("AWS_REGION", "a Region code such as eu-central-1", region)?.context("AWS_REGION is not set")
}

/// What `snapferry check` reads a function reads, too, whatever wrote the file.
fn text(path: &Path) -> io::Result<String> {
    io::read_to_string(Utf8::new(File::open(path)?))
}

fn regions_in(name: &str) -> anyhow::Result<Vec<Region>> {
    let expected = "Region codes separated by commas, such as eu-west-1,us-east-1,";
    listed(name, expected, |region| Region::parse(region).ok())
}

fn listed<T>(name: &str, expected: &str, parse: impl Fn(&str) -> Option<T>) -> anyhow::Result<Vec<T>> {
    let all = |text: &str| text.split(',').map(|each| parse(each.trim())).collect();
    Ok(parsed(name, expected, all)?.unwrap_or_default())
}

fn parsed<T>(name: &str, expected: &str, parse: impl Fn(&str) -> Option<T>) -> anyhow::Result<Option<T>> {
    variable(name)
        .map(|text| parse(text.trim()).with_context(|| format!("{name}: {expected} expected, found {text:?}")))
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_file_as_windows_writes_it() {
        let path = std::env::temp_dir().join(format!("snapferry-settings-{}.json", std::process::id()));
        let bytes: Vec<u8> = "\u{feff}{\"é\": 1}\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        std::fs::write(&path, bytes).unwrap();
        let read = text(&path);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(read.unwrap(), "{\"é\": 1}\r\n");
    }
}
