//! Copies of which nobody knows whose last one they are.

use std::collections::BTreeSet;

use snapferry_core::coverage::lineage_unknown;
use snapferry_core::ids::Region;
use snapferry_core::policy::{Policy, SourceType};

use crate::commands::doctor::check::Check;
use crate::commands::doctor::facts::Facts;

/// One check for each policy of volumes and target whose copies were read.
pub(super) fn checks(facts: &Facts, policies: &[Policy]) -> Vec<Check> {
    let retired = facts.listed("RetiredHomes").into_iter().flatten().filter_map(|name| Region::parse(name).ok());
    let homes: BTreeSet<Region> = retired.chain([facts.home.clone()]).collect();
    let of_volumes = policies.iter().filter(|policy| policy.source_types.contains(&SourceType::EbsSnapshot));
    let targets = of_volumes.flat_map(|policy| policy.targets.iter().map(move |target| (policy, &target.region)));
    let read = targets.filter_map(|(policy, region)| Some((policy, region, facts.copies.get(region)?.as_ref().ok()?)));
    read.map(|(policy, region, copies)| known(policy, region, lineage_unknown(policy, &homes, region, copies)))
        .collect()
}

fn known(policy: &Policy, region: &Region, unknown: usize) -> Check {
    let (check, subject) = ("volume-known", format!("{} {region}", policy.name));
    if unknown == 0 {
        return Check::pass(check, subject, "no copy is kept because nobody named its volume");
    }
    let message = format!(
        "nobody named the volume of {unknown} copies (EC2 names none for a copy of a copy), so they stay after their retention"
    );
    Check::unknown(check, subject, message).remedy(
        "Name the volume in the sources' descriptions and capture it with a group (?<volume>vol-...) in DescriptionRegex; or \
         set KeepAtLeast to 0, which deletes by age alone.",
    )
}
