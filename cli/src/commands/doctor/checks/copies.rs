//! The copies that there are: whose they are, and whether anybody handles them.

use std::collections::{BTreeMap, BTreeSet};

use snapferry_core::facts::Copies;
use snapferry_core::homes::{is_anothers, is_named};
use snapferry_core::ids::{PolicyName, Region};
use snapferry_core::policy::Policy;

use crate::commands::doctor::check::Check;
use crate::commands::doctor::facts::Facts;

/// For each Region one check of whose its copies are, and one for each policy that nobody names.
pub(super) fn checks(facts: &Facts, policies: &[Policy]) -> Vec<Check> {
    let of_region = |(region, copies): (&Region, &_)| match copies {
        Err(error) => vec![Check::unread("copies", region, error)],
        Ok(copies) => whose(facts, policies, region, copies),
    };
    facts.copies.iter().flat_map(of_region).collect()
}

fn whose(facts: &Facts, policies: &[Policy], region: &Region, copies: &Copies) -> Vec<Check> {
    let retired_homes = facts.listed("RetiredHomes").into_iter().flatten();
    let homes: BTreeSet<Region> =
        retired_homes.filter_map(|name| Region::parse(name).ok()).chain([facts.home.clone()]).collect();
    let retired = facts.listed("RetiredPolicies");
    let is_stack_known = retired.is_some();
    let retired: BTreeSet<PolicyName> =
        retired.into_iter().flatten().filter_map(|name| PolicyName::parse(name).ok()).collect();
    let (mut ours, mut others, mut not_named) = (0, BTreeMap::<&Region, usize>::new(), BTreeMap::new());
    for copy in &copies.copies {
        match &copy.origin.region {
            Some(home) if is_anothers(&homes, Some(home)) => *others.entry(home).or_default() += 1,
            _ if is_named(policies, &retired, &copy.origin.policy) => ours += 1,
            _ => *not_named.entry(&copy.origin.policy).or_default() += 1,
        }
    }
    let others: Vec<String> =
        others.iter().map(|(home, count)| format!("{count} of {home}, which that home's stack handles")).collect();
    let all: Vec<String> =
        std::iter::once(format!("{ours} of this stack's homes and policies")).chain(others).collect();
    let is_ours = |home: Option<&Region>| !is_anothers(&homes, home);
    let edited = copies.tampered.iter().filter(|copy| is_ours(copy.source_region.as_ref())).count();
    let whose = if edited == 0 {
        Check::pass("copies", region, all.join("; "))
    } else {
        let message = format!("{}; {edited} whose tags were edited, which nothing verifies or deletes", all.join("; "));
        Check::fail("copies", region, message).remedy(
            "The copier's log names them (copy.refused malformed-tags): put their tags back, or delete them by hand.",
        )
    };
    let not_named = not_named.into_iter().map(|(policy, count)| unhandled(region, policy, count, is_stack_known));
    std::iter::once(whose).chain(not_named).collect()
}

fn unhandled(region: &Region, policy: &PolicyName, count: usize, is_stack_known: bool) -> Check {
    let (check, subject) = ("policy-not-named", format!("{policy} {region}"));
    let (found, retire) =
        ("copies of a policy that the document does not have", "name it in the stack's RetiredPolicies");
    if is_stack_known {
        let message = format!("{count} {found} and RetiredPolicies does not name: this stack leaves them untouched");
        Check::fail(check, subject, message).remedy(format!(
            "If it is the policy of another stack in the same Region, leave it alone: that one handles them. Otherwise put the \
             policy back, or {retire} (RUNBOOK.md)."
        ))
    } else {
        let message = format!("{count} {found}: they expire only while the stack's RetiredPolicies names it");
        Check::unknown(check, subject, message)
            .remedy(format!("Give --stack to see whether it does; if not, {retire}."))
    }
}
