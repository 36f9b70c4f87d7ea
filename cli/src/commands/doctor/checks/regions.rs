//! The Regions: enabled, and what EBS does there by itself.

use std::collections::BTreeSet;

use snapferry_core::ids::Region;
use snapferry_core::policy::{Encryption, Policy, Target};

use crate::commands::doctor::check::Check;
use crate::commands::doctor::facts::{Defaults, Facts};

/// The checks of the home Region and all target Regions.
pub(super) fn checks(facts: &Facts, policies: &[Policy]) -> Vec<Check> {
    let targets = policies.iter().flat_map(|policy| &policy.targets).map(|target| &target.region);
    let regions: BTreeSet<&Region> = targets.chain([&facts.home]).collect();
    let mut checks: Vec<Check> = regions.into_iter().map(|region| enabled(facts, region)).collect();
    for (region, defaults) in &facts.defaults {
        checks.push(match defaults {
            Err(error) => Check::unread("encryption-by-default", region, error),
            Ok(defaults) if defaults.by_default => Check::pass("encryption-by-default", region, "on"),
            Ok(_) => Check::pass(
                "encryption-by-default",
                region,
                "off; a copy is encrypted when the policy says so or its source is, and under CmkArn or a key that EC2 chooses",
            ),
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
    let check = |Target { region, encryption, .. }: &Target| {
        let defaults = facts.defaults.get(region).and_then(|defaults| defaults.as_ref().ok());
        let message = format!("no CmkArn, so EC2 chooses the key: {}", chosen(encryption, defaults));
        Check::unknown("target-key", format!("{} {region}", policy.name), message)
            .remedy(format!("Name a customer managed key in {region} as CmkArn, with \"Encrypted\": true."))
    };
    policy.targets.iter().filter(|target| !matches!(target.encryption, Encryption::Key(_))).map(check).collect()
}

/// Which key EC2 chooses when none is named (EBS User Guide, "Copy an Amazon EBS snapshot").
fn chosen(encryption: &Encryption, defaults: Option<&Defaults>) -> String {
    const MANAGED: &str =
        "the AWS managed key aws/ebs: what is encrypted under it can never be shared or copied by another account";
    let Some(Defaults { by_default, key, is_aws_managed }) = defaults else {
        return format!(
            "while encryption by default is off, copies of encrypted snapshots are under {MANAGED}; otherwise under the account's \
             default key"
        );
    };
    if *is_aws_managed == Some(true) {
        return format!("the account has chosen no default key, so what is encrypted is under {MANAGED}");
    }
    let default = format!(
        "under the account's default key {key}, which the copier's role may use only if that key's own policy says so"
    );
    if *by_default {
        return format!("encryption by default is on, so copies are {default}");
    }
    let plain = match encryption {
        Encryption::AsSource => "not encrypted".to_owned(),
        Encryption::DefaultKey | Encryption::Key(_) => default,
    };
    format!(
        "encryption by default is off, so copies of encrypted snapshots are under {MANAGED}, although the account's default key is \
         {key}; copies of unencrypted ones are {plain}"
    )
}
