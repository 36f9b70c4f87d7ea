//! Whether what the policy wants proven is proven by the stack.

use std::collections::BTreeSet;

use snapferry_core::ids::Region;
use snapferry_core::policy::Policy;

use super::parts::resource;
use crate::commands::doctor::check::Check;
use crate::commands::doctor::facts::{Part, Stack};

/// The checks of the prover's parts, and of the policy's ProofRules against them.
pub(super) fn checks(home: &Region, stack: &Stack, policies: &[Policy]) -> Vec<Check> {
    let is_scheduled = is_scheduled(stack);
    let mut checks = Vec::new();
    if is_scheduled {
        checks.extend(Part::OF_PROOFS.map(|part| resource(stack, part)));
    }
    let wanted = wanted(policies);
    checks.extend(match (wanted.is_empty(), is_scheduled) {
        (true, false) => None,
        (true, true) => Some(nothing_to_prove()),
        (false, false) => Some(never(&wanted)),
        (false, true) => Some(elsewhere(home, stack, &wanted)),
    });
    checks
}

/// A stack of the CDK has no parameters, but the parts.
fn is_scheduled(stack: &Stack) -> bool {
    match stack.given("ProofSchedule") {
        Some(schedule) => !schedule.is_empty(),
        None => Part::OF_PROOFS.into_iter().any(|part| stack.part(part).is_some()),
    }
}

/// The Regions whose copies' content a policy wants proven.
fn wanted(policies: &[Policy]) -> BTreeSet<&Region> {
    let targets = policies.iter().flat_map(|policy| &policy.targets);
    targets.filter(|target| target.proof.is_some()).map(|target| &target.region).collect()
}

fn never(wanted: &BTreeSet<&Region>) -> Check {
    let message = format!(
        "the policy has a ProofRule for {}, and the stack has no ProofSchedule: no copy's content is proven",
        listed(wanted)
    );
    Check::fail("proof", "", message)
        .remedy("Give the stack a ProofSchedule, such as rate(1 hour), or take the rule out.")
}

fn nothing_to_prove() -> Check {
    let message =
        "the stack has a ProofSchedule, and the policy has no ProofRule: nothing is proven, and a role may read data";
    Check::fail("proof", "", message).remedy("Give a target a ProofRule, or the stack an empty ProofSchedule.")
}

fn elsewhere(home: &Region, stack: &Stack, wanted: &BTreeSet<&Region>) -> Check {
    let unread: BTreeSet<&Region> = match stack.given("ProofOtherRegions") {
        Some("false") => wanted.iter().copied().filter(|region| *region != home).collect(),
        _ => BTreeSet::new(),
    };
    if unread.is_empty() {
        return Check::pass("proof", "", format!("contents are proven in {}", listed(wanted)));
    }
    let message = format!(
        "the policy has a ProofRule for {}, and the stack's ProofOtherRegions is false: of the copies there nothing is proven",
        listed(&unread)
    );
    Check::fail("proof", "", message).remedy("Set ProofOtherRegions to true, or take the rule out.")
}

fn listed(regions: &BTreeSet<&Region>) -> String {
    regions.iter().map(|region| region.as_str()).collect::<Vec<_>>().join(", ")
}
