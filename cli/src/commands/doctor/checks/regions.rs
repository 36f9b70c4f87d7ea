//! The Regions: enabled, and what EBS does there by itself.

use std::collections::BTreeSet;

use snapferry_core::ids::Region;
use snapferry_core::policy::{Encryption, Policy};

use crate::commands::doctor::check::Check;
use crate::commands::doctor::facts::Facts;

/// The checks of the home Region and all target Regions.
pub(super) fn checks(facts: &Facts, policies: &[Policy]) -> Vec<Check> {
    let targets = policies.iter().flat_map(|policy| &policy.targets).map(|target| &target.region);
    let regions: BTreeSet<&Region> = targets.chain([&facts.home]).collect();
    let mut checks: Vec<Check> = regions.into_iter().map(|region| enabled(facts, region)).collect();
    for (region, defaults) in &facts.defaults {
        checks.push(match defaults {
            Err(error) => Check::unread("encryption-by-default", region, error),
            Ok(defaults) if defaults.by_default => Check::pass("encryption-by-default", region, "on"),
            Ok(_) => Check::pass("encryption-by-default", region, "off; a copy is encrypted when the policy says so"),
        });
    }
    checks.extend(policies.iter().flat_map(|policy| without_key(facts, policy)));
    checks
}

/// EC2 API reference, DescribeRegions: `OptInStatus`.
fn enabled(facts: &Facts, region: &Region) -> Check {
    let check = "region-enabled";
    match facts.regions.as_ref().map(|regions| regions.get(region.as_str()).map(String::as_str)) {
        Err(error) => Check::unread(check, region, error),
        Ok(Some("opt-in-not-required" | "opted-in")) => Check::pass(check, region, "enabled"),
        Ok(Some(status)) => Check::fail(check, region, format!("this Region is not enabled here ({status})")).remedy(
            format!("Enable it: aws account enable-region --region-name {region}; that takes minutes to hours."),
        ),
        Ok(None) => Check::fail(check, region, "EC2 knows no such Region in this partition")
            .remedy("Correct Target in the policy."),
    }
}

/// Targets without a CmkArn: the counterpart of a vault under a default key.
fn without_key(facts: &Facts, policy: &Policy) -> Vec<Check> {
    let without = policy.targets.iter().filter(|target| !matches!(target.encryption, Encryption::Key(_)));
    let check = |region: &Region| {
        let subject = format!("{} {region}", policy.name);
        let key = match facts.defaults.get(region) {
            Some(Ok(defaults)) if defaults.is_aws_managed == Some(true) => {
                "the account's default key, which AWS manages: what is encrypted under it can never be shared or copied \
                 by another account"
                    .to_owned()
            }
            Some(Ok(defaults)) => format!(
                "the account's default key {}, which the copier's role may use only if that key's own policy says so",
                defaults.key
            ),
            _ => "the account's default key".to_owned(),
        };
        Check::unknown("target-key", subject, format!("no CmkArn: copies of encrypted snapshots get {key}"))
            .remedy(format!("Name a customer managed key in {region} as CmkArn, with \"Encrypted\": true."))
    };
    without.map(|target| check(&target.region)).collect()
}
